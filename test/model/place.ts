// Which objects a request of the model speaks of: the kind, the namespace and the name in its path, the selectors in its query.
import type { KubeRequest } from "#kube/connection.ts";
import { ownKinds } from "#api/own-kinds.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { resourceName } from "#kube/kind.ts";
import {
  ConfigMap,
  CustomResourceDefinition,
  Deployment,
  Ingress,
  Lease,
  Namespace,
  Pod,
  Service,
} from "#kube/kinds.ts";

export interface Place {
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly part: string | undefined;
}

const builtIn: readonly Kind[] = [
  ConfigMap,
  CustomResourceDefinition,
  Deployment,
  Ingress,
  Lease,
  Namespace,
  Pod,
  Service,
];
const kinds = new Map([...builtIn, ...ownKinds].map((kind) => [resourceName(kind), kind]));
const own = new Set(ownKinds.map(resourceName));

/** Of a kind that is there only as long as its CRD is. */
export function isOwn(kind: Kind): boolean {
  return own.has(resourceName(kind));
}

/** Undefined for a kind that this server has never heard of. */
export function placeOf(path: string): Place | undefined {
  const [, api, ...rest] = path.split("/");
  const group = api === "api" ? "" : (rest.shift() ?? "");
  rest.shift();
  let namespace: string | undefined;
  if (rest[0] === "namespaces" && rest.length > 2) [, namespace] = rest.splice(0, 2);
  const [plural = "", name, part] = rest;
  const kind = kinds.get(group === "" ? plural : `${plural}.${group}`);
  return kind === undefined ? undefined : { kind, namespace, name, part };
}

export function isIn(namespace: string | undefined, object: KubeObject): boolean {
  return namespace === undefined || object.metadata.namespace === namespace;
}

export function isSelected(
  { metadata }: KubeObject,
  { fieldSelector, labelSelector }: NonNullable<KubeRequest["query"]>,
): boolean {
  if (fieldSelector !== undefined && fieldSelector !== `metadata.name=${metadata.name}`) return false;
  const parts = labelSelector === undefined ? [] : String(labelSelector).split(/,(?![^(]*\))/);
  return parts.every((part) => {
    const [, key = "", values = ""] = /^(\S+?)(?:=| in \()([^)]*)\)?$/.exec(part) ?? [];
    return values.split(",").some((value) => metadata.labels?.[key] === value.trim());
  });
}
