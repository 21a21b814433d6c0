// What we made for an IPPolicy: one policy at ngrok, its rules with it.
import type { IPPolicy } from "#api/ip-policy.ts";
import { metadataText } from "#api/metadata.ts";
import type { Release } from "#api/release.ts";
import type { KubeObject } from "#kube/kind.ts";
import { ngrokOf, type Undone, type UndoHands } from "../hands.ts";

export async function undoIPPolicy(
  object: KubeObject,
  hands: UndoHands,
  _release: Release,
  signal: AbortSignal,
): Promise<Undone> {
  const { spec, status }: Partial<IPPolicy> & KubeObject = object;
  const { ipPolicies } = ngrokOf(hands);
  if (status?.id) return { remote: await ipPolicies.remove(status.id, signal), id: status.id };
  if (spec === undefined) return { remote: "none" };
  // A policy has no key of its own. One whose id was lost is like any other with the same words: it is not guessed at.
  const alike = await ipPolicies.matching(
    { description: spec.description ?? "", metadata: metadataText(spec.metadata) },
    signal,
  );
  if (alike.length === 0) return { remote: "none" };
  return {
    remote: "kept",
    why: `no id was recorded; ${alike.length} policies at ngrok have the same description and metadata`,
  };
}
