// Whether a change of an object says anything new to the translator, and the hosts that it concerns. Pure.
import { DRAIN_OWNER } from "#api/keys.ts";
import { keyOf, type KubeObject, refOf } from "#kube/kind.ts";

/** Whether there is anything in it but a status, a finalizer and our stamp. */
export function isNews(before: KubeObject | undefined, after: KubeObject | undefined): boolean {
  if (before === undefined || after === undefined) return true;
  const a = before.metadata;
  const b = after.metadata;
  if (a.uid !== b.uid || isDeleting(before) !== isDeleting(after)) return true;
  const says =
    a.generation === undefined ? textOf(saidBy(before)) !== textOf(saidBy(after)) : a.generation !== b.generation;
  return says || annotationsOf(a.annotations) !== annotationsOf(b.annotations) || textOf(a.labels) !== textOf(b.labels);
}

/** Whether there are other labels in it. */
export function isNewsOfLabels(before: KubeObject | undefined, after: KubeObject | undefined): boolean {
  return (
    before === undefined || after === undefined || textOf(before.metadata.labels) !== textOf(after.metadata.labels)
  );
}

export function isDeleting({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** `namespace/name` of whichever state there is. */
export function nameOf({ before, after }: { before: KubeObject | undefined; after: KubeObject | undefined }): string {
  const object = after ?? before;
  return object === undefined ? "" : keyOf(refOf(object));
}

/** Not every kind counts generations: a Service does not, and a Secret has no spec. */
function saidBy(object: KubeObject): unknown {
  const { spec, data, type } = object as KubeObject & { spec?: unknown; data?: unknown; type?: unknown };
  return { spec, data, type };
}

function annotationsOf(annotations: Readonly<Record<string, string>> | undefined): string {
  return textOf(Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => key !== DRAIN_OWNER)));
}

function textOf(value: unknown): string {
  return JSON.stringify(value ?? {});
}
