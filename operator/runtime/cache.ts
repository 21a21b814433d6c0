// What the watches have seen, one store per kind, with indexes: what controllers read without a call. A store also takes
// what our own writes returned, so that the next look at an object is never older than our last word about it.
import type { Kind, KubeObject, Ref } from "#kube/kind.ts";
import { keyOf, refOf, resourceName } from "#kube/kind.ts";
import type { Cached, Index } from "./define-controller.ts";
import { type Grouping, type NamedPart, NamesInOrder } from "./names-in-order.ts";
import { Sharing } from "./sharing.ts";

/** What finds objects, or what they name together, by what they say. */
export type AnyIndex<T extends KubeObject> = Index<T> | Grouping<T>;

/** `after` is undefined when the object is gone. */
export interface Change<T extends KubeObject = KubeObject> {
  readonly before: T | undefined;
  readonly after: T | undefined;
}

export class Store<T extends KubeObject = KubeObject> {
  readonly kind: Kind<T>;
  readonly #objects = new Map<string, T>();
  #sharing = new Sharing();
  readonly #indexes: ReadonlyMap<string, { readonly of: Index<T>; readonly keys: Keys }>;
  readonly #inOrder: ReadonlyMap<string, { readonly grouping: Grouping<T>; readonly names: NamesInOrder }>;
  readonly #listeners = new Set<(change: Change<T>) => void>();
  readonly #wholes = new Set<() => void>();

  constructor(kind: Kind<T>, indexes: Readonly<Record<string, AnyIndex<T>>> = {}) {
    this.kind = kind;
    // The schemas do not demand a spec, so that whatever is stored stays free to be deleted; without one nothing is indexed.
    const guarded =
      (of: Index<T>): Index<T> =>
      (object) =>
        hasSpec(object) ? of(object) : [];
    this.#indexes = new Map(
      Object.entries(indexes).flatMap(([name, of]) =>
        typeof of === "function" ? [[name, { of: guarded(of), keys: new Map() }]] : [],
      ),
    );
    this.#inOrder = new Map(
      Object.entries(indexes).flatMap(([name, grouping]) =>
        typeof grouping === "function" ? [] : [[name, { grouping, names: new NamesInOrder() }]],
      ),
    );
  }

  /** Whether what is held is the whole list of one moment, and what has changed since. */
  isWhole = false;

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
    return listed(found.keys.get(value)).flatMap((key) => this.#objects.get(key) ?? []);
  }

  /** What the objects name together, each part of the group by itself; not to be read on after a change. */
  inOrder(index: string, group: string): readonly NamedPart[] {
    const found = this.#inOrder.get(index);
    if (found === undefined) throw new Error(`${this.kind.kind} has no index ${index} that is in order`);
    return found.names.of(group);
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

  /** Takes the object unless a newer state of it is held already. */
  put(object: T): void {
    const key = keyOf(refOf(object));
    const before = this.#objects.get(key);
    if (before !== undefined && !isNewer(object, before)) return;
    const after = this.#sharing.of(lean(object));
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
    this.#sharing = new Sharing();
    for (const { keys } of this.#indexes.values()) keys.clear();
    for (const { names } of this.#inOrder.values()) names.clear();
  }

  #tell(change: Change<T>): void {
    for (const listener of this.#listeners) listener(change);
  }

  #reindex(key: string, before: T | undefined, after: T | undefined): void {
    for (const { grouping, names } of this.#inOrder.values()) {
      const of = (object: T | undefined) =>
        object === undefined || !hasSpec(object) ? undefined : grouping.inGroups(object);
      names.change(key, of(before), of(after));
    }
    for (const { of, keys } of this.#indexes.values()) {
      for (const value of before === undefined ? [] : of(before)) {
        const held = keys.get(value);
        if (held instanceof Set) held.delete(key);
        if (held === key || (held instanceof Set && held.size === 0)) keys.delete(value);
      }
      for (const value of after === undefined ? [] : of(after)) {
        const held = keys.get(value);
        if (held instanceof Set) held.add(key);
        else keys.set(value, held === undefined || held === key ? key : new Set([held, key]));
      }
    }
  }
}

/** By value; most values belong to one object, and 50,000 sets of one would be ten megabytes. */
type Keys = Map<string, string | Set<string>>;

function listed(keys: string | Set<string> | undefined): readonly string[] {
  if (keys === undefined) return [];
  return typeof keys === "string" ? [keys] : [...keys];
}

/** All stores of a process, asked by kind. */
export class Cache implements Cached {
  readonly #stores = new Map<string, Store>();

  add<T extends KubeObject>(kind: Kind<T>, indexes: Readonly<Record<string, AnyIndex<T>>> = {}): Store<T> {
    const name = resourceName(kind);
    if (this.#stores.has(name)) throw new Error(`a store for ${name} is there already`);
    const store = new Store(kind, indexes);
    this.#stores.set(name, store as unknown as Store);
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

export function hasSpec(object: KubeObject): boolean {
  return (object as { spec?: unknown }).spec !== undefined;
}

/** resourceVersions of one kind on one server are growing decimal numbers. */
function isNewer(candidate: KubeObject, held: KubeObject): boolean {
  const a = candidate.metadata.resourceVersion;
  const b = held.metadata.resourceVersion;
  if (candidate.metadata.uid !== held.metadata.uid || a === undefined || b === undefined) return true;
  return a.length === b.length ? a > b : a.length > b.length;
}

/** managedFields are half of an object's bytes, and nobody here reads them. */
function lean<T extends KubeObject>(object: T): T {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
