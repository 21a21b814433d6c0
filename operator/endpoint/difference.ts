// What has to be changed on a generated object so that it says what is wanted: nothing when it does already, compared as
// the API server stores it, with the defaults of the schema filled in. Pure.
import type { OwnKind, OwnObject, Schema } from "#api/define-kind.ts";
import { OWN_KEYS } from "#api/keys.ts";
import { pointerStep } from "#kube/paths.ts";
import type { JsonPatchOperation } from "#kube/writer.ts";
import { writtenKeys } from "#kube/written.ts";

interface Generated extends OwnObject {
  readonly spec: object;
}

/**
 * The patch that makes `spec`, labels and annotations of `stored` say what `desired` says; empty when they do. Labels and
 * annotations that `desired` does not name go where we alone wrote them, as for a Gateway that asked for them; others stay.
 */
export function difference<T extends Generated>(kind: OwnKind<T>, desired: T, stored: T): JsonPatchOperation[] {
  const spec = withDefaults(kind.spec, desired.spec);
  return [
    // A stored spec may lack what a newer schema gives by default: that is no difference either.
    ...(sameJson(spec, withDefaults(kind.spec, stored.spec))
      ? []
      : [{ op: "add" as const, path: "/spec", value: desired.spec }]),
    ...missing("/metadata/labels", desired.metadata.labels, stored.metadata.labels),
    ...missing("/metadata/annotations", desired.metadata.annotations, stored.metadata.annotations),
    ...outlived("labels", desired, stored),
    ...outlived("annotations", desired, stored),
    ...ownerless(desired, stored),
  ];
}

type Texts = Readonly<Record<string, string>> | undefined;

/** Adds what is wanted of a map of texts; its other entries are somebody else's and stay. */
export function missing(path: string, wanted: Texts, stored: Texts): JsonPatchOperation[] {
  const lacking = Object.entries(wanted ?? {}).filter(([key, value]) => stored?.[key] !== value);
  if (lacking.length === 0) return [];
  if (stored === undefined) return [{ op: "add", path, value: Object.fromEntries(lacking) }];
  return lacking.map(([key, value]) => ({ op: "add", path: `${path}/${pointerStep(key)}`, value }));
}

/** Takes off what we wrote once and what is wanted no more. */
function outlived(part: "labels" | "annotations", desired: Generated, stored: Generated): JsonPatchOperation[] {
  const [wanted, held] = [desired.metadata[part] ?? {}, stored.metadata[part] ?? {}];
  return writtenKeys(stored.metadata, part)
    .filter((key) => Object.hasOwn(held, key) && !Object.hasOwn(wanted, key) && !OWN_KEYS.has(key))
    .map((key) => ({ op: "remove", path: `/metadata/${part}/${pointerStep(key)}` }));
}

/** An owner that was taken off is put on again, so that the object does not outlive it. */
function ownerless(desired: Generated, stored: Generated): JsonPatchOperation[] {
  const wanted = desired.metadata.ownerReferences ?? [];
  const held = stored.metadata.ownerReferences ?? [];
  const lacking = wanted.filter(({ uid }) => !held.some((one) => one.uid === uid));
  if (lacking.length === 0) return [];
  return [{ op: "add", path: "/metadata/ownerReferences", value: [...held, ...lacking] }];
}

/** `value` as the API server stores it: what the schema gives by default is there, nulls of optional fields are not. */
export function withDefaults(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((one) => withDefaults(items, one));
  }
  if (typeof value !== "object" || value === null || schema.properties === undefined) return value;
  const given: Record<string, unknown> = { ...value };
  for (const [name, property] of Object.entries(schema.properties)) {
    if (given[name] === undefined && property.default !== undefined) given[name] = property.default;
    else if (given[name] !== undefined) given[name] = withDefaults(property, given[name]);
  }
  return given;
}

/** Whether two JSON values say the same; the order of keys and fields that are undefined say nothing. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((one, at) => sameJson(one, b[at]));
  }
  const left = Object.entries(a).filter(([, value]) => value !== undefined);
  const right = new Map(Object.entries(b).filter(([, value]) => value !== undefined));
  return left.length === right.size && left.every(([key, value]) => right.has(key) && sameJson(value, right.get(key)));
}
