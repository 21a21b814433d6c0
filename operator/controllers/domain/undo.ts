// A Domain that goes while the operator works: which other Domains may stand for its reservation, those that record it and
// those of its host that are watched.
import { Domain } from "#api/domain.ts";
import type { Release } from "#api/release.ts";
import type { Reservation, SeenDomain, Undone } from "#drain/hands.ts";
import { undoDomain } from "#drain/undo/domain.ts";
import type { KubeObject } from "#kube/kind.ts";
import { BY_HOST } from "../../endpoint/domain.ts";
import { recordersOf } from "../../endpoint/recorded.ts";
import type { CleanupHands } from "../../runtime/define-controller.ts";

export async function undoSharedDomain(
  object: KubeObject,
  hands: CleanupHands,
  release: Release,
  signal: AbortSignal,
): Promise<Undone> {
  const domainsAt = async ({ id, host }: Reservation): Promise<readonly SeenDomain[]> => [
    ...(await recordersOf(Domain, id, hands, release, signal)),
    ...(host === undefined ? [] : hands.cached.by(Domain, BY_HOST, host)),
  ];
  return await undoDomain(object, { ...hands, domainsAt }, release, signal);
}
