// Weighs what a first visit loads, and fails the build when that grows past what was promised.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const MOST_BYTES = 260_000;
const BUILT = new URL("../api/web_dist/", import.meta.url);

const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", BUILT), "utf8"));
const files = new Set(["index.html", "theme.js"]);
const follow = (key) => {
  const chunk = manifest[key];
  if (files.has(chunk.file)) return;
  files.add(chunk.file);
  for (const sheet of chunk.css ?? []) files.add(sheet);
  for (const imported of chunk.imports ?? []) follow(imported);
};
for (const [key, chunk] of Object.entries(manifest)) if (chunk.isEntry) follow(key);

let total = 0;
for (const file of files) total += gzipSync(readFileSync(new URL(file, BUILT))).length;
console.log(`first load: ${(total / 1000).toFixed(1)} kB gzipped of ${MOST_BYTES / 1000} kB allowed`);
if (total > MOST_BYTES) {
  console.error("error: the first load is too large; load what only some pages need when they open");
  process.exit(1);
}
