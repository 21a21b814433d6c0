// The engine: pass after pass of inventory, plan and execution until one pass finds nothing. The pass that finds nothing
// is the proof: it listed every kind, consistently, past every cache.
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { Release } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { type Backoff, waitInLoop } from "#wire/backoff.ts";
import type { KnownError } from "#wire/errors.ts";
import { RBAC_SETTLES_MS } from "./budget.ts";
import type { DrainEvent } from "./events.ts";
import { execute, type Replan } from "./execute.ts";
import { type Hands, ngrokRefuses } from "./hands.ts";
import { inventory, surroundingsOf } from "./inventory.ts";
import { type Row, waves } from "./kinds.ts";
import { nameOf } from "./names.ts";
import { isOurs, type Surroundings } from "./ours.ts";
import { Pace, paced } from "./pace.ts";
import { find, type Found, plan, type Step } from "./plan.ts";
import { recordedEndpoints, standingDomains } from "./standing.ts";

export interface Drive {
  readonly hands: Hands;
  readonly release: Release;
  /** false with `rbac.cluster=false`. */
  readonly clusterWide: boolean;
  /** Asked for every object: a relaxation to Retain acts in mid-run. */
  policy(): DrainPolicy;
  /** Milliseconds for the passes; when they are over the run pauses, it does not fail. */
  readonly budgetMs: number;
  readonly signal: AbortSignal;
}

/** clean: a whole pass found nothing. blocked: trying again changes nothing. paused: time is over, the rest is left. */
export type Ending = "clean" | "blocked" | "paused";

/** Drains until the ending; what happened is in the events. FenceLost and an aborted `signal` are thrown. */
export async function* drive(work: Drive): AsyncGenerator<DrainEvent, Ending> {
  const { clock } = work.hands;
  const began = clock.now();
  using over = timeIsOver(work);
  const hands = { ...work.hands, write: paced(work.hands.write, new Pace(clock)) };
  const again = new Map<string, number>();
  let pass: Pass | undefined;
  for (let n = 1; ; n += 1) {
    yield { is: "pass", n };
    pass = newPass(n, again, pass);
    try {
      yield* onePass({ ...work, hands }, pass, over.signal);
    } catch (error) {
      if (over.signal.aborted && !work.signal.aborted && !work.hands.fence.signal.aborted) return "paused";
      throw error;
    }
    const errors = [...pass.errors.values()];
    if (pass.steps === 0 && errors.length === 0) return "clean";
    const settling = clock.now() - began < RBAC_SETTLES_MS;
    if (pass.done === 0 && errors.length > 0 && errors.every((error) => isFinal(error, settling))) return "blocked";
    if (errors.length === 0) continue;
    const ms = waitOf(errors, n);
    if (clock.now() - began + ms >= work.budgetMs) return "paused";
    yield { is: "waiting", ms, why: errors[0]?.message ?? "" };
    try {
      await clock.sleep(ms, over.signal);
    } catch (error) {
      if (work.signal.aborted || work.hands.fence.signal.aborted) throw error;
      return "paused";
    }
  }
}

interface Pass {
  readonly n: number;
  steps: number;
  done: number;
  /** One of each sort: 50,000 objects that all fail would else be 50,000 errors in memory. */
  readonly errors: Map<string, KnownError>;
  /** How often each object came back, over all passes; by name, since who makes it anew gives it another uid. */
  readonly again: Map<string, number>;
  /** The names that failed in this pass, and in the one before: who was never freed cannot come back. */
  readonly failed: Set<string>;
  readonly failedBefore: ReadonlySet<string>;
}

function newPass(n: number, again: Map<string, number>, before: Pass | undefined): Pass {
  const failedBefore = before?.failed ?? new Set<string>();
  return { n, steps: 0, done: 0, errors: new Map(), again, failed: new Set(), failedBefore };
}

async function* onePass(work: Drive, pass: Pass, signal: AbortSignal): AsyncGenerator<DrainEvent> {
  const surroundings = await surroundingsOf(work.hands.read, work, signal);
  // Where others may be seen, not to have seen them is no answer: what has no stamp would be left, and called done.
  if (surroundings.problem !== undefined) {
    note(pass, surroundings.problem);
    yield { is: "unknown", row: { kind: KubernetesOperator }, error: surroundings.problem };
  }
  const { read } = work.hands;
  const domainsAt = standingDomains(read, work, surroundings);
  const hands = { ...work.hands, domainsAt, recordsEndpoint: recordedEndpoints(read, work) };
  const replan: Replan = (row, object) =>
    find(row, [object], surroundings).map((found) => plan(found, work.policy()))[0];
  for (const wave of waves) {
    const source = stepsOf(work, wave, surroundings, pass, signal);
    for await (const event of execute(source, hands, work.release, replan, signal)) {
      yield event;
      if (event.is === "did") pass.done += 1;
      if (event.is === "failed" || event.is === "unknown") note(pass, event.error);
      if (event.is === "failed") pass.failed.add(keyOf(event.step.at));
      if (event.is === "did" || event.is === "failed") pass.steps += 1;
    }
  }
}

