// Annotations under the prefix that users are to leave behind: still read, and told of. Pure.
import type { KubeObject } from "#kube/kind.ts";
import type { ObjectEvent } from "../runtime/define-controller.ts";

const LEGACY = "k8s.ngrok.com/";
const SUFFIXES = [
  "url",
  "mapping-strategy",
  "traffic-policy",
  "pooling-enabled",
  "bindings",
  "metadata",
  "description",
  "app-protocols",
];

export function legacyAnnotations({ metadata }: KubeObject): string[] {
  return SUFFIXES.map((suffix) => `${LEGACY}${suffix}`).filter((key) => metadata.annotations?.[key] !== undefined);
}

export function legacyEvent(object: KubeObject): ObjectEvent | undefined {
  const keys = legacyAnnotations(object);
  if (keys.length === 0) return undefined;
  const note = `${keys.join(", ")}: the prefix ${LEGACY} is read for now only, write ${keys.map((key) => key.replace(LEGACY, "ngrok.com/")).join(", ")}`;
  return { type: "Warning", reason: "LegacyAnnotation", note, action: "Reconcile" };
}
