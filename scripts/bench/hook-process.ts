// The drain hook's program as a process inside of the cluster's network, watched from outside: when it said each line, what
// memory and processor it took.
import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { environment } from "#hooks/environment.ts";
import type { Release } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import type { Ground } from "./ground.ts";
import { memoryIn } from "./memory.ts";
import { asPod } from "./weight.ts";

/** What the chart would give to the hook's pod. */
export function hookEnvironment(options: {
  readonly release: Release;
  readonly policy: DrainPolicy;
  readonly ngrokUrl: string;
  readonly ngrokKey: string;
  readonly kubeconfig: string;
}): Record<string, string> {
  const { release, policy, ngrokUrl, ngrokKey, kubeconfig } = options;
  const env: Record<keyof typeof environment, string> = {
    RELEASE_NAME: release.name,
    FULLNAME: release.fullname,
    NAME_LABEL: "ngrok-operator",
    WATCH_NAMESPACE: "",
    DRAIN_POLICY: policy,
    HELM_TIMEOUT: "3600",
    CRDS_GO: "false",
    RBAC_CLUSTER: "true",
    NGROK_API_URL: ngrokUrl,
    NGROK_CALLS_PER_MINUTE: "0",
    REVISION: "1",
    CHART_VERSION: "bench",
    POD_NAMESPACE: release.namespace,
    POD_NAME: `${release.fullname}-drain-bench`,
    POD_UID: crypto.randomUUID(),
    JOB_UID: "",
    NGROK_API_KEY: ngrokKey,
  };
  return { ...env, KUBECONFIG: kubeconfig, TERMINATION_LOG: "/dev/null" };
}

export interface HookRun {
  readonly code: number;
  readonly lines: readonly SaidLine[];
  /** From the start of the process to its end. */
  readonly processSeconds: number;
  /** The most memory that was resident, as the kernel counted it (VmHWM); MB of 1,000,000 bytes. */
  readonly peakMemoryMB: number;
  readonly cpuSeconds: number;
}

export interface SaidLine {
  /** Milliseconds of performance.now() at which it arrived here. */
  readonly at: number;
  readonly word: string;
  readonly sentence: string;
}

/** Says at its end what the kernel knows of it; nothing of it runs before. */
const WITNESS = `data:text/javascript,${encodeURIComponent(
  'import{readFileSync as r,writeSync as w}from"node:fs";' +
    'process.once("exit",()=>w(3,JSON.stringify({status:r("/proc/self/status","utf8"),cpu:process.cpuUsage()})))',
)}`;

/** Runs the bundle to its end. `nodeFlags` go to Node, e.g. `--cpu-prof`. */
export async function runHookProcess(
  ground: Ground,
  bundle: string,
  env: Record<string, string>,
  nodeFlags: readonly string[] = [],
): Promise<HookRun> {
  const [program, ...args] = ground.inside(asPod([process.execPath, "--import", WITNESS, ...nodeFlags, bundle]));
  const began = performance.now();
  const child: ChildProcess = spawn(program, args, {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  const [, stdout, stderr, told] = child.stdio as readonly (Readable | null)[] as readonly [
    null,
    Readable,
    Readable,
    Readable,
  ];
  const lines: SaidLine[] = [];
  createInterface({ input: stdout }).on("line", (line) => {
    const [, word, sentence] = /^\d\d:\d\d:\d\d (\S+) +(.*)$/.exec(line) ?? [];
    if (word !== undefined && sentence !== undefined) lines.push({ at: performance.now(), word, sentence });
  });
  const [witness, complaint] = [text(told), text(stderr)];
  const code = await new Promise<number>((done, fail) => {
    child.once("error", fail);
    child.once("close", (exit) => done(exit ?? 1));
  });
  const processSeconds = (performance.now() - began) / 1000;
  const said = await witness;
  if (said === "") throw new Error(`the hook's process died:\n${await complaint}`);
  const { status, cpu } = JSON.parse(said) as { status: string; cpu: { user: number; system: number } };
  return {
    code,
    lines,
    processSeconds,
    peakMemoryMB: memoryIn(status).peakMB,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
  };
}

/** When the hook first said `word`. Throws with its whole log when it never did. */
export function saidAt({ lines }: Pick<HookRun, "lines">, word: string): SaidLine {
  const line = lines.find((one) => one.word === word);
  if (line !== undefined) return line;
  const log = lines.map((one) => `${one.word} ${one.sentence}`).join("\n");
  throw new Error(`the hook never said "${word}":\n${log}`);
}
