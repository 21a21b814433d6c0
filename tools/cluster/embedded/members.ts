// The processes of a cluster, found in /proc by what they are and not by a file that says so: a file can be missing or
// old, and a number can be somebody else's by now.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import type { Shape } from "./shape.ts";

export interface Root {
  /** The `unshare` outside of the pid namespace: the one process to kill, and the one to nsenter. */
  readonly pid: number;
  /** Its child, PID 1 inside, as the host numbers it. */
  readonly init: number;
}

/** The root processes of the cluster, or undefined when it does not run. */
export async function findRoot({ folder }: Shape): Promise<Root | undefined> {
  const script = join(folder, "init.sh");
  let pid = 0;
  let init = 0;
  for (const process of await processes()) {
    const words = await commandLine(process);
    if (words.at(-1) !== script) continue;
    if (words.some((word) => word.endsWith("unshare"))) pid = process;
    else if (words[0]?.endsWith("bash")) init = await smaller(init, process);
  }
  return pid === 0 ? undefined : { pid, init };
}

// Subshells of init carry its command line; init is the one that came first.
async function smaller(init: number, candidate: number): Promise<number> {
  if (init === 0) return candidate;
  const [a, b] = await Promise.all([startTime(init), startTime(candidate)]);
  return b < a || (a === b && candidate < init) ? candidate : init;
}

/** Every process of the cluster, init first, as the host numbers them, with the names of their programs. */
export async function members({ init }: Root): Promise<{ pid: number; program: string }[]> {
  const children = new Map<number, number[]>();
  for (const pid of await processes()) {
    const parent = Number((await stat(pid))?.[1] ?? 0);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  // By descent: pods have pid namespaces of their own below this one, and nothing here can leave init's family.
  const family = [init];
  for (const pid of family) family.push(...(children.get(pid) ?? []));
  return await Promise.all(
    family.map(async (pid) => ({ pid, program: (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")).trim() })),
  );
}

/** Kills the cluster: with PID 1 of a pid namespace the kernel ends every other process of it. */
export async function kill(root: Root): Promise<void> {
  // Its parent outside reaps it and ends with it; killed first, it would leave that to somebody else.
  try {
    process.kill(root.init === 0 ? root.pid : root.init, "SIGKILL");
  } catch {
    // ended in the meantime
  }
  // PID 1 becomes a zombie only when the whole namespace is empty; nobody but its parent is told, so we look.
  const deadline = Date.now() + 20_000;
  while ((await runs(root.init)) || (await runs(root.pid))) {
    if (Date.now() > deadline)
      throw new Error(`process ${root.pid} of the cluster does not end: see /proc/${root.pid}/stack`);
    await pause(20);
  }
}

async function runs(pid: number): Promise<boolean> {
  const fields = await stat(pid);
  return pid !== 0 && fields !== undefined && fields[0] !== "Z" && fields[0] !== "X";
}

async function startTime(pid: number): Promise<number> {
  return Number((await stat(pid))?.[19] ?? Infinity);
}

/** The fields of /proc/PID/stat after the name, state first. */
async function stat(pid: number): Promise<string[] | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

async function processes(): Promise<number[]> {
  return (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
}

async function commandLine(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return text.split("\0").slice(0, -1);
}
