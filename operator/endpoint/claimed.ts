// Whether an object of a user's carries our claim: what makes it ours to let go of, whatever it asks for now. Pure.
import { claimOf, DRAIN_OWNER, hasAnyControllerLabel, hasControllerLabels } from "#api/keys.ts";
import { ownerOf, type Release } from "#api/release.ts";
import type { KubeObject } from "#kube/kind.ts";
import type { Surroundings } from "../runtime/define-controller.ts";

/**
 * Our finalizer is on it, with our stamp. Without any stamp it may be another install's of the time before stamps: only one
 * that is being deleted counts, since whoever held it has to let it go.
 */
export function isClaimed(object: KubeObject, release: Release): boolean {
  const owner = object.metadata.annotations?.[claimOf(release).stamp];
  const isOurs = owner === ownerOf(release) || (owner === undefined && object.metadata.deletionTimestamp !== undefined);
  return isOurs && isHeld(object, release);
}

/** A finalizer of ours is on it, whichever install's. */
export function isHeld({ metadata }: KubeObject, release: Release): boolean {
  const { finalizers } = claimOf(release);
  return metadata.finalizers?.some((one) => finalizers.includes(one)) === true;
}

/**
 * What another install's controller has generated is that install's, also in the moment before its stamp is on: whoever
 * stamped it meanwhile would make its own object a stranger's to it.
 */
export function isGeneratedElsewhere(
  { metadata: { annotations, labels } }: KubeObject,
  { release, options }: Pick<Surroundings, "release" | "options">,
): boolean {
  if (annotations?.[DRAIN_OWNER] !== undefined || !hasAnyControllerLabel(labels)) return false;
  // The second is what the agents of older releases called themselves.
  const names = [options.managerName, `${release.fullname}-agent-manager`];
  return !names.some((name) => hasControllerLabels(labels, release.namespace, name));
}
