// A component as a child process of ours: its log in a file, its end with ours, and its failure told with what it
// said last.
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import process from "node:process";
import { GO_MEMORY } from "./components.ts";

export interface Running {
  readonly pid: number;
  /** Rejects when the process ends before it was told to; never resolves. */
  readonly failed: Promise<never>;
  /** Kills it and waits for its end; a second call waits for the same. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts `program`, which is killed when this process ends, however that happens. */
export function start(program: string, args: readonly string[], log: string): Running {
  const file = openSync(log, "a");
  const stdio: ["ignore", number, number] = ["ignore", file, file];
  const env = { ...process.env, ...GO_MEMORY };
  const child = spawn("setpriv", ["--pdeathsig", "KILL", program, ...args], { stdio, env });
  closeSync(file);
  let stopping = false;
  const ended = new Promise<void>((done) => {
    child.once("exit", () => done());
    child.once("error", () => done());
  });
  const failed = ended.then(async (): Promise<never> => {
    if (stopping) return await new Promise<never>(() => {});
    throw new Error(
      `${basename(program)} ended (${child.exitCode ?? child.signalCode}); last lines of ${log}:\n${await tail(log)}`,
    );
  });
  failed.catch(() => {}); // who waits for readiness hears of it; later ends show in what calls it
  child.unref();
  return {
    pid: pidOf(child, program),
    failed,
    stop: async (signal = "SIGKILL") => {
      stopping = true;
      child.ref(); // what awaits the end must keep this process alive
      child.kill(signal);
      await ended;
    },
  };
}

/** The last lines of a log file, or why there are none. */
export async function tail(log: string, lines = 12): Promise<string> {
  const text = await readFile(log, "utf8").catch((error: unknown) => String(error));
  return text.trimEnd().split("\n").slice(-lines).join("\n");
}

function pidOf(child: ChildProcess, program: string): number {
  if (child.pid === undefined) throw new Error(`${program} does not start: is setpriv (util-linux) installed?`);
  return child.pid;
}
