// Which objects of a kind record an id of ngrok's: what is there for one is not another's to take over or to take away.
import type { Release } from "#api/release.ts";
import { type Kind, type KubeObject, type ObjectMeta, resourceName } from "#kube/kind.ts";
import type { ListOptions, Reader } from "#kube/reader.ts";
import type { CleanupHands } from "../runtime/define-controller.ts";
import { type Flight, shareNext } from "../runtime/share-next.ts";

/** The index by which an object is found by the id in its status. */
export const BY_ID = "id";

/** As much of an object as tells what it records. */
export interface Recorder {
  readonly metadata: ObjectMeta;
  readonly status?: { readonly id?: string };
}

type ById = ReadonlyMap<string, readonly Recorder[]>;

/** By whoever lists, and what is listed. */
const lists = new WeakMap<Reader, Map<string, Flight<ById>>>();

type Hands = Pick<CleanupHands, "cached" | "clusterWide" | "read">;

/**
 * Those that the watch shows, and where it shows one namespace those beside it too, as far as there are rights: a list that
 * begins after the question, and that all share who ask meanwhile.
 */
export async function recordersOf<T extends KubeObject & Recorder>(
  kind: Kind<T>,
  id: string,
  { cached, clusterWide, read }: Hands,
  { watchNamespace }: Release,
  signal: AbortSignal,
): Promise<readonly Recorder[]> {
  const watched = cached.by(kind, BY_ID, id);
  if (watchNamespace === undefined || !clusterWide) return watched;
  const beside = { fieldSelector: `metadata.namespace!=${watchNamespace}` };
  return [...watched, ...((await listed(kind, beside, read, withoutAccount, signal)).get(id) ?? [])];
}

/**
 * Of what was found at ngrok that which no object records but for the one of this uid: nobody else's to take over, or to take
 * away. What the watch does not show either is asked for past it, by such a list: a watch that is cut off does not know what
 * the leader before, or another install, has written last.
 */
export async function unrecorded<T extends KubeObject & Recorder, R extends { readonly id: string }>(
  kind: Kind<T>,
  found: readonly R[],
  but: string | undefined,
  { cached, clusterWide, read }: Hands,
  { watchNamespace }: Release,
  signal: AbortSignal,
): Promise<readonly R[]> {
  const isFree = (recorders: readonly Recorder[] = []): boolean =>
    recorders.every(({ metadata }) => metadata.uid === but);
  const left = found.filter(({ id }) => isFree(cached.by(kind, BY_ID, id)));
  if (left.length === 0) return [];
  const seen = clusterWide ? {} : { namespace: watchNamespace };
  const byId = await listed(kind, seen, read, uidAlone, signal);
  return left.filter(({ id }) => isFree(byId.get(id)));
}

async function listed<T extends KubeObject & Recorder>(
  kind: Kind<T>,
  options: ListOptions,
  read: Reader,
  keeps: (metadata: ObjectMeta) => ObjectMeta,
  signal: AbortSignal,
): Promise<ById> {
  const flights = lists.get(read) ?? new Map<string, Flight<ById>>();
  lists.set(read, flights);
  const what = `${resourceName(kind)} ${JSON.stringify(options)}`;
  return await shareNext(flights, what, async () => {
    const byId = new Map<string, Recorder[]>();
    for await (const { items } of read.pages(kind, options, signal)) {
      for (const { metadata, status } of items) {
        if (!status?.id) continue;
        const one: Recorder = { metadata: keeps(metadata), status: { id: status.id } };
        byId.set(status.id, [...(byId.get(status.id) ?? []), one]);
      }
    }
    return byId;
  });
}

/** There may be thousands, and managedFields are half of each. */
function withoutAccount(metadata: ObjectMeta): ObjectMeta {
  const { managedFields: _, ...rest } = metadata;
  return rest;
}

function uidAlone({ name, uid = "" }: ObjectMeta): ObjectMeta {
  return { name, uid };
}
