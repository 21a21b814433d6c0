// The pre-delete hook: preflight, mark, take the write token, drain, prove, report. It always drives; a living operator
// yields to it.
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { ownKinds } from "#api/own-kinds.ts";
import { allow } from "#api/rbac.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { runAfter } from "#drain/budget.ts";
import { conduct } from "#drain/conduct.ts";
import type { DrainEvent } from "#drain/events.ts";
import { toldRetain } from "#drain/keep.ts";
import { backLines, endingLines } from "#drain/lines.ts";
import { seeForeign } from "#drain/others.ts";
import { preflight } from "#drain/preflight.ts";
import { drainRights, driftRights, takeoverRights } from "#drain/rbac.ts";
import { countsOf, newReport, type Report } from "#drain/report.ts";
import { isCancelOf, mark, type Mark, policyUnder, type StateReader, stateReader, stateRef } from "#drain/state.ts";
import { podsOfRelease } from "#drain/pods.ts";
import { sweepCommand } from "#drain/sweep.ts";
import { takenBackRights } from "#drain/taken-back.ts";
import { teller } from "#drain/tell.ts";
import { takeOver } from "#drain/takeover.ts";
import { ConfigMap } from "#kube/kinds.ts";
import { reader, type Reader } from "#kube/reader.ts";
import { writer } from "#kube/writer.ts";
import { defineHook, type HookResult, type HookWorld } from "../define-hook.ts";
import { foretold } from "./foretold.ts";
import { type FirstEnd, letFirstEnd, letFirstEndRights } from "./let-first-end.ts";
import { otherPolicy } from "./other-policy.ts";
import { unseen } from "./unseen.ts";
import { environment, type Settings, settingsOf } from "../environment.ts";
import { headStart } from "../head-start.ts";
import { sayRefusal } from "../say-refusal.ts";
import { untilDone } from "../tries.ts";

type World = HookWorld<typeof environment>;

export const drainHook = defineHook({
  name: "drain",
  phase: "pre-delete",
  weight: 0,
  summary: "Frees every object of this release before Helm deletes the operator.",
  rbac: [
    ...drainRights,
    ...driftRights,
    ...takeoverRights,
    ...takenBackRights,
    ...letFirstEndRights,
    ...ownKinds.map((kind) =>
      allow(kind, ["list"], { scope: "cluster", why: "refuse to let the CRDs go while another install needs them" }),
    ),
  ],
  env: environment,
  run,
});

const PROGRESS_EVERY_MS = 30_000;
/** For what is still asked when a run has failed already. */
const LAST_LOOK_MS = 2_000;

/** What outlives a try that failed. */
interface Trying {
  readonly settings: Settings;
  readonly read: Reader;
  readonly began: number;
  /** Milliseconds from then on in which this run must end, so that Helm still waits. */
  readonly runMs: number;
  readonly again: string;
  /** The state was marked: an Open that comes after it is a cancel. */
  marked: boolean;
  /** What came of another uninstall; it is waited for once. */
  first: FirstEnd;
  /** One for all tries: what a person relaxed in an earlier one stays relaxed. */
  readonly state: StateReader;
  /** What all tries have come to. */
  report?: Report;
}

/** A person has taken the mark back, or the uninstall before it: nothing is tried again. */
class Cancelled extends Error {}

