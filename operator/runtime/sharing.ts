// What many objects say alike is held once: 50,000 objects whose conditions, rules and descriptions are equal word for
// word would otherwise take four times the memory.
import type { KubeObject } from "#kube/kind.ts";

/** Values of one generation; what nobody met again for two of them is forgotten, the objects that hold it keep it. */
const GENERATION = 2_048;
/** Longer ones are hardly ever met twice, and looking them up would cost more than it saves. */
const LONGEST = 4_096;

export class Sharing {
  #young = new Map<string, unknown>();
  #old = new Map<string, unknown>();

  /**
   * The same object, its parts replaced by equal ones that are held already: above all by those of `before`, its state until
   * now, whose texts are keys of indexes as well. Shared parts are frozen.
   */
  of<T extends KubeObject>(object: T, before?: T): T {
    // A copy of the whole keeps its room; what grows field by field takes half as much again.
    const shared = { ...object } as Record<string, unknown>;
    const held = before as Readonly<Record<string, unknown>> | undefined;
    // Metadata, spec and status are of this object alone; what stands in them often is not.
    for (const [key, value] of Object.entries(shared))
      shared[key] = isMap(value) ? this.#fields(value, held?.[key]) : this.#shared(value);
    return shared as T;
  }

  #fields(of: Readonly<Record<string, unknown>>, before: unknown): Record<string, unknown> {
    const shared: Record<string, unknown> = { ...of };
    const held = isMap(before) ? before : {};
    for (const [key, value] of Object.entries(of))
      shared[key] = typeof value === "string" && held[key] === value ? held[key] : this.#shared(value);
    return shared;
  }

  /** What is nested deeper than a walk over it can go stays as it came. */
  #shared(value: unknown): unknown {
    try {
      return this.#one(value);
    } catch (error) {
      if (error instanceof RangeError) return value;
      throw error;
    }
  }

  #one(value: unknown): unknown {
    if (typeof value !== "string" && (typeof value !== "object" || value === null)) return value;
    const text = JSON.stringify(value);
    if (text.length > LONGEST) return value;
    const known = this.#young.get(text) ?? this.#old.get(text);
    const held = known ?? this.#parts(value);
    if (this.#young.size >= GENERATION) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(text, held);
    return held;
  }

  /** Lists share their items, since two lists seldom are alike as a whole. */
  #parts(value: string | object): unknown {
    if (typeof value === "string") return value;
    return deepFrozen(Array.isArray(value) ? value.map((item) => this.#one(item)) : value);
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function deepFrozen<T extends object>(value: T): T {
  if (Object.isFrozen(value)) return value;
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) deepFrozen(part as object);
  return Object.freeze(value);
}
