import { defineConfig } from "@lingui/cli";
import { formatter } from "@lingui/format-po";

export default defineConfig({
  sourceLocale: "en",
  locales: ["en", "fa"],
  catalogs: [{ path: "src/texts/{locale}", include: ["src"], exclude: ["src/api/generated"] }],
  format: formatter({ lineNumbers: false }),
  orderBy: "message",
});
