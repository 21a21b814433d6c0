// `npm run generate`: writes everything in the chart that follows from a definition. `--check` writes nothing, names
// what differs and ends with 1.
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { generatedFiles, OWNED_FOLDERS } from "./everything.ts";

const top = join(import.meta.dirname, "..", "..");
const check = process.argv.includes("--check");
const files = generatedFiles();

const changed = files.filter((file) => textAt(file.path) !== file.text).map((file) => file.path);
const stale = OWNED_FOLDERS.flatMap(filesIn).filter((path) => !files.some((file) => file.path === path));

if (check) {
  for (const path of changed) console.error(`differs from its definition: ${path}`);
  for (const path of stale) console.error(`follows from no definition any more: ${path}`);
  if (changed.length + stale.length > 0) {
    console.error("remedy: npm run generate, then commit what it wrote");
    process.exit(1);
  }
} else {
  for (const { path, text } of files.filter((file) => changed.includes(file.path))) {
    await mkdir(dirname(join(top, path)), { recursive: true });
    await writeFile(join(top, path), text);
  }
  for (const path of stale) rmSync(join(top, path));
  console.log(`${files.length} generated files: ${changed.length} written, ${stale.length} removed`);
  for (const path of [...changed, ...stale]) console.log(`  ${path}`);
}

function textAt(path: string): string | undefined {
  try {
    return readFileSync(join(top, path), "utf8");
  } catch {
    return undefined; // not there yet
  }
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(join(top, folder)).map((name) => `${folder}/${name}`);
  } catch {
    return []; // not there yet
  }
}
