// What was made for a LoadBalancer Service is unmade: its endpoints first, then the address that was reserved for it.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import type { Release } from "#api/release.ts";
import type { Undone, UndoHands } from "#drain/hands.ts";
import { undoService } from "#drain/undo/service.ts";
import { keyOf, type KubeObject, refOf, targetOf } from "#kube/kind.ts";
import { KnownError } from "#wire/errors.ts";
import { ownerUids } from "./plan.ts";

/** Throws a conflict while its endpoints are on their way out: an address is released when nothing listens on it. */
export async function undoServiceAndEndpoints(
  service: KubeObject,
  hands: UndoHands,
  release: Release,
  signal: AbortSignal,
): Promise<Undone> {
  let left = 0;
  for (const kind of [CloudEndpoint, AgentEndpoint] as const) {
    for await (const { items } of hands.read.pages<KubeObject>(
      kind,
      { namespace: service.metadata.namespace },
      signal,
    )) {
      for (const one of items.filter((item) => ownerUids(item).includes(service.metadata.uid ?? ""))) {
        // Without a finalizer it is gone with this call.
        if ((one.metadata.finalizers?.length ?? 0) > 0) left += 1;
        if (one.metadata.deletionTimestamp === undefined) await hands.write.remove(targetOf(kind, one), signal);
      }
    }
  }
  if (left > 0) {
    const name = keyOf(refOf(service));
    throw new KnownError("conflict", `Service ${name} waits for ${left} of its endpoints to go`, { code: "Waiting" });
  }
  return await undoService(service, hands, release, signal);
}
