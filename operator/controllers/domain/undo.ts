// A Domain that goes while the operator works: which other Domains may stand for its reservation is known from the watch,
// where that shows the whole cluster.
import { Domain } from "#api/domain.ts";
import type { Release } from "#api/release.ts";
import type { Reservation, SeenDomain, Undone } from "#drain/hands.ts";
import { undoDomain } from "#drain/undo/domain.ts";
import type { KubeObject } from "#kube/kind.ts";
import { BY_HOST } from "../../endpoint/domain.ts";
import type { CleanupHands } from "../../runtime/define-controller.ts";

export const BY_ID = "id";

export async function undoSharedDomain(
  object: KubeObject,
  hands: CleanupHands,
  release: Release,
  signal: AbortSignal,
): Promise<Undone> {
  const domainsAt = async (at: Reservation): Promise<readonly SeenDomain[]> => await seenAt(at, hands, release, signal);
  return await undoDomain(object, { ...hands, domainsAt }, release, signal);
}

async function seenAt(
  { id, host }: Reservation,
  { cached, clusterWide, read }: CleanupHands,
  { watchNamespace }: Release,
  signal: AbortSignal,
): Promise<readonly SeenDomain[]> {
  const watched = [...cached.by(Domain, BY_ID, id), ...(host === undefined ? [] : cached.by(Domain, BY_HOST, host))];
  if (watchNamespace === undefined || !clusterWide) return watched;
  const beside: Domain[] = [];
  for await (const { items } of read.pages(Domain, {}, signal))
    beside.push(...items.filter(({ metadata, status }) => status?.id === id && metadata.namespace !== watchNamespace));
  return [...watched, ...beside];
}
