// Whether an object that is not ours yet may be taken up now. Pure.
import type { KubeObject } from "#kube/kind.ts";
import { Namespace } from "#kube/kinds.ts";
import type { Surroundings } from "./define-controller.ts";

/** After a start Namespaces are listed beside all else: for this long, in milliseconds, their list is waited for. */
const LISTED_WITHIN_MS = 5_000;
const LOOK_AGAIN_MS = 250;
/** A namespace of the same name may be made anew. */
const GOING_AGAIN_MS = 10_000;

/**
 * Milliseconds until it is looked at again, where its namespace is on its way out: the object goes with it, and what is made
 * at ngrok for it would be unmade at once. Undefined: it may be taken up. Only what is watched anyway is asked, so
 * without a watch over Namespaces (no Gateway API, no bindings, no cluster rights) nothing is known, and nothing waits.
 * @param metForMs how long ago this hold of the Lease first came to the object.
 */
export function adoptionWaits(
  { metadata: { namespace } }: KubeObject,
  { cached, clusterWide }: Pick<Surroundings, "cached" | "clusterWide">,
  metForMs: number,
): number | undefined {
  if (namespace === undefined || !clusterWide || !cached.has(Namespace)) return undefined;
  if (!cached.isWhole(Namespace)) return metForMs < LISTED_WITHIN_MS ? LOOK_AGAIN_MS : undefined;
  const isGoing = cached.get(Namespace, { name: namespace })?.metadata.deletionTimestamp !== undefined;
  return isGoing ? GOING_AGAIN_MS : undefined;
}
