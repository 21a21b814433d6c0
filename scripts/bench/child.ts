// A program beside the bench: it prints one line of JSON once it is there, and ends with its input.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface Beside<T> extends AsyncDisposable {
  readonly pid: number;
  readonly said: T;
}

/** @param path of the program's source. Rejects when it ends without a word. */
export async function beside<T>(path: string, args: readonly string[] = []): Promise<Beside<T>> {
  const child = spawn(process.execPath, [path, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const end = async (): Promise<void> => await ended(child);
  try {
    return { pid: child.pid ?? 0, said: JSON.parse(await firstLine(child)) as T, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** SIGTERM, and its end. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  await once(child, "close");
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("its output is not read");
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([
    once(lines, "line"),
    once(child, "close").then(() => Promise.reject(new Error("a program of the bench ended without a word"))),
  ])) as [string];
  return line;
}
