// `bench drain`: how fast the drain hook frees or deletes N objects, against what the API server takes from a bare client in
// the same run.
import { FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { namesOf, ownerOf } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import type { Connection } from "#kube/connection.ts";
import { ConfigMap, Namespace } from "#kube/kinds.ts";
import { applyStatus } from "#kube/status.ts";
import { writer } from "#kube/writer.ts";
import { aKubernetesOperator } from "#test/support/builders.ts";
import type { NgrokApi } from "#test/support/ngrok-api/server.ts";
import { isClass } from "#wire/errors.ts";
import { afterUninstall } from "#wire/fence.ts";
import { best, isDisturbed, perSecond, ratio, rounded } from "./arithmetic.ts";
import { ceiling } from "./bare.ts";
import { type Ground, KEY, standIn, withCrds } from "./ground.ts";
import { chainOf, makeHerd, WRITES, type Herd } from "./herd.ts";
import { hookEnvironment, runHookProcess, saidAt, type HookRun } from "./hook-process.ts";
import type { Say } from "./say.ts";

export interface DrainOptions {
  readonly policy: DrainPolicy;
  readonly count: number;
  /** The bundle of the drain hook. */
  readonly hook: string;
  /** A folder for a CPU profile of the hook's process. */
  readonly profile?: string;
  readonly signal: AbortSignal;
}

export interface DrainResult {
  readonly bench: "drain";
  readonly timed: string;
  readonly ground: Ground["what"];
  readonly policy: DrainPolicy;
  readonly count: number;
  readonly seconds: number;
  readonly perSecond: number;
  readonly rawPerSecond: number;
  readonly ratio: number;
  readonly peakMemoryMiB: number;
  readonly disturbed: boolean;
  readonly rawByWidth: Readonly<Record<string, number>>;
  /** Objects that each width of the bare client worked on. */
  readonly rawCount: number;
  /** From the write token to the end of the first pass: the objects alone, without the proof and the farewell. */
  readonly passSeconds: number;
  readonly processSeconds: number;
  readonly cpuSeconds: number;
  readonly attempts: number;
}

const TIMED =
  "from the line that says that the hook has the write token to its line `done`: all passes with the one that proves that " +
  "nothing is left, the KubernetesOperator's end and the report; processSeconds is the whole process";

/** What a ceiling needs to be one: fewer objects would measure how clients start. */
const RAW_COUNT = 2_000;
const ATTEMPTS = 3;
const RELEASE = { name: "bench", namespace: "bench-release", fullname: "bench-ngrok-operator" };

/** Repeats a disturbed run, and marks the result when all were. */
export async function benchDrain(ground: Ground, options: DrainOptions, say: Say): Promise<DrainResult> {
  await using connection = await ground.connect();
  await using ngrok = await standIn(ground);
  return await withCrds(ground, connection, async () => {
    for (let attempt = 1; ; attempt += 1) {
      const result = await once({ ground, connection, ngrok, options, say }, attempt);
      if (!result.disturbed || attempt === ATTEMPTS) return result;
      say.line(`disturbed: the bare client alone got less than 600 writes/s; once more`);
    }
  });
}

interface Setting {
  readonly ground: Ground;
  readonly connection: Connection;
  readonly ngrok: NgrokApi;
  readonly options: DrainOptions;
  readonly say: Say;
}

async function once(setting: Setting, attempts: number): Promise<DrainResult> {
  const { ground, connection, ngrok, say } = setting;
  const { policy, count, signal } = setting.options;
  ngrok.reset();
  const owner = ownerOf(RELEASE);
  const rates = await ceiling(
    ground,
    { url: ngrok.url, key: KEY },
    async (width) => {
      const herd = await makeHerd(connection, ngrok, { count: RAW_COUNT, name: `raw-${width}`, owner }, signal);
      return { chains: herd.members.map((member) => chainOf(member, policy)), clear: herd.clear };
    },
    say,
  );
  ngrok.reset();
  const herd = await say.step(
    `${count} objects, claimed by ${owner}`,
    async () => await makeHerd(connection, ngrok, { count, name: "drained", owner }, signal),
  );
  const run = await drained(setting, herd);
  await herd.clear();
  const [from, passed, done] = ["operator", "drained", "done"].map((word) => saidAt(run, word).at) as [
    number,
    number,
    number,
  ];
  const seconds = (done - from) / 1000;
  const raw = best(rates);
  const rate = perSecond(count, seconds);
  return {
    bench: "drain",
    timed: TIMED,
    ground: ground.what,
    policy,
    count,
    seconds: rounded(seconds),
    perSecond: rounded(rate),
    rawPerSecond: rounded(raw),
    ratio: rounded(ratio(rate, raw)),
    peakMemoryMiB: rounded(run.peakMemoryMiB),
    disturbed: isDisturbed(raw, WRITES[policy]),
    rawByWidth: Object.fromEntries(Object.entries(rates).map(([width, one]) => [width, rounded(one)])),
    rawCount: RAW_COUNT,
    passSeconds: rounded((passed - from) / 1000),
    processSeconds: rounded(run.processSeconds),
    cpuSeconds: rounded(run.cpuSeconds),
    attempts,
  };
}

/** Runs the hook over the herd, and believes nothing of what it says of itself. */
async function drained({ ground, connection, ngrok, options, say }: Setting, herd: Herd): Promise<HookRun> {
  const { policy, count, hook, profile, signal } = options;
  await installation(connection, ngrok, signal);
  const env = hookEnvironment({
    release: RELEASE,
    policy,
    ngrokUrl: ngrok.url,
    ngrokKey: KEY,
    kubeconfig: ground.kubeconfig,
  });
  const flags = profile === undefined ? [] : ["--cpu-prof", "--cpu-prof-interval=200", `--cpu-prof-dir=${profile}`];
  const run = await say.step(
    `the drain hook's program, ${policy}, ${count} objects`,
    async () => await runHookProcess(ground, hook, env, flags),
  );
  for (const { word, sentence } of run.lines) say.line(`  ${word.padEnd(9)} ${sentence}`);
  const [claimed, remote] = [await herd.claimed(), ngrok.remote()];
  const wanted = policy === "Delete" ? 0 : count;
  if (run.code !== 0 || claimed > 0 || remote !== wanted) {
    throw new Error(
      `the drain ended with ${run.code}; ${claimed} of ${count} objects are still held, ngrok holds ${remote} instead of ${wanted}`,
    );
  }
  return run;
}

/** What an install leaves for its uninstall: namespace, unmarked state, a registered KubernetesOperator. */
async function installation(connection: Connection, ngrok: NgrokApi, signal: AbortSignal): Promise<void> {
  const write = writer(connection, afterUninstall(signal));
  const { namespace, name } = RELEASE;
  await write.create(Namespace, { metadata: { name: namespace } }, signal).catch((error: unknown) => {
    if (!isClass(error, "conflict")) throw error;
  });
  const state = namesOf(RELEASE).drainState;
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  await connection.request({ method: "DELETE", path: `${path}/${state}`, signal }).catch((error: unknown) => {
    if (!isClass(error, "gone")) throw error;
  });
  await write.create(ConfigMap, { metadata: { name: state, namespace } }, signal);
  const id = await ngrok.add("kubernetes_operators", { deployment: { name, namespace, version: "1" } });
  const operator = aKubernetesOperator({ metadata: { name, namespace, finalizers: [FINALIZER] } });
  const { metadata } = await write.create(KubernetesOperator, operator, signal);
  await applyStatus(connection, KubernetesOperator, metadata, { id }, "bench", signal);
}
