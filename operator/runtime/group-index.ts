// An index in groups over the objects of a store. An object counts in it only while what it needs is there as well, so that who
// walks a group never meets thousands that are refused, one after the other.
import type { Kind, KubeObject } from "#kube/kind.ts";
import type { Cached } from "./define-controller.ts";
import { type NamedPart, type Naming, NamesInOrder } from "./names-in-order.ts";

/** How objects of a kind are put into such an index. Written with methods for the same reason as `Index`. */
export interface Grouping<T extends KubeObject> {
  readonly inGroups: { of(object: T): Naming }["of"];
  /** Whether the names count at all; default: always. */
  readonly counts?: { for(object: T, cached: Cached): boolean }["for"];
  /** What else `counts` looks at. A change there asks again for the objects that the index of that name finds by its key. */
  readonly leansOn?: readonly { readonly kind: Kind; readonly index: string }[];
}

export class GroupIndex<T extends KubeObject> {
  readonly leansOn: NonNullable<Grouping<T>["leansOn"]>;
  readonly #grouping: Grouping<T>;
  readonly #cached: Cached;
  readonly #names = new NamesInOrder();
  /** Keys of the objects that are there and do not count. */
  readonly #outside = new Set<string>();

  constructor(grouping: Grouping<T>, cached: Cached) {
    this.#grouping = grouping;
    this.#cached = cached;
    this.leansOn = grouping.leansOn ?? [];
  }

  change(key: string, before: T | undefined, after: T | undefined): void {
    const then = before === undefined || this.#outside.has(key) ? [] : this.#grouping.inGroups(before);
    const counts = after !== undefined && this.#counts(after);
    if (after === undefined || counts) this.#outside.delete(key);
    else this.#outside.add(key);
    this.#names.change(key, then, counts ? this.#grouping.inGroups(after) : []);
  }

  /** Something that it leans on has changed. */
  askAgain(key: string, object: T): void {
    if (this.#counts(object) === this.#outside.has(key)) this.change(key, object, object);
  }

  of(group: string): readonly NamedPart[] {
    return this.#names.of(group);
  }

  clear(): void {
    this.#names.clear();
    this.#outside.clear();
  }

  #counts(object: T): boolean {
    return this.#grouping.counts?.(object, this.#cached) ?? true;
  }
}
