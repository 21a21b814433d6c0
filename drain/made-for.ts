// Whether what was found at ngrok, and nobody records, can have been made for an object. Pure.
import type { ObjectMeta } from "#kube/kind.ts";

/** The clocks of ngrok and of a cluster's API server are hardly as far apart. */
const CLOCKS_MS = 3_600_000;

/**
 * What is older than the object was not made for it: another cluster, of the same URL and words, has made it. Where ngrok does
 * not say how old it is, it may be.
 */
export function mayBeMadeFor(
  { creationTimestamp = "" }: Pick<ObjectMeta, "creationTimestamp">,
  { createdAt = "" }: { readonly createdAt?: string | undefined },
): boolean {
  // One that is not said is no number, and nothing is less than that.
  return !(Date.parse(createdAt) + CLOCKS_MS < Date.parse(creationTimestamp));
}
