// An index in groups by what comes out for an object, which depends on others too: who walks a group meets only what really
// belongs there. What has changed is noted at once and worked out when somebody next reads, so that thousands of objects
// that come one by one are worked out once.
import type { Kind, KubeObject } from "#kube/kind.ts";
import type { Cached, Install } from "./define-controller.ts";
import type { Change } from "./cache.ts";
import { type NamedPart, type Naming, NamesInOrder } from "./names-in-order.ts";

/** How objects of a kind are put into such an index. Written with methods for the same reason as `Index`. */
export interface Derivation<T extends KubeObject> {
  /** `install`: none in a process that has only replicas of it. */
  readonly derives: { of(object: T, cached: Cached, install: Install | undefined): Naming }["of"];
  /** By what it stands among the others, and no two by the same; default: its key. */
  rank?(object: T): string;
  /** Whether a change of the object changes what comes out; default: always. */
  isNews?(before: T | undefined, after: T | undefined): boolean;
  /** What else `derives` looks at, each with the keys of the objects for which a change of it may change what comes out. */
  readonly leansOn: readonly { readonly kind: Kind; keys(change: Change, cached: Cached): readonly string[] }[];
}

/** What a derivation may look at besides the object. */
export interface Around {
  readonly cached: Cached;
  readonly install: Install | undefined;
}

export class DerivedIndex<T extends KubeObject> {
  readonly #derivation: Derivation<T>;
  readonly #cached: Cached;
  readonly #install: Install | undefined;
  readonly #at: (key: string) => T | undefined;
  readonly #names = new NamesInOrder();
  /** What came out last, by key. */
  readonly #held = new Map<string, Ranked>();
  readonly #stale = new Set<string>();

  /** @param at the object of a key, if it is there. */
  constructor(derivation: Derivation<T>, { cached, install }: Around, at: (key: string) => T | undefined) {
    this.#derivation = derivation;
    this.#cached = cached;
    this.#install = install;
    this.#at = at;
  }

  get leansOn(): Derivation<T>["leansOn"] {
    return this.#derivation.leansOn;
  }

  change(key: string, before: T | undefined, after: T | undefined): void {
    // Of what was never asked for nothing has to be taken out; where nobody asks, names would gather.
    if (after === undefined && !this.#held.has(key)) this.#stale.delete(key);
    else if (this.#derivation.isNews?.(before, after) !== false) this.#stale.add(key);
  }

  askAgain(change: Change, lean: Derivation<T>["leansOn"][number]): void {
    for (const key of lean.keys(change, this.#cached)) this.#stale.add(key);
  }

  of(group: string): readonly NamedPart[] {
    for (const key of this.#stale) this.#workOut(key);
    return this.#names.of(group);
  }

  clear(): void {
    this.#names.clear();
    this.#held.clear();
    this.#stale.clear();
  }

  #workOut(key: string): void {
    this.#stale.delete(key);
    const object = this.#at(key);
    const rank = (object === undefined ? undefined : this.#derivation.rank?.(object)) ?? key;
    const now = object === undefined ? [] : this.#derivation.derives(object, this.#cached, this.#install);
    const before = this.#held.get(key) ?? { rank, naming: [] };
    if (before.rank !== rank) this.#names.change(before.rank, before.naming, []);
    this.#names.change(rank, before.rank === rank ? before.naming : [], now);
    if (now.length === 0) this.#held.delete(key);
    else this.#held.set(key, { rank, naming: now });
  }
}

interface Ranked {
  readonly rank: string;
  readonly naming: Naming;
}
