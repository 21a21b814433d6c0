// A cache with what the controllers look at in it, that counts what is read from it and hears whom a change wakes.
import { type Kind, keyOf, type KubeObject, type Ref, refOf, resourceName } from "#kube/kind.ts";
import { type AnyIndex, Cache } from "#operator/runtime/cache.ts";
import type { LeaderController } from "#operator/runtime/define-controller.ts";
import { wakeByOthers } from "#operator/runtime/wake.ts";

type Indexes = Readonly<Record<string, AnyIndex<KubeObject>>>;

export class CountingCache extends Cache {
  /** Objects that were handed out. */
  reads = 0;

  override get<T extends KubeObject>(kind: Kind<T>, at: Ref): T | undefined {
    this.reads += 1;
    return super.get(kind, at);
  }

  override by<T extends KubeObject>(kind: Kind<T>, index: string, value: string): readonly T[] {
    const found = super.by(kind, index, value);
    this.reads += found.length;
    return found;
  }

  override *all<T extends KubeObject>(kind: Kind<T>): Iterable<T> {
    for (const one of super.all(kind)) {
      this.reads += 1;
      yield one;
    }
  }
}

/** With a store for each kind that the controllers reconcile or watch, and `objects` in them by their own `kind`. */
export function cacheFor(controllers: readonly LeaderController[], objects: readonly KubeObject[]): CountingCache {
  const cache = new CountingCache();
  const watched = controllers.flatMap((one) => [one, ...(one.watches ?? [])]);
  for (const [, ofKind] of Map.groupBy(watched, ({ kind }) => resourceName(kind))) {
    const indexes = ofKind.reduce<Indexes>((all, one) => ({ ...all, ...one.indexes }), {});
    cache.add(ofKind[0]!.kind, indexes);
  }
  for (const object of objects) put(cache, watched, object);
  return cache;
}

function put(cache: Cache, watched: readonly { readonly kind: Kind }[], object: KubeObject): void {
  const found = watched.find(({ kind }) => kind.kind === object.kind);
  if (found === undefined) throw new Error(`nobody watches ${object.kind}`);
  cache.store<KubeObject>(found.kind).put(object);
}

/** The keys of the controller's objects that the change wakes, sorted, but for the changed one; and what was read for that. */
export function wokenBy(
  cache: CountingCache,
  controller: LeaderController,
  change: { readonly kind: Kind; readonly put?: KubeObject; readonly remove?: KubeObject },
): { readonly woken: string[]; readonly reads: number } {
  const woken = new Set<string>();
  const release = { name: "ngrok", namespace: "ops", fullname: "ngrok" };
  const ends = wakeByOthers(controller, { cache, release }, { add: (key: string) => void woken.add(key) });
  const before = cache.reads;
  const store = cache.store<KubeObject>(change.kind);
  if (change.put !== undefined) store.put(change.put);
  if (change.remove !== undefined) store.remove(change.remove);
  for (const end of ends) end();
  const changed = change.put ?? change.remove;
  if (change.kind.kind === controller.kind.kind && changed !== undefined) woken.delete(keyOf(refOf(changed)));
  return { woken: [...woken].toSorted(), reads: cache.reads - before };
}
