// Which objects of a kind record an id of ngrok's: what is there for one is not another's to take over or to take away.
import type { Release } from "#api/release.ts";
import { type Kind, type KubeObject, type ObjectMeta, resourceName } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";
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

/** By whoever lists, and the kind that is listed. */
const lists = new WeakMap<Reader, Map<string, Flight<ById>>>();

/**
 * Those that the watch shows, and where it shows one namespace those beside it too, as far as there are rights: a list that
 * begins after the question, and that all share who ask meanwhile.
 */
export async function recordersOf<T extends KubeObject & Recorder>(
  kind: Kind<T>,
  id: string,
  { cached, clusterWide, read }: Pick<CleanupHands, "cached" | "clusterWide" | "read">,
  { watchNamespace }: Release,
  signal: AbortSignal,
): Promise<readonly Recorder[]> {
  const watched = cached.by(kind, BY_ID, id);
  if (watchNamespace === undefined || !clusterWide) return watched;
  const flights = lists.get(read) ?? new Map<string, Flight<ById>>();
  lists.set(read, flights);
  const list = async () => await listBeside(kind, read, watchNamespace, signal);
  return [...watched, ...((await shareNext(flights, resourceName(kind), list)).get(id) ?? [])];
}

async function listBeside<T extends KubeObject & Recorder>(
  kind: Kind<T>,
  read: Reader,
  watchNamespace: string,
  signal: AbortSignal,
): Promise<ById> {
  const byId = new Map<string, Recorder[]>();
  const options = { fieldSelector: `metadata.namespace!=${watchNamespace}` };
  for await (const { items } of read.pages(kind, options, signal)) {
    for (const { metadata, status } of items) {
      if (!status?.id) continue;
      // There may be thousands, and managedFields are half of each.
      const { managedFields: _, ...rest } = metadata;
      const one: Recorder = { metadata: rest, status: { id: status.id } };
      byId.set(status.id, [...(byId.get(status.id) ?? []), one]);
    }
  }
  return byId;
}
