// The post-delete hook: the same engine once more, after the operator, its Lease and its state are gone. Normally it finds
// nothing; it saves an uninstall whose first hook was killed. Then it sweeps what Helm does not own.
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { allow } from "#api/rbac.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { appliedByKubectl } from "#drain/applied.ts";
import { conduct, type Conclusion } from "#drain/conduct.ts";
import { type Hands, ngrokRefuses } from "#drain/hands.ts";
import { endingLines } from "#drain/lines.ts";
import { toldRetain } from "#drain/keep.ts";
import { drainRights, driftRights } from "#drain/rbac.ts";
import { newReport, type Report } from "#drain/report.ts";
import { stateRef } from "#drain/state.ts";
import { drainHookOf, sweep, sweepCommand, sweepRights, waitForPods } from "#drain/sweep.ts";
import { ConfigMap } from "#kube/kinds.ts";
import { reader, type Reader } from "#kube/reader.ts";
import { writer } from "#kube/writer.ts";
import { afterUninstall } from "#wire/fence.ts";
import { defineHook, type HookResult, type HookWorld } from "../define-hook.ts";
import { environment, type Settings, settingsOf } from "../environment.ts";
import { sayRefusal } from "../say-refusal.ts";
import { untilDone } from "../tries.ts";

export const cleanupHook = defineHook({
  name: "cleanup",
  phase: "post-delete",
  weight: 0,
  summary: "Frees what a killed drain left, and deletes what Helm does not own.",
  rbac: [
    ...drainRights,
    ...driftRights,
    ...sweepRights,
    allow(KubernetesOperator, ["get"], { scope: "release", why: "read the policy that was sealed" }),
  ],
  env: environment,
  run,
});

type World = HookWorld<typeof environment>;

async function run(world: World): Promise<HookResult> {
  const settings = settingsOf(world.env);
  const told: Told = { began: world.clock.now(), report: newReport() };
  try {
    return await untilDone(world, settings.budget.runMs, async () => await attempt(world, settings, told));
  } catch (error) {
    // Nobody comes after this run, to sweep what it could not wait for. What it failed at says more than a sweep that fails too.
    if (!world.signal.aborted && told.seen !== undefined) await sweepUp(world, settings, told).catch(() => {});
    throw error;
  }
}

/** What outlives a try that failed. */
interface Told {
  readonly began: number;
  readonly report: Report;
  /** Read once: the KubernetesOperator that says it goes in the middle. */
  policy?: DrainPolicy;
  /** Something was let go without ngrok's word: a later try that finds nothing more is no success. */
  leaks?: true;
  /** The drain hook that was there at the beginning (drainHookOf). */
  seen?: { readonly uid: string | undefined };
}

async function attempt(world: World, settings: Settings, told: Told): Promise<HookResult> {
  const { release } = settings;
  const { connection, clock, signal } = world;
  const { began } = told;
  const read = reader(connection);
  const refusal = appliedByKubectl(await read.get(ConfigMap, stateRef(release), signal), release);
  if (refusal !== undefined) {
    sayRefusal(world, refusal);
    return { ok: false };
  }
  told.seen ??= { uid: await drainHookOf(read, release, signal) };
  const running = await waitForPods({ connection, read, release, clock, signal });
  if (running.length > 0) world.say("waited", `${running.join(", ")} still runs after 60s; going on`);
  const hands = handsOf(world);
  const conclusion = await free(world, settings, hands, told);
  const policy = told.leaks === true ? settings.policy : (told.policy ?? settings.policy);
  await tellWhatWasFound(world, { ...settings, policy }, conclusion, (clock.now() - began) / 1000);
  await sweepUp(world, settings, told);
  return { ok: conclusion.farewell !== undefined && told.leaks === undefined };
}

function handsOf(world: World): Hands {
  const { connection, clock, signal } = world;
  const fence = afterUninstall(signal);
  const read = reader(connection);
  return { connection, read, write: writer(connection, fence), ngrok: world.ngrok(fence), fence, clock };
}

/**
 * By the policy; where ngrok refuses that, by Retain: no run will come after this one, so what would keep its finalizer now would
 * keep it for ever, and the CRDs with it.
 */
async function free(world: World, settings: Settings, hands: Hands, told: Told): Promise<Conclusion> {
  const policy = (told.policy ??= await policyOf(hands.read, settings, world.signal));
  const conclusion = await secondPass(world, settings, hands, policy, told).catch((error: unknown) => {
    // With every object gone it is the farewell that ngrok refuses, the KubernetesOperator's own registration.
    if (policy === "Delete" && ngrokRefuses(error)) return undefined;
    throw error;
  });
  if (conclusion !== undefined && !(policy === "Delete" && isRefused(conclusion))) return conclusion;
  world.say(
    "leaking",
    "ngrok's API cannot be used any more: objects are let go, and what stays at ngrok is named below",
  );
  told.leaks = true;
  told.policy = "Retain";
  return await secondPass(world, settings, hands, told.policy, told);
}

async function sweepUp(world: World, { release, clusterWide }: Settings, { seen }: Told): Promise<void> {
  const swept = await sweep(handsOf(world), release, clusterWide, seen?.uid, world.signal);
  if (swept === "working") {
    world.say("cleanup", "another helm uninstall of this release still drains: the rest is for its own cleanup");
    world.say("sweep", `where that one ends before: ${sweepCommand(release, clusterWide)}`);
  } else world.say("cleanup", swept.length === 0 ? "nothing was left" : `deleted ${swept.join(", ")}`);
}

/** Retain wins, wherever it is said: in the values, or by the drain before. */
async function policyOf(read: Reader, { release, policy }: Settings, signal: AbortSignal): Promise<DrainPolicy> {
  return (await toldRetain(read, release, signal)) ? "Retain" : policy;
}

function secondPass(
  world: World,
  settings: Settings,
  hands: Hands,
  policy: DrainPolicy,
  { began, report }: Told,
): Promise<Conclusion> {
  return conduct({
    hands,
    report,
    release: settings.release,
    clusterWide: settings.clusterWide,
    policy: () => policy,
    budgetMs: settings.budget.runMs - (world.clock.now() - began),
    signal: world.signal,
    driver: "hook",
  });
}

function isRefused({ ending, report }: Conclusion): boolean {
  return ending === "blocked" && report.failures.some(({ error }) => ngrokRefuses(error));
}

/** Silent when there was nothing, here or at ngrok: the drain hook has said it all then. */
async function tellWhatWasFound(
  world: World,
  { release, policy, chart }: Settings,
  conclusion: Conclusion,
  seconds: number,
): Promise<void> {
  const { report, farewell } = conclusion;
  const isRegistered = farewell !== undefined && farewell.is !== "absent" && farewell.registration === "kept";
  if (farewell !== undefined && report.done === 0 && !isRegistered) return;
  const at = `${release.name} $CHART -n ${release.namespace} --version ${chart}`;
  const again = `helm install ${at}, where CHART is the chart, then helm uninstall ${release.name} -n ${release.namespace}`;
  for (const line of endingLines(conclusion, { release, policy, seconds, again })) world.say(...line);
}
