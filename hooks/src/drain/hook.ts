// The pre-delete hook: preflight, mark, take the write token, drain, prove, report. It always drives; a living operator
// yields to it.
import { ownKinds } from "#api/own-kinds.ts";
import { allow } from "#api/rbac.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { conduct } from "#drain/conduct.ts";
import type { DrainEvent } from "#drain/events.ts";
import { estimate, estimateText } from "#drain/estimate.ts";
import { endingLines } from "#drain/lines.ts";
import { preflight } from "#drain/preflight.ts";
import { drainRights, driftRights, takeoverRights } from "#drain/rbac.ts";
import { countsOf, type Report } from "#drain/report.ts";
import { keepReport } from "#drain/keep.ts";
import { mark, type Mark, parseState, stateReader, stateRef } from "#drain/state.ts";
import { podsOfRelease } from "#drain/pods.ts";
import { takeOver } from "#drain/takeover.ts";
import { ConfigMap } from "#kube/kinds.ts";
import { reader, type Reader } from "#kube/reader.ts";
import { writer } from "#kube/writer.ts";
import { defineHook, type HookResult, type HookWorld } from "../define-hook.ts";
import { environment, type Settings, settingsOf } from "../environment.ts";

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
    ...ownKinds.map((kind) =>
      allow(kind, ["list"], { scope: "cluster", why: "refuse to let the CRDs go while another install needs them" }),
    ),
  ],
  env: environment,
  run,
});

const PROGRESS_EVERY_MS = 30_000;

async function run(world: World): Promise<HookResult> {
  const settings = settingsOf(world.env);
  const { release, policy, budget, chart } = settings;
  const began = world.clock.now();
  const again = `helm uninstall ${release.name} -n ${release.namespace}`;
  // The command at once: a pod that is killed says nothing at its end.
  world.say(
    "drain",
    `release ${release.namespace}/${release.name} chart ${chart} policy ${policy} time limit ${Math.round(budget.runMs / 1000)}s, to be resumed by: ${again}`,
  );
  const read = reader(world.connection);
  const held = await begin(world, settings, read);
  if (held === undefined) return { ok: false };
  if (held.policy !== policy)
    world.say("policy", `${held.policy} was sealed by an earlier mark or asked for in the drain state, and is kept`);
  const state = stateReader(read, release);
  await state.fresh(world.signal);
  await using token = await takeOver({
    ...world,
    read,
    release,
    identity: settings.identity,
    state,
    budgetMs: budget.runMs,
    mark: held,
  });
  const left = (): number => budget.runMs - (world.clock.now() - began);
  const hands = {
    connection: world.connection,
    read,
    write: writer(world.connection, token),
    ngrok: world.ngrok(token),
    fence: token,
    clock: world.clock,
  };
  const sealedPolicy = () =>
    state.now.phase === "Draining" || state.now.phase === "Drained" ? state.now.policy : held.policy;
  const expected = await foretold(world, settings, read, sealedPolicy(), left());
  const conclusion = await conduct({
    hands,
    release,
    clusterWide: settings.clusterWide,
    policy: sealedPolicy,
    budgetMs: left(),
    signal: world.signal,
    driver: "hook",
    mark: held,
    expected,
    onEvent: progressLines(world),
    // Helm deletes the CRDs next: an object that somebody else holds would hang in them.
    mayFinish: (report) => !settings.crdsGo || report.foreign.size === 0,
  });
  const reported = await keepReport(hands, release, sealedPolicy(), conclusion.report, world.signal);
  const seconds = (world.clock.now() - began) / 1000;
  const operatorRuns = conclusion.ending === "paused" && (await podsOfRelease(read, release, world.signal)).length > 0;
  const ended = { release, policy: sealedPolicy(), seconds, again, reported, operatorRuns };
  for (const line of endingLines(conclusion, ended)) world.say(...line);
  return { ok: conclusion.farewell !== undefined };
}

/** Everything before the first change of an object: a refusal leaves no trace. Undefined when refused. */
async function begin(world: World, settings: Settings, read: Reader): Promise<Mark | undefined> {
  const { release, clusterWide, crdsGo, revision, chart } = settings;
  const { connection, clock, signal } = world;
  const before = parseState(await read.get(ConfigMap, stateRef(release), signal));
  // A person may have asked for Retain, before or after an earlier mark: then the key does not matter.
  const relaxed =
    (before.phase === "Open" && before.wish === "Retain") || ("policy" in before && before.policy === "Retain");
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
    clock,
    signal,
  };
  const refusal = await preflight(work);
  if (refusal !== undefined) {
    world.say("refused", `${refusal.reason}. Nothing was changed`);
    for (const remedy of refusal.remedies) world.say("remedy", remedy);
    return undefined;
  }
  const wanted: Mark = { policy, driver: "hook", by: settings.identity, since: clock.date().toISOString() };
  const running = await podsOfRelease(read, release, signal);
  return await mark(connection, read, release, wanted, running.length > 0 ? "create" : "skip", signal);
}

/** Where calls to ngrok are limited, what they will take is said first. Returns how many objects there are then. */
async function foretold(
  world: World,
  { release, clusterWide, callsPerMinute }: Settings,
  read: Reader,
  policy: DrainPolicy,
  leftMs: number,
): Promise<number | undefined> {
  if (callsPerMinute === undefined || policy !== "Delete") return undefined;
  const counted = await estimate(read, { release, clusterWide }, callsPerMinute, world.signal);
  world.say("plan", estimateText(counted, leftMs));
  return counted.objects;
}

/** A line each half minute, and what the first pass came to when the second begins. */
function progressLines(world: World): (event: DrainEvent, report: Report) => void {
  const { clock } = world;
  let last = clock.now();
  return (event, report) => {
    if (event.is === "pass" && event.n === 2)
      world.say("drained", `${report.done} objects: ${countsOf(report.byKind)}`);
    if (clock.now() - last < PROGRESS_EVERY_MS) return;
    last = clock.now();
    const waiting = event.is === "waiting" ? `, waiting ${Math.ceil(event.ms / 1000)}s: ${event.why}` : "";
    world.say("progress", `${report.done} of ${report.total}${waiting}`);
  };
}
