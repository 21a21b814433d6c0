// `bench drain`: how fast a driver frees or deletes N objects, against what the API server takes from a bare client in the
// same run; what memory it has meanwhile, and what a bystander at the same API server waits.
import { ownerOf } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import type { Connection } from "#kube/connection.ts";
import type { NgrokApi } from "#test/support/ngrok-api/server.ts";
import { best, isDisturbed, perSecond, ratio, rounded, widthOf } from "./arithmetic.ts";
import { ceiling } from "./bare.ts";
import type { BundledProgram } from "./bundled-program.ts";
import { type Bystander, type Latency, slowdown, startBystander } from "./bystander.ts";
import { drainByHook } from "./drain-by-hook.ts";
import { drainByLeader } from "./drain-by-leader.ts";
import { anInstall, type Ground, KEY, RELEASE, standIn, withCrds } from "./ground.ts";
import { chainOf, makeHerd, WRITES } from "./herd.ts";
import { loadOf, type Machine } from "./machine.ts";
import type { Say } from "./say.ts";

export interface DrainOptions {
  /** The hook's process, or the api-manager that finds its KubernetesOperator deleted. */
  readonly driver: "hook" | "leader";
  readonly policy: DrainPolicy;
  readonly count: number;
  readonly namespaces: number;
  /** The bundle of the driver. */
  readonly program: BundledProgram;
  /** How often a disturbed run is taken again; the last one counts, and is marked. */
  readonly attempts: number;
  /** A folder for a CPU profile of the driver's process. */
  readonly profile?: string;
  readonly signal: AbortSignal;
}

export interface DrainResult extends DriverRun {
  readonly bench: "drain";
  readonly timed: string;
  readonly ground: Ground["what"];
  readonly driver: DrainOptions["driver"];
  readonly policy: DrainPolicy;
  readonly count: number;
  readonly namespaces: number;
  readonly perSecond: number;
  readonly rawPerSecond: number;
  readonly ratio: number;
  readonly disturbed: boolean;
  readonly rawByWidth: Readonly<Record<string, number>>;
  /** Objects that each width of the bare client worked on. */
  readonly rawCount: number;
  /** Milliseconds of one GET, ten times a second: on an idle server, beside the bare client at its best width, beside the drain. */
  readonly bystander: {
    readonly idle: Latency;
    readonly bare: Latency;
    readonly drain: Latency;
    readonly overIdle: { readonly median: number; readonly p95: number };
  };
  readonly attempts: number;
  /** As the driver was set to work; the load is that of the last minute. */
  readonly machine: Machine;
}

/** What a driver says of its run. */
export interface DriverRun {
  readonly seconds: number;
  /** The objects alone, without the proof and the farewell. */
  readonly passSeconds: number;
  /** MB of 1,000,000 bytes: the most that was resident in the whole life of the process. */
  readonly peakMemoryMB: number;
  /** The leader's: after it had reconciled all objects, and its peak in the drain. */
  readonly settledMemoryMB?: number;
  readonly drainPeakMemoryMB?: number;
  /** The hook's whole process. */
  readonly processSeconds?: number;
  readonly cpuSeconds?: number;
}

const TIMED = {
  hook:
    "from the line that says that the hook has the write token to its line `done`: all passes with the one that proves that " +
    "nothing is left, the KubernetesOperator's end and the report; processSeconds is the whole process",
  leader:
    "from the deletion of the KubernetesOperator to the api-manager's line that the drain has ended: the mark, all passes with " +
    "the one that proves that nothing is left, the KubernetesOperator's end",
};

/** What a ceiling needs to be one: fewer objects would measure how clients start. */
const RAW_COUNT = 2_000;
const IDLE_MS = 5_000;

export interface Setting {
  /** Whether anything comes after this run on the same ground, so that its objects have to go. */
  readonly goesOn: boolean;
  readonly ground: Ground;
  readonly connection: Connection;
  readonly ngrok: NgrokApi;
  readonly bystander: Bystander;
  readonly release: typeof RELEASE;
  readonly options: DrainOptions;
  readonly say: Say;
}

/** Repeats a disturbed run, and marks the result when all were. */
export async function benchDrain(ground: Ground, options: DrainOptions, say: Say): Promise<DrainResult> {
  await using connection = await ground.connect();
  await using ngrok = await standIn(ground);
  await using bystander = await startBystander(ground);
  // A plane goes with all that is in it.
  const goesOn = ground.what === "cluster" || options.attempts > 1;
  const setting = { ground, connection, ngrok, bystander, release: RELEASE, options, goesOn, say };
  return await withCrds(ground, connection, async () => {
    for (let attempt = 1; ; attempt += 1) {
      const result = await once(setting, attempt);
      if (!result.disturbed || attempt === options.attempts) return result;
      say.line(`disturbed: the bare client alone got less than 600 writes/s; once more`);
    }
  });
}

async function once(setting: Setting, attempts: number): Promise<DrainResult> {
  const { ground, connection, ngrok, bystander, release, say } = setting;
  const { driver, policy, count, namespaces, signal } = setting.options;
  ngrok.reset();
  const idle = await bystander.beside(async () => await new Promise((done) => setTimeout(done, IDLE_MS)));
  const owner = ownerOf(release);
  const { rates, latencies } = await ceiling(
    ground,
    { url: ngrok.url, key: KEY },
    async (width) => {
      const herd = await makeHerd(
        connection,
        ngrok,
        { count: RAW_COUNT, namespaces, name: `raw-${width}`, owner },
        signal,
      );
      return { chains: herd.members.map((member) => chainOf(member, policy)), clear: herd.clear };
    },
    { say, bystander },
  );
  ngrok.reset();
  await anInstall(connection, release, signal);
  const machine = loadOf();
  const { run, latency } = await (driver === "hook" ? drainByHook(setting) : drainByLeader(setting));
  const bare = latencies[widthOf(rates)];
  if (bare === undefined) throw new Error("the bystander saw nothing of the bare client");
  const raw = best(rates);
  const rate = perSecond(count, run.seconds);
  return {
    bench: "drain",
    timed: TIMED[driver],
    ground: ground.what,
    driver,
    policy,
    count,
    namespaces,
    ...run,
    perSecond: rounded(rate),
    rawPerSecond: rounded(raw),
    ratio: rounded(ratio(rate, raw)),
    disturbed: isDisturbed(raw, WRITES[policy]),
    rawByWidth: Object.fromEntries(Object.entries(rates).map(([width, one]) => [width, rounded(one)])),
    rawCount: RAW_COUNT,
    bystander: {
      idle: idle.latency,
      bare,
      drain: latency,
      overIdle: slowdown(latency, idle.latency),
    },
    attempts,
    machine,
  };
}
