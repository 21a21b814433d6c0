// Files out of a Go module that is not built: downloaded into a module cache of its own, since the sources of five Kubernetes
// would stay in the user's for ever.
import { existsSync } from "node:fs";
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { command } from "./command.ts";

/** Copies these files of `module@version` into the folder, under their last names. */
export async function takeFromModule(module: string, files: readonly string[], folder: string): Promise<void> {
  const copied = async (from: string): Promise<void> => {
    for (const file of files) await copyFile(join(from, file), join(folder, basename(file)));
  };
  // What clusters are built from is there where they were built.
  const there = join((await command("go", ["env", "GOMODCACHE"])).trim(), module);
  if (existsSync(there)) return await copied(there);
  const modules = await mkdtemp(join(tmpdir(), "ngrok-operator-modules-"));
  try {
    const env = { GOMODCACHE: modules, GOFLAGS: "-modcacherw" };
    const said = await command("go", ["mod", "download", "-json", module], { cwd: modules, env, timeout: 300_000 });
    const { Dir } = JSON.parse(said) as { Dir: string };
    await copied(Dir);
  } finally {
    await rm(modules, { recursive: true, force: true });
  }
}
