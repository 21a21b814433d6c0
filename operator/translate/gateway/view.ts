// What every part of the Gateway translation reads from, and how it names what it found wrong.
import { type Kind, keyOf, type KubeObject, type Ref, refOf } from "#kube/kind.ts";
import type { Manifests, Options, Problem } from "../model.ts";

export const GATEWAY_GROUP = "gateway.networking.k8s.io";

export interface View {
  /** Of the watched namespace alone. */
  readonly manifests: Manifests;
  readonly options: Options;
}

/** What lies outside the watched namespace is not there for us; cluster-scoped kinds are. */
export function viewOf(manifests: Manifests, options: Options): View {
  const only = options.watchNamespace;
  if (only === undefined) return { manifests, options };
  const seen = (kind: Kind, namespace: string | undefined): boolean => !kind.namespaced || namespace === only;
  return {
    options,
    manifests: {
      get: <T extends KubeObject>(kind: Kind<T>, at: Ref) =>
        seen(kind, at.namespace) ? manifests.get(kind, at) : undefined,
      list: <T extends KubeObject>(kind: Kind<T>) =>
        manifests.list(kind).filter((object) => seen(kind, object.metadata.namespace)),
    },
  };
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
