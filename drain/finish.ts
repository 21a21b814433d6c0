// The last step of a drain: the KubernetesOperator, which showed it, is deleted, deregistered at ngrok and let go. Before
// it the state turns Drained, so that no process takes "there is none" for "a new install".
import { claimOf } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { Release } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import type { Target } from "#kube/kind.ts";
import { FenceLost, known, KnownError } from "#wire/errors.ts";
import type { Hands } from "./hands.ts";
import { ngrokOf } from "./hands.ts";
import { relaxCommand } from "./state.ts";

/** What became of the registration at ngrok; where it is "kept", `id` stays there, and `why` tells the reason. */
interface Registration {
  readonly id: string | undefined;
  readonly registration: "deleted" | "gone" | "none" | "kept";
  readonly why?: string;
}

export type Farewell =
  | { readonly is: "absent" }
  | ({ readonly is: "gone" } & Registration)
  /** Ours is off, somebody else's finalizer keeps it: done, as far as it is ours. */
  | ({ readonly is: "held"; readonly by: readonly string[] } & Registration);

/**
 * Deletes the KubernetesOperator, deregisters it (under Retain as well: the registration is the operator's own, not the
 * user's), tells `onDeregistered`, takes our finalizer off. Under Delete a refusal of ngrok is thrown and the finalizer
 * stays; under Retain it is reported.
 */
export async function finish(
  hands: Hands,
  release: Release,
  policy: DrainPolicy,
  onDeregistered: (operator: KubernetesOperator) => Promise<void>,
  signal: AbortSignal,
): Promise<Farewell> {
  const ref = { name: release.name, namespace: release.namespace };
  const operator = await hands.read.get(KubernetesOperator, ref, signal);
  if (operator === undefined) return { is: "absent" };
  const target: Target = { kind: KubernetesOperator, ref, uid: operator.metadata.uid ?? "" };
  if (operator.metadata.deletionTimestamp === undefined) await hands.write.remove(target, signal);
  const registration = await deregister(hands, release, operator.status?.id, policy, signal);
  const claim = claimOf(release);
  const foreign = (operator.metadata.finalizers ?? []).filter((entry) => !claim.finalizers.includes(entry));
  // Only who stays behind needs a last status.
  if (foreign.length > 0) await onDeregistered(operator);
  await hands.write.removeFinalizer(target, claim, "off", signal);
  return foreign.length > 0 ? { is: "held", by: foreign, ...registration } : { is: "gone", ...registration };
}

async function deregister(
  hands: Hands,
  release: Release,
  id: string | undefined,
  policy: DrainPolicy,
  signal: AbortSignal,
): Promise<Registration> {
  if (id === undefined || id === "") return { id: undefined, registration: "none" };
  try {
    return { id, registration: await ngrokOf(hands).operators.remove(id, signal) };
  } catch (error) {
    if (signal.aborted || error instanceof FenceLost) throw error;
    const failure = known(error);
    if (policy === "Delete") throw failure.class === "invalid" ? withWayOut(failure, release) : failure;
    return { id, registration: "kept", why: failure.message };
  }
}

/** What ngrok refuses it refuses the next time too: the person needs to hear of the other policy. */
function withWayOut(failure: KnownError, release: Release): KnownError {
  const keep = `keep what is at ngrok: ${relaxCommand(release)}`;
  const hint = failure.hint === undefined ? keep : `${failure.hint}, or ${keep}`;
  const status = failure.status === undefined ? {} : { status: failure.status };
  return new KnownError(failure.class, failure.message, { ...status, hint });
}
