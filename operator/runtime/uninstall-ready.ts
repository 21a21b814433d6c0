// Keeps the condition UninstallReady while this process leads: from the caches, from what ngrok said of the key, from reviews
// of our own rights once an hour and the quotas of our namespace. Nothing is written unless the answer changes, but for the
// counts of what Delete would take, which are written when they are others and a minute old.
import { isDeepStrictEqual } from "node:util";
import { setConditions } from "#api/conditions.ts";
import { type DrainProgress, KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { Release } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { rows } from "#drain/kinds.ts";
import { missedRights } from "#drain/preflight.ts";
import { drainRights } from "#drain/rbac.ts";
import { type Answer, tallyOf, UNINSTALL_READY, type UninstallFacts, uninstallReadiness } from "#drain/readiness.ts";
import { roomFor } from "#drain/room.ts";
import type { Connection } from "#kube/connection.ts";
import { reader } from "#kube/reader.ts";
import { applyStatus } from "#kube/status.ts";
import type { Clock } from "#wire/clock.ts";
import { isClass, known } from "#wire/errors.ts";
import { Bell } from "./bell.ts";
import { takeDrainBack } from "./cancelled.ts";
import type { Gate } from "./gate.ts";
import type { KeyCheck } from "./key.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Options } from "./options.ts";
import type { Watches } from "./watches.ts";

/** The condition's own, so that neither the controller's status nor the drain's takes it away. */
const FIELD_MANAGER = "ngrok-operator-uninstall-ready";
/** However much changes, it is reckoned no more often than this. */
const EVERY_MS = 5_000;
/** Rights that are there are asked for again after the first, rights that are not after the second. */
const RIGHTS_AGAIN_MS = 3_600_000;
const RIGHTS_SOON_MS = 60_000;
/** Quotas change with whatever else starts in the namespace. */
const ROOM_AGAIN_MS = 300_000;
const ROOM_SOON_MS = 60_000;
const COUNTS_AGAIN_MS = 60_000;
/** Beside the work of a start, which they must not hold up. */
const REVIEWS_AT_ONCE = 2;

export interface UninstallReadyParts {
  readonly connection: Connection;
  readonly watches: Watches;
  readonly gate: Gate;
  readonly key: KeyCheck;
  readonly release: Release;
  readonly options: Options;
  readonly clusterWide: boolean;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Runs until the signal. A process that does not look after the KubernetesOperator has nothing to say. */
export async function keepUninstallReady(parts: UninstallReadyParts, signal: AbortSignal): Promise<void> {
  const { watches, gate, key, clock, metrics } = parts;
  if (!watches.cache.has(KubernetesOperator)) return;
  const bell = new Bell();
  const ring = (): void => bell.ring();
  const kinds = watchedRows(watches);
  const stores = [KubernetesOperator, ...kinds.map(({ kind }) => kind)].map((kind) => watches.cache.store(kind));
  const ends = [...stores.map((store) => store.onChange(ring)), gate.onChange(ring), key.onChange(ring)];
  try {
    await watches.ready([KubernetesOperator, ...kinds.map(({ kind }) => kind)], signal);
    const rights = askedAgain(clock, askRights, RIGHTS_AGAIN_MS, RIGHTS_SOON_MS);
    const room = askedAgain(clock, askRoom, ROOM_AGAIN_MS, ROOM_SOON_MS);
    let countAt = 0;
    for (;;) {
      const seen = bell.rings;
      const answers = { rights: await rights.now(parts, signal), room: await room.now(parts, signal) };
      if (gate.open) await takeDrainBack(parts, signal);
      const done = await show(parts, answers, countAt, signal);
      if (done === "written") countAt = clock.now() + COUNTS_AGAIN_MS;
      if (done === "uncounted") countAt = clock.now() + RIGHTS_AGAIN_MS;
      await clock.sleep(EVERY_MS, signal);
      const next = Math.min(rights.at(), room.at(), done === "later" ? countAt : Infinity);
      await bell.wait(seen, Math.max(0, next - clock.now()), clock, signal);
      signal.throwIfAborted();
    }
  } finally {
    for (const end of ends) end();
    metrics.uninstallReady(undefined);
  }
}

function watchedRows({ cache }: Watches) {
  return rows.filter(({ kind }) => cache.has(kind));
}

type Ask = (parts: UninstallReadyParts, signal: AbortSignal) => Promise<Answer>;

/** The last answer, asked for anew when its time is over: after `yes` milliseconds where it was yes, else after `otherwise`. */
function askedAgain(clock: Clock, ask: Ask, yes: number, otherwise: number): { now: Ask; at(): number } {
  let last: Answer | undefined;
  let at = 0;
  return {
    at: () => at,
    async now(parts, signal) {
      if (last !== undefined && clock.now() < at) return last;
      last = await ask(parts, signal);
      at = clock.now() + (last.is === "yes" ? yes : otherwise);
      return last;
    },
  };
}

async function askRoom({ connection, release, options }: UninstallReadyParts, signal: AbortSignal): Promise<Answer> {
  const { pod } = options.uninstall;
  if (pod === undefined) return { is: "yes" };
  try {
    const [first, ...others] = await roomFor(reader(connection), release, pod, signal);
    if (first === undefined) return { is: "yes" };
    const more = others.length > 0 ? ` (and ${others.length} more)` : "";
    return { is: "no", why: `${first.reason}${more}; ${first.remedy}` };
  } catch (error) {
    signal.throwIfAborted();
    return { is: "unknown", why: `the API server did not say what room the namespace has: ${known(error).message}` };
  }
}

async function askRights(
  { connection, release, clusterWide }: UninstallReadyParts,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const read = reader(connection);
    const work = { connection, read, release, rights: drainRights, clusterWide, signal };
    const missing = await missedRights(work, REVIEWS_AT_ONCE);
    const [first] = missing;
    if (first === undefined) return { is: "yes" };
    const more = missing.length > 1 ? ` (and ${missing.length - 1} more)` : "";
    return { is: "no", why: `the operator's ServiceAccount may not ${first.text}${more}` };
  } catch (error) {
    signal.throwIfAborted();
    return { is: "unknown", why: `the API server did not say what the operator may do: ${known(error).message}` };
  }
}

interface Answers {
  readonly rights: Answer;
  readonly room: Answer;
}

/** later: the counts are others than the status says, and it is not `countAt` yet. uncounted: the CRD takes no counts. */
type Shown = "written" | "uncounted" | "later" | "nothing new";

async function show(
  parts: UninstallReadyParts,
  answers: Answers,
  countAt: number,
  signal: AbortSignal,
): Promise<Shown> {
  const { connection, watches, gate, release, clock, metrics, log } = parts;
  const store = watches.cache.store(KubernetesOperator);
  const operator = store.get({ name: release.name, namespace: release.namespace });
  if (operator === undefined || operator.metadata.deletionTimestamp !== undefined || !gate.open) {
    return "nothing new";
  }
  const facts = await factsOf(parts, answers, Boolean(operator.status?.id), signal);
  // Counting lets others have their turn, the mark of a drain among them.
  if (!gate.open) return "nothing new";
  const found = uninstallReadiness(facts);
  metrics.uninstallReady({ reason: found.reason, status: found.status });
  const before = operator.status?.conditions ?? [];
  const at = `${clock.date().toISOString().slice(0, 19)}Z`;
  const after = setConditions(before, [found], { at });
  const { underDelete } = facts.tally;
  const drain = wishToShow(gate);
  if (after === before && showsWish(operator, drain !== undefined) === (drain !== undefined)) {
    if (isDeepStrictEqual(operator.status?.underDelete, underDelete)) return "nothing new";
    if (clock.now() < countAt) return "later";
  }
  const conditions = after.filter(({ type }) => type === UNINSTALL_READY);
  try {
    const ref = { name: release.name, namespace: release.namespace, uid: operator.metadata.uid };
    const say = async (status: object): Promise<void> =>
      store.put(await applyStatus(connection, KubernetesOperator, ref, status, FIELD_MANAGER, signal));
    const shown = await say({ conditions, underDelete, drain }).then(
      () => "written" as const,
      async (error: unknown) => {
        // A CRD of before the counts refuses them (with 500): `installCRDs=false`, and its owner has not upgraded yet.
        if (!known(error).message.includes("field not declared in schema")) throw error;
        await say({ conditions, drain });
        return "uncounted" as const;
      },
    );
    if (after !== before) log.info({ is: found.status, reason: found.reason, why: found.message }, "UninstallReady");
    return shown;
  } catch (error) {
    signal.throwIfAborted();
    // The next change, or the next minute, tells it again.
    if (!isClass(error, "gone", "conflict"))
      log.warn({ err: known(error).message }, "cannot show whether an uninstall is ready");
    return "nothing new";
  }
}

/**
 * Retain that a person has asked for in the drain state, for a cleanup that finds no drain state any more (toldRetain). Counts of
 * nothing and no phase: no drain has begun.
 */
function wishToShow({ state }: Gate): DrainProgress | undefined {
  if (state.phase !== "Open" || state.wish === undefined) return undefined;
  return { drainedResources: 0, failedResources: 0, totalResources: 0, policy: state.wish };
}

/** Whether it shows one. What a drain has shown says its phase; where that was Retain too, no more need be said. */
function showsWish({ status }: KubernetesOperator, wished: boolean): boolean {
  const { policy, phase } = status?.drain ?? {};
  return policy === "Retain" && (wished || phase === undefined);
}

async function factsOf(
  { watches, gate, key, release, options }: UninstallReadyParts,
  answers: Answers,
  registered: boolean,
  signal: AbortSignal,
): Promise<UninstallFacts> {
  const kinds = watchedRows(watches).map((row) => ({ row, objects: watches.cache.store(row.kind).values() }));
  const wish = gate.state.phase === "Open" ? gate.state.wish : undefined;
  const policy: DrainPolicy = wish === "Retain" ? "Retain" : options.drainPolicy;
  const tally = await tallyOf(kinds, release, signal);
  return { release, policy, ...options.uninstall, registered, tally, key: key.standing, ...answers };
}
