import { fileURLToPath } from "node:url";
import babel from "@rolldown/plugin-babel";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const SERVER = process.env["LORRY_URL"] ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react(), babel({ plugins: ["@lingui/babel-plugin-lingui-macro"], presets: ["@babel/preset-typescript"] })],
  resolve: { alias: { "~": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "../api/web_dist",
    emptyOutDir: true,
    manifest: true, // first-load.mjs follows it
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { "/api": SERVER } },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"] },
});