/** Of errors that mean the same for the run, the one that wants the longest wait. */
function note({ errors }: Pass, error: KnownError): void {
  const sort = `${error.class} ${error.status} ${error.code}`;
  const held = errors.get(sort);
  if (held === undefined || (error.retryAfterMs ?? 0) > (held.retryAfterMs ?? 0)) errors.set(sort, error);
}

/** Plans one wave page by page, as the workers ask for more: at most a page is held. What it comes to is told before its steps. */
async function* stepsOf(
  work: Drive,
  wave: readonly Row[],
  surroundings: Surroundings,
  pass: Pass,
  signal: AbortSignal,
): AsyncGenerator<Step | DrainEvent> {
  const scope = { release: work.release, clusterWide: work.clusterWide };
  for await (const page of inventory(work.hands.read, wave, scope, surroundings, signal)) {
    if ("unknown" in page) {
      yield { is: "unknown", row: page.row, error: page.unknown };
      continue;
    }
    const ours = page.found.filter((found) => isOurs(found.whose)).length;
    if (ours > 0) yield { is: "planned", row: page.row, steps: ours };
    // Planned one by one, as a worker asks: a policy that is relaxed meanwhile holds from the next object on.
    for (const found of page.found) yield settled(plan(found, work.policy()), pass);
  }
}

/** How often one object may come back with our finalizer before it is somebody's doing and not a race. */
const COMES_BACK = 3;

/** Who puts our finalizer back again and again is named, and the run stops over it: neither an endless drain nor a success. */
function settled(step: Step, pass: Pass): Step {
  if (pass.n === 1 || step.act === "leave") return step;
  const key = keyOf(step.at);
  const times = (pass.again.get(key) ?? 0) + (pass.failedBefore.has(key) ? 0 : 1);
  pass.again.set(key, times);
  if (times < COMES_BACK) return step;
  const manager = step.at.object.metadata.managedFields?.findLast(hasWrittenFinalizers)?.manager;
  return {
    ...step,
    act: "contested",
    why: `the finalizer came back ${times} times, written by ${manager ?? "somebody"}`,
  };
}

/** Looks there alone: what else the API server notes of an object is as deep as that may be. */
function hasWrittenFinalizers({ fieldsV1 }: { readonly fieldsV1?: unknown }): boolean {
  const { "f:metadata": metadata } = (fieldsV1 ?? {}) as { readonly "f:metadata"?: object };
  return metadata !== undefined && "f:finalizers" in metadata;
}

function keyOf({ row, object }: Found): string {
  return nameOf(row, object);
}

/** Class invalid stays as it is until a person acts; a 403 may be RBAC that has not arrived yet. */
function isFinal(error: KnownError, settling: boolean): boolean {
  return error.class === "invalid" && !(settling && error.status === 403 && !ngrokRefuses(error));
}

/** Between passes; a 403 that may settle waits the cap. */
const BETWEEN_PASSES: Backoff = { baseMs: 250, capMs: 5_000 };

/** The longest that any of them asks for: who must wait for ngrok's Retry-After gains nothing by coming earlier. */
function waitOf(errors: readonly KnownError[], n: number): number {
  return errors.reduce((longest, error) => Math.max(longest, waitInLoop(error, n - 1, BETWEEN_PASSES, Math.random)), 0);
}

/** A signal that ends with the run's own, with the fence, or with the budget. */
function timeIsOver({ hands, signal, budgetMs }: Drive): Disposable & { readonly signal: AbortSignal } {
  const budget = new AbortController();
  hands.clock.sleep(budgetMs, budget.signal).then(
    () => budget.abort(new Error("the time for this run is over")),
    () => {},
  );
  return {
    signal: AbortSignal.any([signal, hands.fence.signal, budget.signal]),
    [Symbol.dispose]: () => budget.abort(new Error("the run has ended")),
  };
}