async function run(world: World): Promise<HookResult> {
  const settings = settingsOf(world.env);
  const { release, policy, budget, chart, revision, clusterWide } = settings;
  const { clock, signal } = world;
  const again = `helm uninstall ${release.name} -n ${release.namespace}`;
  const read = reader(world.connection);
  const began = clock.now();
  // Before the first call: a pod that is killed says nothing at its end.
  world.say("resume", `should this run not come to its end: ${again}`);
  const waitedMs = await headStart(read, { ...settings, namespace: release.namespace }, clock, signal);
  const runMs = runAfter(budget, waitedMs);
  const state = stateReader(read, release);
  const trying: Trying = { settings, read, began, runMs, again, state, marked: false, first: "none" };
  world.say(
    "drain",
    `release ${release.namespace}/${release.name} chart ${chart} revision ${revision} policy ${policy} time limit ${Math.round(runMs / 1000)}s`,
  );
  try {
    const result = await untilDone(world, runMs, async () => await attempt(world, trying));
    if (!result.ok && trying.first === "lost")
      world.say("sweep", `where Helm says that there is no such release: ${sweepCommand(release, clusterWide)}`);
    return result;
  } catch (error) {
    if (!(error instanceof Cancelled)) {
      if (trying.marked) await tellWayBack(world, trying).catch(() => {});
      throw error;
    }
    world.say("stopped", "the drain was cancelled; what was freed until then is freed");
    world.say("again", `to uninstall all the same: ${again}`);
    return { ok: false };
  }
}

/** Decision 5, also where a run ends by an error; too late once the KubernetesOperator is being deleted. */
async function tellWayBack(world: World, { settings, read }: Trying): Promise<void> {
  const { name, namespace } = settings.release;
  // Our own signal may be the reason why the run ends.
  const operator = await read.get(KubernetesOperator, { name, namespace }, AbortSignal.timeout(LAST_LOOK_MS));
  if (operator?.metadata.deletionTimestamp !== undefined) return;
  for (const line of backLines(settings)) world.say(...line);
}

/** The drain, unless another uninstall has come to its end meanwhile. */
async function attempt(world: World, trying: Trying): Promise<HookResult> {
  const before = await afterOther(world, trying);
  if (before !== undefined) return before;
  const result = await drainOnce(world, trying);
  const after = await afterOther(world, trying).catch((error: unknown) => {
    // What is done is done, whether this can be asked or not.
    if (!result.ok || world.signal.aborted) throw error;
  });
  return after ?? result;
}

/** How this run ends when another uninstall has ended; undefined when there is none, or nothing is known of its end. */
async function afterOther(world: World, trying: Trying): Promise<HookResult | undefined> {
  const { settings, read, again } = trying;
  if (trying.first !== "none") return undefined;
  const budgetMs = timeLeft(world, trying) / 2;
  trying.first = await letFirstEnd({ ...world, read, release: settings.release, budgetMs });
  switch (trying.first) {
    case "none":
    case "lost":
      return undefined;
    case "ended":
      world.say("ended", "that uninstall has taken the release away; the cleanup of this one looks once more");
      return { ok: true };
    case "anew":
      world.say(
        "refused",
        "that uninstall has ended, and the release was installed anew since: this one leaves it alone",
      );
      world.say("remedy", `to uninstall the new one too: ${again}`);
      return { ok: false };
  }
}

/** Milliseconds until this run must end, so that Helm still waits. */
function timeLeft({ clock }: World, { runMs, began }: Trying): number {
  return runMs - (clock.now() - began);
}

async function drainOnce(world: World, trying: Trying): Promise<HookResult> {
  const { settings, read, began, again } = trying;
  const { release, policy } = settings;
  const left = (): number => timeLeft(world, trying);
  const held = await begin(world, trying);
  if (held === undefined) return { ok: false };
  if (held.policy !== policy)
    world.say("policy", `${held.policy} was sealed by an earlier mark or asked for in the drain state, and is kept`);
  const { state } = trying;
  await state.fresh(world.signal);
  await using token = await takeOver({
    ...world,
    read,
    release,
    identity: settings.identity,
    state,
    budgetMs: left(),
    mark: held,
  });
  const hands = {
    connection: world.connection,
    read,
    write: writer(world.connection, token),
    ngrok: world.ngrok(token),
    fence: token,
    clock: world.clock,
  };
  const sealedPolicy = () => policyUnder(held, state.now);
  const expected = await foretold(world, settings, read, sealedPolicy(), left());
  trying.report ??= newReport(expected);
  const conclusion = await conduct({
    hands,
    report: trying.report,
    release,
    clusterWide: settings.clusterWide,
    policy: sealedPolicy,
    budgetMs: left(),
    signal: world.signal,
    driver: "hook",
    mark: held,
    onEvent: progressLines(world),
    mayFinish: async (report) => {
      if (!settings.crdsGo) return true;
      // Helm deletes the CRDs next: an object that somebody else holds would hang in them, one that was never ours as well.
      await seeForeign(read, report, world.signal);
      return report.foreign.size === 0;
    },
  });
  const seconds = (world.clock.now() - began) / 1000;
  const operatorRuns = conclusion.ending === "paused" && (await podsOfRelease(read, release, world.signal)).length > 0;
  const ended = {
    release,
    policy: sealedPolicy(),
    seconds,
    again,
    operatorRuns,
    revision: settings.revision,
  };
  const looked = { read, release, clusterWide: settings.clusterWide, operator: conclusion.farewell?.is !== "absent" };
  for (const what of await unseen(looked, world.signal)) world.say("unseen", what);
  for (const line of endingLines(conclusion, ended)) world.say(...line);
  return { ok: conclusion.farewell !== undefined };
}

