// Keeps the condition UninstallReady while this process leads: from the caches, from what ngrok said of the key, and from
// reviews of our own rights once an hour. Nothing is listed for it, and nothing is written unless the answer changes.
import { setConditions } from "#api/conditions.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { Release } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { rows } from "#drain/kinds.ts";
import { questionsOf } from "#drain/questions.ts";
import { drainRights } from "#drain/rbac.ts";
import { type Answer, tallyOf, UNINSTALL_READY, uninstallReadiness } from "#drain/readiness.ts";
import { missingRights } from "#kube/access.ts";
import type { Connection } from "#kube/connection.ts";
import { applyStatus } from "#kube/status.ts";
import type { Clock } from "#wire/clock.ts";
import { isClass, known } from "#wire/errors.ts";
import { Bell } from "./bell.ts";
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
    let askAt = clock.now();
    let rights: Answer = { is: "unknown", why: "the rights of a drain have not been asked for yet" };
    for (;;) {
      const seen = bell.rings;
      if (clock.now() >= askAt) {
        rights = await askRights(parts, signal);
        askAt = clock.now() + (rights.is === "yes" ? RIGHTS_AGAIN_MS : RIGHTS_SOON_MS);
      }
      await show(parts, rights, signal);
      await clock.sleep(EVERY_MS, signal);
      await bell.wait(seen, Math.max(0, askAt - clock.now()), clock, signal);
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

async function askRights(
  { connection, release, clusterWide }: UninstallReadyParts,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const questions = questionsOf(drainRights, release, clusterWide);
    const missing = await missingRights(connection, questions, signal, REVIEWS_AT_ONCE);
    const [first] = missing;
    if (first === undefined) return { is: "yes" };
    const more = missing.length > 1 ? ` (and ${missing.length - 1} more)` : "";
    return { is: "no", why: `the operator's ServiceAccount may not ${first.text}${more}` };
  } catch (error) {
    signal.throwIfAborted();
    return { is: "unknown", why: `the API server did not say what the operator may do: ${known(error).message}` };
  }
}

async function show(parts: UninstallReadyParts, rights: Answer, signal: AbortSignal): Promise<void> {
  const { connection, watches, gate, release, clock, metrics, log } = parts;
  const store = watches.cache.store(KubernetesOperator);
  const operator = store.get({ name: release.name, namespace: release.namespace });
  if (operator === undefined || operator.metadata.deletionTimestamp !== undefined || !gate.open) return;
  const found = uninstallReadiness(factsOf(parts, rights));
  metrics.uninstallReady({ reason: found.reason, status: found.status });
  const before = operator.status?.conditions ?? [];
  const at = `${clock.date().toISOString().slice(0, 19)}Z`;
  const after = setConditions(before, [found], { at });
  if (after === before) return;
  const conditions = after.filter(({ type }) => type === UNINSTALL_READY);
  try {
    const ref = { name: release.name, namespace: release.namespace, uid: operator.metadata.uid };
    store.put(await applyStatus(connection, KubernetesOperator, ref, { conditions }, FIELD_MANAGER, signal));
    log.info({ is: found.status, reason: found.reason, why: found.message }, "UninstallReady");
  } catch (error) {
    signal.throwIfAborted();
    // The next change, or the next minute, tells it again.
    if (!isClass(error, "gone", "conflict"))
      log.warn({ err: known(error).message }, "cannot show whether an uninstall is ready");
  }
}

function factsOf({ watches, gate, key, release, options }: UninstallReadyParts, rights: Answer) {
  const kinds = watchedRows(watches).map((row) => ({ row, objects: watches.cache.store(row.kind).values() }));
  const wish = gate.state.phase === "Open" ? gate.state.wish : undefined;
  const policy: DrainPolicy = wish === "Retain" ? "Retain" : options.drainPolicy;
  return { release, policy, ...options.uninstall, tally: tallyOf(kinds, release), key: key.standing, rights };
}
