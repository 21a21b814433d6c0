// What the watches have seen, one store per kind, with indexes: what controllers read without a call. A store also takes
// what our own writes returned, so that the next look at an object is never older than our last word about it.
import { ADOPTED, OWN_KEYS } from "#api/keys.ts";
import type { Kind, KubeObject, Ref } from "#kube/kind.ts";
import { isNewer, keyOf, refOf, resourceName } from "#kube/kind.ts";
import { leanFields } from "#kube/written.ts";
import type { Cached, Index, Install } from "./define-controller.ts";
import { type Derivation, DerivedIndex } from "./derived-index.ts";
import { KeyIndex } from "./key-index.ts";
import type { NamedPart } from "./names-in-order.ts";
import { Sharing } from "./sharing.ts";

/** What finds objects, or what they name together, by what they say. */
export type AnyIndex<T extends KubeObject> = Index<T> | Derivation<T>;

/** `after` is undefined when the object is gone. */
export interface Change<T extends KubeObject = KubeObject> {
  readonly before: T | undefined;
  readonly after: T | undefined;
}

export class Store<T extends KubeObject = KubeObject> {
  readonly kind: Kind<T>;
  readonly #objects = new Map<string, T>();
  #sharing = new Sharing();
  readonly #cache: Cache;
  readonly #indexes: ReadonlyMap<string, KeyIndex<T>>;
  readonly #inOrder: ReadonlyMap<string, DerivedIndex<T>>;
  readonly #listeners = new Set<(change: Change<T>) => void>();
  readonly #wholes = new Set<() => void>();

