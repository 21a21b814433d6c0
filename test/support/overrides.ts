// How the builders put a test's own fields into an object.

/** Any part of T, at any depth; undefined takes a field away. */
export type Overrides<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [Field in keyof T]?: Overrides<T[Field]> | undefined }
    : T;

/** A new object: `object` with `overrides` in it. Neither is touched, and nothing is shared with them. */
export function built<T extends object>(object: T, overrides: Overrides<T>): T {
  // Overrides<T> only ever narrows T's own fields, which the compiler cannot follow through a loop.
  return merged(object, overrides) as T;
}

function merged(into: unknown, from: unknown): unknown {
  if (!isObject(into) || !isObject(from)) return structuredClone(from);
  const after: Record<string, unknown> = structuredClone(into);
  for (const [field, value] of Object.entries(from)) {
    if (value === undefined) delete after[field];
    else after[field] = merged(after[field], value);
  }
  return after;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