/** Everything before the first change of an object: a refusal leaves no trace. Undefined when refused. */
async function begin(world: World, trying: Trying): Promise<Mark | undefined> {
  const { settings, read, marked } = trying;
  const { release, clusterWide, crdsGo, revision, chart, identity: by, job } = settings;
  const { connection, clock, signal } = world;
  const object = await read.get(ConfigMap, stateRef(release), signal);
  const before = trying.state.observe(object);
  const reopened = marked && before.phase === "Open" && before.explicit;
  if (reopened || isCancelOf(before, job)) throw new Cancelled();
  // A person may have asked for Retain, before or after an earlier mark: then the key does not matter.
  const asked = ("policy" in before ? before.policy : before.wish) === "Retain";
  // The state that said so may have gone with the release, by another uninstall.
  const relaxed = asked || (object === undefined && (await toldRetain(read, release, signal)));
  const policy = relaxed ? "Retain" : settings.policy;
  const work = {
    connection,
    read,
    ngrok: world.ngrok({ signal, assertMayWrite() {} }),
    release,
    policy,
    rights: drainHook.rbac,
    clusterWide,
    crdsGo,
    revision,
    chart,
    job,
    state: object,
    clock,
    signal,
  };
  const refusal = await preflight(work);
  if (refusal !== undefined) {
    sayRefusal(world, refusal);
    return undefined;
  }
  const other = relaxed || marked ? undefined : await otherPolicy(read, settings, signal);
  if (other !== undefined) world.say("policy", other);
  const wanted: Mark = { policy, driver: "hook", by, since: clock.date().toISOString(), job };
  const running = await podsOfRelease(read, release, signal);
  await showSealed(world, trying, policy);
  const held = await mark(connection, read, release, wanted, running.length > 0 ? "create" : "skip", signal);
  trying.marked = true;
  if (held.policy !== policy) await showSealed(world, trying, held.policy);
  return held;
}

/** Helm may take this run for done, and the drain state away, at any time from here on: then the cleanup reads the policy here. */
async function showSealed({ connection, clock, signal }: World, trying: Trying, policy: DrainPolicy): Promise<void> {
  const { read, settings, report = newReport() } = trying;
  await teller({ connection, read, clock }, settings.release, "hook", () => policy, signal).sealed(report);
}

/** A line each half minute, and what the first pass came to when the second begins. */
function progressLines(world: World): (event: DrainEvent, report: Report) => void {
  const { clock } = world;
  let last = clock.now();
  return (event, report) => {
    if (event.is === "pass" && event.n === 2)
      world.say("drained", `${report.done} objects${report.done === 0 ? "" : `: ${countsOf(report.byKind)}`}`);
    if (clock.now() - last < PROGRESS_EVERY_MS) return;
    last = clock.now();
    const waiting = event.is === "waiting" ? `, waiting ${Math.ceil(event.ms / 1000)}s: ${event.why}` : "";
    world.say("progress", `${report.done} of ${report.total}${waiting}`);
  };
}
