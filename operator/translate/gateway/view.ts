// What every part of the Gateway translation reads from, and how it names what it found wrong.
import { type Kind, keyOf, type KubeObject, refOf } from "#kube/kind.ts";
import type { Manifests, Options, Problem } from "../model.ts";

export const GATEWAY_GROUP = "gateway.networking.k8s.io";

/** The caller has taken away what lies outside the watched namespace. */
export interface View {
  readonly manifests: Manifests;
  readonly options: Options;
}

/** Says what is wrong with one object, field by field. */
export type Tell = (field: string, reason: string, effect?: Problem["effect"]) => void;

/** The namespace of a namespaced object; one that a file leaves out is what kubectl would make of it. */
export function namespaceOf(object: KubeObject): string {
  return object.metadata.namespace ?? "default";
}

/** `Kind namespace/name`, as problems and owners are written. */
export function nameOf(kind: Pick<Kind, "kind">, object: KubeObject): string {
  return `${kind.kind} ${keyOf(refOf(object))}`;
}

/** Long values are cut: a problem has to fit into an event. */
export function quoted(text: string): string {
  return JSON.stringify(text.length <= 100 ? text : `${text.slice(0, 100)}...`);
}

/** `namespace/name`, by which parents and statuses find a Gateway. */
export function gatewayKey(gateway: KubeObject): string {
  return `${namespaceOf(gateway)}/${gateway.metadata.name}`;
}
