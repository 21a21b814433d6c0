// An index by what single objects say.
import type { KubeObject } from "#kube/kind.ts";
import type { Index } from "./define-controller.ts";

export class KeyIndex<T extends KubeObject> {
  readonly #values: Index<T>;
  /** Keys by value; most values belong to one object, and 50,000 sets of one would be ten megabytes. */
  readonly #keys = new Map<string, string | Set<string>>();

  constructor(values: Index<T>) {
    this.#values = values;
  }

  change(key: string, before: T | undefined, after: T | undefined): void {
    const left = before === undefined ? [] : this.#values(before);
    const found = after === undefined ? [] : this.#values(after);
    // Most changes change no value: then the index keeps the texts that it has.
    if (left.length === found.length && left.every((value, at) => value === found[at])) return;
    for (const value of left) {
      const held = this.#keys.get(value);
      if (held instanceof Set) held.delete(key);
      if (held === key || (held instanceof Set && held.size === 0)) this.#keys.delete(value);
    }
    for (const value of found) {
      const held = this.#keys.get(value);
      if (held instanceof Set) held.add(key);
      else this.#keys.set(value, held === undefined || held === key ? key : new Set([held, key]));
    }
  }

  of(value: string): readonly string[] {
    const keys = this.#keys.get(value);
    if (keys === undefined) return [];
    return typeof keys === "string" ? [keys] : [...keys];
  }

  clear(): void {
    this.#keys.clear();
  }
}
