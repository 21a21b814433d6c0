// How an API server changes an object by a patch: JSON patch with its tests, merge patch, and server-side apply of a status.
import type { JsonPatchOperation } from "#kube/writer.ts";

type Fields = Record<string, unknown>;

/** A test failed, or a path was not there: the server then refuses the whole patch with 422. */
export class PatchRefused extends Error {}

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** RFC 6902 as far as we use it; a test against null passes where there is nothing. */
export function jsonPatched<T extends object>(object: T, operations: readonly JsonPatchOperation[]): T {
  const after = structuredClone(object);
  for (const operation of operations) apply(after, operation);
  return after;
}

function apply(root: object, { op, path, value }: JsonPatchOperation): void {
  const keys = path
    .split("/")
    .slice(1)
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = keys.pop() ?? "";
  let at: unknown = root;
  for (const key of keys) at = Array.isArray(at) ? at[Number(key)] : isFields(at) ? at[key] : undefined;
  const there = Array.isArray(at) ? at[Number(last)] : isFields(at) ? at[last] : undefined;
  if (op === "test") {
    if (!same(there ?? null, value ?? null)) throw new PatchRefused(`test of ${path} failed`);
    return;
  }
  if (Array.isArray(at)) {
    const index = last === "-" ? at.length : Number(last);
    if (op === "remove" && index >= at.length) throw new PatchRefused(`${path} is not there`);
    if (op === "add") at.splice(index, 0, structuredClone(value));
    else if (op === "remove") at.splice(index, 1);
    else at[index] = structuredClone(value);
    return;
  }
  if (!isFields(at)) throw new PatchRefused(`${path} is not there`);
  if (op === "remove" && there === undefined) throw new PatchRefused(`${path} is not there`);
  if (op === "remove") delete at[last];
  else at[last] = structuredClone(value);
}

export function same(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((one, at) => same(one, b[at]));
  if (!isFields(a) || !isFields(b)) return a === b;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => same(a[key], b[key]));
}

/** RFC 7386: null takes a field away. */
export function merged(object: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return structuredClone(patch);
  const after: Fields = isFields(object) ? { ...object } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete after[key];
    else after[key] = merged(after[key], value);
  }
  return after;
}

/**
 * A status after `applied` by a manager whose last word was `before`: what it said then and leaves out now goes, what
 * others said stays. Conditions are a map by type.
 */
export function appliedStatus(status: unknown, before: Fields, applied: Fields): Fields {
  const after: Fields = isFields(status) ? { ...status } : {};
  for (const key of Object.keys(before)) if (key !== "conditions" && !(key in applied)) delete after[key];
  for (const [key, value] of Object.entries(applied)) if (key !== "conditions") after[key] = structuredClone(value);
  const said = conditions(applied);
  const gone = conditions(before).filter((one) => !said.some(({ type }) => type === one.type));
  const kept = conditions(after).filter(({ type }) => ![...said, ...gone].some((one) => one.type === type));
  const all = [...kept, ...said];
  if (all.length > 0 || "conditions" in after) after["conditions"] = structuredClone(all);
  return after;
}

function conditions(status: Fields): readonly { readonly type: string }[] {
  const list = status["conditions"];
  return Array.isArray(list) ? (list as { type: string }[]) : [];
}