  /** @param cache what derived indexes may look at besides the object. */
  constructor(kind: Kind<T>, indexes: Readonly<Record<string, AnyIndex<T>>>, cache: Cache) {
    this.kind = kind;
    this.#cache = cache;
    this.#indexes = new Map(
      Object.entries(indexes).flatMap(([name, of]) =>
        typeof of === "function" ? [[name, new KeyIndex(this.#guarded(of))]] : [],
      ),
    );
    this.#inOrder = new Map(
      Object.entries(indexes).flatMap(([name, of]) =>
        typeof of === "function" ? [] : [[name, this.#indexInOrder(of)]],
      ),
    );
  }

  #indexInOrder(of: Derivation<T>): DerivedIndex<T> {
    const { install } = this.#cache;
    const derives: typeof of.derives = this.#guarded((object) => of.derives(object, this.#cache, install));
    return new DerivedIndex({ ...of, derives }, { cached: this.#cache, install }, (key) => this.#objects.get(key));
  }

  /** The schemas do not demand a spec, so that whatever is stored stays free to be deleted; without one nothing is indexed. */
  #guarded<V>(of: (object: T) => readonly V[]): (object: T) => readonly V[] {
    return (object) => {
      let found: readonly V[] = [];
      if (hasSpec(object)) this.#cache.spare(this.kind, object, () => (found = of(object)));
      return found;
    };
  }

  /** Whether what is held is the whole list of one moment, and what has changed since. */
  isWhole = false;

  /** The watch has told all up to this resourceVersion: what is as old and is not held, is gone. */
  toldUpTo: string | undefined;

  get size(): number {
    return this.#objects.size;
  }

  get(at: Ref): T | undefined {
    return this.#objects.get(keyOf(at));
  }

  /** By the key of a queue. */
  at(key: string): T | undefined {
    return this.#objects.get(key);
  }

  keys(): Iterable<string> {
    return this.#objects.keys();
  }

  values(): Iterable<T> {
    return this.#objects.values();
  }

  isIndexedBy(index: string): boolean {
    return this.#indexes.has(index) || this.#inOrder.has(index);
  }

  by(index: string, value: string): readonly T[] {
    const found = this.#indexes.get(index);
    if (found === undefined) throw new Error(`${this.kind.kind} has no index ${index}`);
    return found.of(value).flatMap((key) => this.#objects.get(key) ?? []);
  }

  /** What the objects name together, each part of the group by itself; not to be read on after a change. */
  inOrder(index: string, group: string): readonly NamedPart[] {
    const found = this.#inOrder.get(index);
    if (found === undefined) throw new Error(`${this.kind.kind} has no index ${index} that is in order`);
    return found.of(group);
  }

  /** Asks its indexes again about what leans on an object of the other store that has changed. */
  leanOn(other: Store): void {
    const isOther = ({ kind }: { readonly kind: Kind }): boolean => resourceName(kind) === resourceName(other.kind);
    for (const derived of this.#inOrder.values())
      for (const lean of derived.leansOn.filter(isOther)) other.onChange((change) => derived.askAgain(change, lean));
  }

  /** Returns the end of the listening. */
  onChange(listener: (change: Change<T>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called when the kind may be read after all, and its list is whole: what is missing from it has told nobody. */
  onWhole(listener: () => void): () => void {
    this.#wholes.add(listener);
    return () => this.#wholes.delete(listener);
  }

  /** The kind could not be read until now. */
  tellWhole(): void {
    for (const listener of this.#wholes) listener();
  }

  /**
   * Takes what the server answered to a call of ours, unless a newer state of the object is held already, or the object is gone:
   * an answer may come later than the watch's word of the deletion.
   */
  put(object: T): void {
    const { uid, resourceVersion } = object.metadata;
    const held = this.#objects.get(keyOf(refOf(object)));
    const isHeld = held !== undefined && held.metadata.uid === uid;
    const isNews =
      resourceVersion === undefined || this.toldUpTo === undefined || isNewer(resourceVersion, this.toldUpTo);
    if (isHeld || isNews) this.take(object);
  }

  /** Takes what the watch tells, unless a newer state of the object is held already. */
  take(object: T): void {
    const key = keyOf(refOf(object));
    const before = this.#objects.get(key);
    if (before !== undefined && !replaces(object, before)) return;
    const after = this.#sharing.of(lean(object), before);
    this.#objects.set(key, after);
    this.#reindex(key, before, after);
    this.#tell({ before, after });
  }

  /** Takes it out; a namesake with another uid that came meanwhile stays. */
  remove(object: T): void {
    const key = keyOf(refOf(object));
    const before = this.#objects.get(key);
    if (before === undefined || before.metadata.uid !== object.metadata.uid) return;
    this.#objects.delete(key);
    this.#reindex(key, before, undefined);
    this.#tell({ before, after: undefined });
  }

  /** Lets everything go without a word to anybody: nothing is gone, it is only not looked at any more. */
  clear(): void {
    this.#objects.clear();
    this.isWhole = false;
    this.toldUpTo = undefined;
    this.#sharing = new Sharing();
    for (const index of [...this.#indexes.values(), ...this.#inOrder.values()]) index.clear();
  }

  #tell(change: Change<T>): void {
    const object = change.after ?? change.before;
    if (object === undefined) return;
    for (const listener of this.#listeners) this.#cache.spare(this.kind, object, () => listener(change));
  }

  #reindex(key: string, before: T | undefined, after: T | undefined): void {
    const object = after ?? before;
    if (object === undefined) return;
    for (const index of [...this.#inOrder.values(), ...this.#indexes.values()])
      this.#cache.spare(this.kind, object, () => index.change(key, before, after));
  }
}

/** Hears of an object for which something threw. */
export type Stumbled = (kind: Kind, object: KubeObject, error: unknown) => void;

export interface CacheOptions {
  /** For indexes that depend on it; none in a process that has only replicas of it. */
  readonly install?: Install | undefined;
  /** Default: throws what was thrown. */
  readonly stumbled?: Stumbled;
}

/** All stores of a process, asked by kind. */
export class Cache implements Cached {
  readonly #stores = new Map<string, Store>();
  readonly install: Install | undefined;
  readonly #stumbled: Stumbled;

  constructor({ install, stumbled = rethrow }: CacheOptions = {}) {
    this.install = install;
    this.#stumbled = stumbled;
  }

  /**
   * Works on one object. What is thrown is told, and that work alone is left: a bug that one object brings out must not end the
   * watch, and with it the process, for all others, and at each start anew.
   */
  spare(kind: Kind, object: KubeObject, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#stumbled(kind, object, error);
    }
  }

  add<T extends KubeObject>(kind: Kind<T>, indexes: Readonly<Record<string, AnyIndex<T>>> = {}): Store<T> {
    const name = resourceName(kind);
    if (this.#stores.has(name)) throw new Error(`a store for ${name} is there already`);
    const store = new Store(kind, indexes, this);
    const added = store as unknown as Store;
    for (const other of this.#stores.values()) {
      added.leanOn(other);
      other.leanOn(added);
    }
    this.#stores.set(name, added);
    return store;
  }

  store<T extends KubeObject>(kind: Kind<T>): Store<T> {
    const found = this.#stores.get(resourceName(kind));
    if (found === undefined)
      throw new Error(`nobody watches ${resourceName(kind)}; declare it in the controller's watches`);
    return found as unknown as Store<T>;
  }

  isWhole(kind: Kind): boolean {
    return this.store(kind).isWhole;
  }

  has(kind: Kind, index?: string): boolean {
    const store = this.#stores.get(resourceName(kind));
    return store !== undefined && (index === undefined || store.isIndexedBy(index));
  }

  get<T extends KubeObject>(kind: Kind<T>, at: Ref): T | undefined {
    return this.store(kind).get(at);
  }

  by<T extends KubeObject>(kind: Kind<T>, index: string, value: string): readonly T[] {
    return this.store(kind).by(index, value);
  }

  inOrder(kind: Kind, index: string, group: string): readonly NamedPart[] {
    return this.store(kind).inOrder(index, group);
  }

  all<T extends KubeObject>(kind: Kind<T>): Iterable<T> {
    return this.store(kind).values();
  }
}

function rethrow(_kind: Kind, _object: KubeObject, error: unknown): never {
  throw error;
}

export function hasSpec(object: KubeObject): boolean {
  return (object as { spec?: unknown }).spec !== undefined;
}

function replaces(candidate: KubeObject, held: KubeObject): boolean {
  const a = candidate.metadata.resourceVersion;
  const b = held.metadata.resourceVersion;
  return candidate.metadata.uid !== held.metadata.uid || a === undefined || b === undefined || isNewer(a, b);
}

export const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

/** On nearly every object, so that nobody asks who wrote them; of the one that few have it matters. */
const UNACCOUNTED: ReadonlySet<string> = new Set([...OWN_KEYS].filter((key) => key !== ADOPTED));

/**
 * Without what nobody here reads: managedFields are half of an object's bytes, and kubectl says the whole of it again in an
 * annotation. Which labels and annotations are ours stays, and whether we say where it is reached.
 */
function lean<T extends KubeObject>(object: T): T {
  const { managedFields, ...rest } = object.metadata;
  const ours = managedFields && leanFields({ managedFields }, UNACCOUNTED);
  const metadata = ours === undefined ? rest : { ...rest, managedFields: ours };
  const { [LAST_APPLIED]: applied, ...annotations } = metadata.annotations ?? {};
  if (applied !== undefined) return { ...object, metadata: { ...metadata, annotations } };
  return managedFields === undefined ? object : { ...object, metadata };
}
