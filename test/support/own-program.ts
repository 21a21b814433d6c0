// Our programs as processes, from their TypeScript: what Node made of it is kept, since a start from nothing costs two thirds
// of a second of a processor, and tests start them by the hundred.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { cacheFolder } from "#tools/cache.ts";

type OwnProgram = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Starts one, its three streams as pipes.
 *
 * @param main path of its main.ts from the top of the checkout.
 * @param env all that it sees, but for where Node keeps what it compiled.
 */
export function startOwnProgram(
  main: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): OwnProgram {
  const compiled = { NODE_COMPILE_CACHE: join(cacheFolder(), "compiled") };
  return spawn(process.execPath, [main, ...args], { env: { ...compiled, ...env }, stdio: ["pipe", "pipe", "pipe"] });
}
