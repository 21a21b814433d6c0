// Keys under the prefix that users are to leave behind: still read, and told of. Pure.
import type { KubeObject } from "#kube/kind.ts";
import type { GatewayObject } from "#kube/kinds.ts";
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

/** Those that are among `read`, without the prefix: of others the user hears that nobody reads them there. */
export function legacyAnnotations({ metadata }: KubeObject, read: readonly string[]): string[] {
  return SUFFIXES.filter((suffix) => read.includes(suffix))
    .map((suffix) => `${LEGACY}${suffix}`)
    .filter((key) => metadata.annotations?.[key] !== undefined);
}

/** One for each legacy annotation of the object that is among `read`. */
export function legacyEvents(object: KubeObject, read: readonly string[]): ObjectEvent[] {
  return legacyAnnotations(object, read).map((key) => legacyEvent([key], key));
}

/** One for all legacy TLS options of the Gateway: sixty-four listeners may have a dozen each. */
export function legacyOptionEvents({ spec }: GatewayObject): ObjectEvent[] {
  const options = (spec?.listeners ?? []).flatMap(({ tls }) => Object.keys(tls?.options ?? {}));
  const keys = [...new Set(options)].filter((key) => key.startsWith(`${LEGACY}terminate-tls.`)).toSorted();
  return keys.length === 0 ? [] : [legacyEvent(keys, `spec.listeners[].tls.options: ${keys.join(", ")}`)];
}

function legacyEvent(keys: readonly string[], where: string): ObjectEvent {
  const note = `${where}: the prefix ${LEGACY} is read for now only, write ${keys.map((key) => key.replace(LEGACY, "ngrok.com/")).join(", ")}`;
  return { type: "Warning", reason: "LegacyAnnotation", note, action: "Reconcile" };
}
