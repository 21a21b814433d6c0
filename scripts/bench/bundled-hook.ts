// The program of the drain hook as it goes into the image, in a folder of the bench's own.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundle, programs, writeBundles } from "#scripts/images/programs.ts";
import { TOP } from "#test/support/stage.ts";

export interface BundledHook extends AsyncDisposable {
  /** Path of the bundle; its source map lies beside it. */
  readonly path: string;
  readonly bytes: number;
}

export async function bundleDrainHook(): Promise<BundledHook> {
  const wanted = programs(TOP).filter(({ name, layer }) => name === "drain" && layer === "hooks");
  const { bundles, metafile } = await bundle(TOP, wanted);
  const [only] = bundles;
  if (only === undefined) throw new Error("hooks/src/drain/main.ts is not there");
  const folder = await mkdtemp(join(tmpdir(), "ngrok-operator-bench-"));
  await writeBundles(folder, bundles, metafile);
  return {
    path: join(folder, only.path),
    bytes: only.code.length,
    [Symbol.asyncDispose]: async () => await rm(folder, { recursive: true, force: true }),
  };
}
