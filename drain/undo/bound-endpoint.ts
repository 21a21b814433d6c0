// What we made for a BoundEndpoint: two Services in the cluster, nothing at ngrok. Only Services that carry our binding
// labels for this very endpoint go; a user's Service of the same name stays.
import { isBoundFor } from "#api/binding.ts";
import type { BoundEndpoint, BoundEndpointStatus } from "#api/bound-endpoint.ts";
import type { Release } from "#api/release.ts";
import { keyOf, type KubeObject, type Ref } from "#kube/kind.ts";
import { Service } from "#kube/kinds.ts";
import { isClass } from "#wire/errors.ts";
import type { Undone, UndoHands } from "../hands.ts";

/** A schema that was looser once may have stored an object without a target. */
type Stored = KubeObject & {
  readonly spec?: { readonly target?: Partial<BoundEndpoint["spec"]["target"]> };
  readonly status?: Pick<BoundEndpointStatus, "targetServiceRef" | "upstreamServiceRef">;
};

export async function undoBoundEndpoint(
  object: KubeObject,
  hands: UndoHands,
  _release: Release,
  signal: AbortSignal,
): Promise<Undone> {
  for (const at of servicesOf(object)) await removeIfOurs(at, object, hands, signal);
  return { remote: "none" };
}

/** Where its Services stand: as the spec has it now, and as the status says that they were made for an earlier spec. */
function servicesOf({ spec, status, metadata: { name, namespace } }: Stored): readonly Ref[] {
  const { targetServiceRef, upstreamServiceRef } = status ?? {};
  const places: { name?: string | undefined; namespace?: string | undefined }[] = [
    { namespace, name },
    { namespace: spec?.target?.namespace, name: spec?.target?.service },
    { namespace, name: upstreamServiceRef?.name },
    { namespace: targetServiceRef?.namespace ?? namespace, name: targetServiceRef?.name },
  ];
  const whole = places.flatMap((at) => (at.name && at.namespace ? [{ name: at.name, namespace: at.namespace }] : []));
  return [...new Map(whole.map((at) => [keyOf(at), at])).values()];
}

async function removeIfOurs(at: Ref, owner: Stored, hands: UndoHands, signal: AbortSignal): Promise<void> {
  const service = await hands.read.get(Service, at, signal).catch((error: unknown) => {
    if (isOutOfReach(at, owner, error)) return undefined;
    throw error;
  });
  if (service === undefined || !isBoundFor(service.metadata.labels, owner.metadata)) return;
  await hands.write.remove({ kind: Service, ref: at, uid: service.metadata.uid ?? "" }, signal);
}

/** Where we may not even look we made nothing, unless the status tells of a Service from a time with more rights. */
function isOutOfReach(at: Ref, { metadata, status }: Stored, error: unknown): boolean {
  if (!isClass(error, "invalid") || error.code !== "Forbidden" || at.namespace === metadata.namespace) return false;
  const { name, namespace } = status?.targetServiceRef ?? {};
  return name !== at.name || namespace !== at.namespace;
}
