// The api-manager's program as a process inside of the cluster's network, watched from outside: what it logged when, and
// what memory it had.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { Release } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import type { BundledProgram } from "./bundled-program.ts";
import type { Ground } from "./ground.ts";
import { cpuSecondsOf, forgetPeak, memoryOfProcess, type Memory } from "./memory.ts";
import { asPod } from "./weight.ts";

export interface LeaderOptions {
  readonly program: BundledProgram;
  readonly release: Release;
  readonly policy: DrainPolicy;
  readonly ngrokUrl: string;
  readonly ngrokKey: string;
  /** More of Node's flags, e.g. `--cpu-prof`. */
  readonly nodeFlags: readonly string[];
  /** Its login, where it is not the admin's. */
  readonly kubeconfig?: string;
}

/** Lines of its log that are kept for who asks why it ended. */
const LAST_WORDS = 8;

export type LogLine = Readonly<Record<string, unknown>>;

export interface LeaderProcess extends AsyncDisposable {
  /** Rejects with its last words when the process ends that nobody has stopped. */
  readonly ended: Promise<never>;
  /** Resolves to the first log line from now on that `is` it; rejects when the process ends before. */
  said(is: (line: LogLine) => boolean): Promise<LogLine>;
  memory(): Promise<Memory>;
  /** Seconds of processor so far. */
  cpuSeconds(): Promise<number>;
  /** Peaks are counted anew. */
  forgetPeak(): Promise<void>;
  /** SIGTERM, and its end. */
  stop(): Promise<void>;
}

/** The process ended, and nobody had stopped it. */
export class EndedEarly extends Error {}

export function startLeader(ground: Ground, options: LeaderOptions): LeaderProcess {
  const { program, release, policy, ngrokUrl, ngrokKey, nodeFlags } = options;
  const flags = [
    `--release-name=${release.name}`,
    `--fullname=${release.fullname}`,
    `--drain-policy=${policy}`,
    `--api-url=${ngrokUrl}`,
    "--health-probe-bind-address=0",
    "--metrics-bind-address=0",
  ];
  const [command, ...args] = ground.inside(
    asPod([process.execPath, ...program.flags, ...nodeFlags, program.path, ...flags]),
  );
  const child: ChildProcess = spawn(command, args, {
    env: {
      PATH: process.env["PATH"],
      ...program.env,
      KUBECONFIG: options.kubeconfig ?? ground.kubeconfig,
      NGROK_API_KEY: ngrokKey,
      POD_NAMESPACE: release.namespace,
      POD_NAME: `${release.fullname}-manager-bench`,
      POD_UID: crypto.randomUUID(),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const complaint = text(child.stderr as Readable);
  const closed = new Promise<void>((done) => child.once("close", () => done()));
  const listeners = new Set<(line: LogLine) => void>();
  const lastWords: string[] = [];
  createInterface({ input: child.stdout as Readable }).on("line", (line) => {
    lastWords.push(line);
    if (lastWords.length > LAST_WORDS) lastWords.shift();
    const said = JSON.parse(line) as LogLine;
    for (const hear of listeners) hear(said);
  });
  // Every launcher of `inside` becomes the program, so the child's id is the program's.
  const pid = child.pid ?? 0;
  let isStopping = false;
  const ended = closed.then(async (): Promise<never> => {
    if (isStopping) return await new Promise(() => {});
    throw new EndedEarly(`the api-manager ended too early: ${[...lastWords, await complaint].join("\n")}`);
  });
  // Who does not ask learns of it by what does not come.
  ended.catch(() => undefined);
  const stop = async (): Promise<void> => {
    isStopping = true;
    child.kill("SIGTERM");
    await closed;
  };
  return {
    ended,
    said: async (is) =>
      await new Promise((heard, fail) => {
        const hear = (line: LogLine): void => {
          if (!is(line)) return;
          listeners.delete(hear);
          heard(line);
        };
        listeners.add(hear);
        ended.catch(fail);
      }),
    memory: async () => await memoryOfProcess(pid),
    cpuSeconds: async () => await cpuSecondsOf(pid),
    forgetPeak: async () => await forgetPeak(pid),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
