// `npm run build`: checks the types and bundles every program into dist/app, with source maps and esbuild's metafile.
import { join } from "node:path";
import { Command } from "commander";
import { CommandFailed, command } from "#tools/command.ts";
import { bundle, programs, writeBundles } from "./images/programs.ts";

const TOP = join(import.meta.dirname, "..");

await new Command("build")
  .description(
    "Checks the types and bundles every program into dist/app, one file each, and beside them what reads a kubeconfig.",
  )
  .option("--no-types", "leave the types unchecked")
  .addHelpText(
    "after",
    `
A program is a folder of hooks/src or operator/managers with a main.ts. Images are made of the same bundles:
npm run images. A stack trace of a bundle is read with its map, which stays here:
  node --enable-source-maps dist/app/hooks/drain.mjs
dist/metafile.json says what a bundle is made of: https://esbuild.github.io/analyze`,
  )
  .action(async ({ types }: { types: boolean }) => {
    await Promise.all([types && checkTypes(), bundleAll()]);
  })
  .parseAsync()
  .catch((error: unknown) => {
    console.error(error instanceof CommandFailed ? error.stderr : `build: ${String(error)}`);
    process.exit(1);
  });

async function bundleAll(): Promise<void> {
  const started = Date.now();
  const { bundles, metafile } = await bundle(TOP, programs(TOP));
  await writeBundles(join(TOP, "dist"), bundles, metafile);
  for (const { path, code } of bundles) console.log(`dist/${path.padEnd(24)} ${(code.length / 1e6).toFixed(2)} MB`);
  console.log(`bundled ${bundles.length} programs in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

async function checkTypes(): Promise<void> {
  const started = Date.now();
  await command(join(TOP, "node_modules/.bin/tsc"), ["--pretty", "false"], { cwd: TOP });
  console.log(`types are right, ${((Date.now() - started) / 1000).toFixed(1)} s`);
}
