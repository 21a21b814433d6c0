// Whether an object of a user's carries our claim: what makes it ours to let go of, whatever it asks for now. Pure.
import { claimOf } from "#api/keys.ts";
import { ownerOf, type Release } from "#api/release.ts";
import type { KubeObject } from "#kube/kind.ts";

/** Our finalizer is on it, and no other install's stamp. */
export function isClaimed({ metadata }: KubeObject, release: Release): boolean {
  const { finalizers, stamp } = claimOf(release);
  const isHeld = metadata.finalizers?.some((one) => finalizers.includes(one)) === true;
  return isHeld && (metadata.annotations?.[stamp] ?? ownerOf(release)) === ownerOf(release);
}
