// Does the steps of a plan, in parallel under one limit, and tells what became of each, and at once what the planning itself
// has to tell. A step that fails keeps its finalizer; the next pass meets the object again.
import { claimOf, gatewayClassClaimOf, type OwnClaim } from "#api/keys.ts";
import type { Release } from "#api/release.ts";
import { type KubeObject, refOf, type Target } from "#kube/kind.ts";
import { GatewayClass } from "#kube/kinds.ts";
import { FenceLost, known, KnownError } from "#wire/errors.ts";
import type { DrainEvent } from "./events.ts";
import { type Hands, ngrokRefuses, type Undone } from "./hands.ts";
import type { Row } from "./kinds.ts";
import type { Step } from "./plan.ts";

/** Steps in flight at once, most of which wait for ngrok under Delete; how many are with the API server is the pace's. */
export const PARALLEL = 32;

/**
 * Runs the steps of `source` through the hands, PARALLEL at a time, and yields an event for each as it ends; events of
 * `source` go out as they are. FenceLost and an aborted signal end the run by an exception; everything else is an event.
 */
export async function* execute(
  source: AsyncIterator<Step | DrainEvent>,
  hands: Hands,
  release: Release,
  signal: AbortSignal,
): AsyncGenerator<DrainEvent> {
  const ready: DrainEvent[] = [];
  let wake = () => {};
  let failure: Error | undefined;
  let running = 0;
  const refused: Refusals = {};
  const worker = async (): Promise<void> => {
    for (let next = await source.next(); next.done !== true && failure === undefined; next = await source.next()) {
      ready.push("is" in next.value ? next.value : await perform(next.value, hands, release, refused, signal));
      wake();
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
    if (failure !== undefined && running === 0) throw failure;
    if (ready.length > 0) continue;
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

async function perform(
  step: Step,
  hands: Hands,
  release: Release,
  refused: Refusals,
  signal: AbortSignal,
): Promise<DrainEvent> {
  if (step.act === "leave") return { is: "left", step };
  if (step.act === "contested") return { is: "failed", step, error: contested(step) };
  try {
    const undone = await act(step, hands, release, refused, signal);
    return { is: "did", step, undone };
  } catch (error) {
    if (error instanceof FenceLost || signal.aborted) throw error;
    return { is: "failed", step, error: known(error) };
  }
}

async function act(
  step: Step,
  hands: Hands,
  release: Release,
  refused: Refusals,
  signal: AbortSignal,
): Promise<Undone | undefined> {
  const { row, object, deleting } = step.at;
  const target: Target = { kind: row.kind, ref: refOf(object), uid: object.metadata.uid ?? "", seen: object.metadata };
  // From DELETE on the API server refuses new finalizers, so nobody can hold on to the object again.
  if (step.act === "delete" && !deleting) await hands.write.remove(target, signal);
  const undone = step.act === "free" ? undefined : await undo(row, step, hands, release, refused, signal);
  await hands.write.removeFinalizer(target, claimFor(row, object, release), step.stamp, signal);
  return undone;
}

async function undo(
  row: Row,
  step: Step,
  hands: Hands,
  release: Release,
  refused: Refusals,
  signal: AbortSignal,
): Promise<Undone | undefined> {
  if (row.undo === undefined) return undefined;
  if (refused.ngrok !== undefined && row.undoneHere !== true) throw refused.ngrok;
  try {
    return await row.undo(step.at.object, hands, release, signal);
  } catch (error) {
    if (ngrokRefuses(error)) refused.ngrok = error;
    throw error;
  }
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
