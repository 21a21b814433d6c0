// Helm 3 and 4 as a person runs them: what they print, how they end, and the hook's own lines in what they print.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Cluster } from "#tools/cluster/provider.ts";

export const HELMS = [3, 4] as const;
export type HelmVersion = (typeof HELMS)[number];

export interface HelmRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

export interface HelmOptions {
  /** Milliseconds until it is killed; six minutes by default, beyond Helm's own five. */
  readonly timeout?: number;
  /** Ends it as a person's Ctrl-C does. */
  readonly signal?: AbortSignal;
  /** Each line as it comes, of either stream. */
  readonly onLine?: (line: string) => void;
}

/** Runs Helm to its end, whatever that is. Rejects only when it cannot be started or is killed. */
export async function helm(
  { bin, kubeconfig }: Pick<Cluster, "bin" | "kubeconfig">,
  version: HelmVersion,
  args: readonly string[],
  options: HelmOptions = {},
): Promise<HelmRun> {
  const { timeout = 360_000, signal, onLine } = options;
  const began = performance.now();
  const child = spawn(join(bin, version === 3 ? "helm3" : "helm4"), args, {
    env: { ...process.env, KUBECONFIG: kubeconfig },
    stdio: ["ignore", "pipe", "pipe"],
    timeout,
    killSignal: "SIGINT",
    ...(signal && { signal }),
  });
  const lines = { stdout: [] as string[], stderr: [] as string[] };
  for (const stream of ["stdout", "stderr"] as const) {
    createInterface({ input: child[stream] }).on("line", (line) => {
      lines[stream].push(line);
      onLine?.(line);
    });
  }
  const code = await new Promise<number | null>((done, fail) => {
    child.once("error", fail);
    child.once("close", done);
  });
  const [stdout, stderr] = [lines.stdout.join("\n"), lines.stderr.join("\n")];
  if (code === null)
    throw new Error(`helm${version} ${args.slice(0, 2).join(" ")} was killed after ${timeout} ms\n${stderr}`);
  return { code, stdout, stderr, seconds: (performance.now() - began) / 1000 };
}

/** The lines of the hooks' log within what Helm printed. */
export function hookLines({ stderr }: Pick<HelmRun, "stderr">): string[] {
  return stderr
    .split("\n")
    .flatMap(readable)
    .filter((line) => /^\d\d:\d\d:\d\d [a-z]/.test(line));
}

/** A line of Helm's as people can read it: Helm 4 prints pieces of a hook's log as one escaped line each. */
export function readable(line: string): string[] {
  const [, escaped] = /\bmsg=("(?:[^"\\]|\\.)*")/.exec(line) ?? [];
  if (escaped === undefined) return [line];
  return (JSON.parse(escaped) as string).replace(/\n$/, "").split("\n");
}
