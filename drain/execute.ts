// Does the steps of a plan, in parallel under one limit, and tells what became of each, and at once what the planning itself
// has to tell. A step that fails keeps its finalizer; the next pass meets the object again.
import { claimOf, gatewayClassClaimOf, type OwnClaim } from "#api/keys.ts";
import type { Release } from "#api/release.ts";
import { type KubeObject, targetOf } from "#kube/kind.ts";
import { GatewayClass } from "#kube/kinds.ts";
import { FenceLost, known, KnownError } from "#wire/errors.ts";
import type { DrainEvent } from "./events.ts";
import { type Hands, ngrokRefuses, type Undone } from "./hands.ts";
import type { Row } from "./kinds.ts";
import { lookAgain } from "./look-again.ts";
import type { Step } from "./plan.ts";

/** Steps in flight at once, most of which wait for ngrok under Delete; how many are with the API server is the pace's. */
export const PARALLEL = 32;

/** The step for an object as it is now; undefined when it carries nothing of ours. */
export type Replan = (row: Row, object: KubeObject) => Step | undefined;

/**
 * Runs the steps of `source` through the hands, PARALLEL at a time, and yields an event for each as it ends; events of
 * `source` go out as they are. FenceLost and an aborted signal end the run by an exception, after an event for each step
 * that was at work; everything else is an event.
 */
export async function* execute(
  source: AsyncIterator<Step | DrainEvent>,
  hands: Hands,
  release: Release,
  replan: Replan,
  signal: AbortSignal,
): AsyncGenerator<DrainEvent> {
  const ready: DrainEvent[] = [];
  let wake = () => {};
  let failure: Error | undefined;
  let running = 0;
  const tell = (event: DrainEvent): void => {
    ready.push(event);
    wake();
  };
  const work: Work = { hands, release, replan, refused: {}, signal };
  const worker = async (): Promise<void> => {
    for (let next = await source.next(); next.done !== true && failure === undefined; next = await source.next()) {
      if ("is" in next.value) tell(next.value);
      else await perform(next.value, work, tell);
    }
  };
  const start = () => {
    running += 1;
    worker()
      .catch((error: unknown) => {
        failure ??= error instanceof Error ? error : new Error(String(error));
      })
      .finally(() => {
        running -= 1;
        wake();
      });
  };
  for (let n = 0; n < PARALLEL; n += 1) start();
  for (;;) {
    const batch = ready.splice(0);
    for (const event of batch) yield event;
    // While those were taken others may have ended: nothing that was done goes untold.
    if (ready.length > 0) continue;
    if (running === 0 && failure !== undefined) throw failure;
    if (running === 0) return;
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
}

/** Once ngrok has refused the key, no other step asks again in this pass: 2,000 objects would get 2,000 refusals. */
interface Refusals {
  ngrok?: KnownError;
}

interface Work {
  readonly hands: Hands;
  readonly release: Release;
  readonly replan: Replan;
  readonly refused: Refusals;
  readonly signal: AbortSignal;
}

async function perform(planned: Step, work: Work, tell: (event: DrainEvent) => void): Promise<void> {
  if (planned.act === "contested") return tell({ is: "failed", step: planned, error: contested(planned) });
  let step = planned;
  try {
    step = await begun(planned, work);
    if (step.act === "leave") return tell({ is: "left", step });
    tell({ is: "did", step, undone: await act(step, work) });
  } catch (error) {
    if (!(error instanceof FenceLost) && !work.signal.aborted) return tell({ is: "failed", step, error: known(error) });
    if (step.act !== "leave") tell({ is: "stopped", step });
    throw error;
  }
}

/** So often an object that has changed is decided about anew; one that changes all the time is then known by its uid alone. */
const LOOKS = 3;

/**
 * What is to be done with the object as it is now, for since it was listed somebody may have set its reclaimPolicy or given
 * it to another install, and what is unmade stays unmade. Its DELETE is sent, for the version that was decided about: from
 * then on the API server refuses new finalizers, so nobody can hold on to it again. Where there is none to send, it is
 * looked at once more.
 */
async function begun(planned: Step, work: Work): Promise<Step> {
  const { hands, signal } = work;
  let step = planned;
  for (let looks = 0; step.act === "delete" || step.act === "undo"; looks += 1) {
    const { row, object, deleting } = step.at;
    if (step.act === "delete" && !deleting) {
      const version = looks < LOOKS ? object.metadata.resourceVersion : undefined;
      if ((await hands.write.remove(targetOf(row.kind, object), signal, version)) !== "changed") return step;
    } else if (looks > 0 || row.undo === undefined || refusalOf(row, work) !== undefined) return step;
    const now = await lookAgain(row.kind, object.metadata, hands.read, signal);
    if (now === undefined) return step;
    step = work.replan(row, now) ?? lost();
  }
  return step;
}

/** Somebody else has taken our finalizer off: whether anything is left of it the next pass tells. */
function lost(): never {
  throw new KnownError("conflict", "it has lost our finalizer since it was listed");
}

async function act(step: Step, work: Work): Promise<Undone | undefined> {
  const { hands, release, signal } = work;
  const { row, object } = step.at;
  const undone = step.act === "free" ? undefined : await undo(row, step, work);
  await hands.write.removeFinalizer(targetOf(row.kind, object), claimFor(row, object, release), step.stamp, signal);
  return undone;
}

async function undo(row: Row, step: Step, work: Work): Promise<Undone | undefined> {
  const { hands, release, signal } = work;
  if (row.undo === undefined) return undefined;
  const refusal = refusalOf(row, work);
  if (refusal !== undefined) throw refusal;
  try {
    return await row.undo(step.at.object, hands, release, signal);
  } catch (error) {
    if (ngrokRefuses(error)) work.refused.ngrok = error;
    throw error;
  }
}

function refusalOf(row: Row, { refused }: Work): KnownError | undefined {
  return row.undoneHere === true ? undefined : refused.ngrok;
}

function contested({ why }: Step): KnownError {
  return new KnownError("invalid", why, {
    hint: "stop who writes it, a GitOps tool for instance, then run the same command again",
  });
}

function claimFor(row: Row, object: KubeObject, release: Release): OwnClaim {
  if (row.kind.plural !== GatewayClass.plural) return claimOf(release);
  const claim = gatewayClassClaimOf(release);
  // The last install of the cluster lets a class go, also one that another has stamped which is gone.
  return { ...claim, owner: object.metadata.annotations?.[claim.stamp] ?? claim.owner };
}
