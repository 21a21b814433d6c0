// The two Services of a BoundEndpoint: in front of the forwarders one in its own namespace, and under the name that
// workloads use one that leads there. Pure.
import { bindingLabels, boundBy, ENDPOINT_URL, ENDPOINT_URL_LEGACY, isBoundFor } from "#api/binding.ts";
import type { BoundEndpoint } from "#api/bound-endpoint.ts";
import { keyOf, refOf } from "#kube/kind.ts";
import type { ServiceObject, ServicePort } from "#kube/kinds.ts";
import type { JsonPatchOperation } from "#kube/writer.ts";
import { missing, sameJson } from "../../endpoint/difference.ts";
import { withdrawal, withMemory } from "./given.ts";

const MANAGED_BY = { "app.kubernetes.io/managed-by": "ngrok-operator" };
const COMMON = { sessionAffinity: "ClientIP", internalTrafficPolicy: "Cluster" };

export interface Place {
  /** E.g. `svc.cluster.local`. */
  readonly clusterDomain: string;
  /** Helm's release: the forwarders of another one in the same namespace are not ours to send to. */
  readonly instance: string;
}

/** In front of the forwarders of this release, at the port at which they listen for the endpoint. */
export function upstreamService({ metadata, spec }: BoundEndpoint, { clusterDomain, instance }: Place): ServiceObject {
  const { name, namespace = "" } = metadata;
  const host = `${name}.${namespace}.${clusterDomain}`;
  const { protocol, port } = spec.target;
  return {
    metadata: {
      name,
      namespace,
      labels: { ...MANAGED_BY, ...bindingLabels(namespace, name) },
      annotations: { [ENDPOINT_URL]: host, [ENDPOINT_URL_LEGACY]: host },
    },
    spec: {
      type: "ClusterIP",
      selector: { "app.kubernetes.io/component": "bindings-forwarder", "app.kubernetes.io/instance": instance },
      ports: [{ name: spec.scheme, protocol, port, targetPort: spec.port }],
      ...COMMON,
    },
  };
}

/** Under the name that workloads use. */
export function targetService({ metadata, spec }: BoundEndpoint, { clusterDomain }: Place): ServiceObject {
  const { name, namespace = "" } = metadata;
  const { service, namespace: targetNamespace, protocol, port, metadata: given = {} } = spec.target;
  const annotations = withMemory(given);
  return {
    metadata: {
      name: service,
      namespace: targetNamespace,
      labels: { ...MANAGED_BY, ...given.labels, ...bindingLabels(namespace, name) },
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec: {
      type: "ExternalName",
      externalName: `${name}.${namespace}.${clusterDomain}`,
      ports: [{ name: spec.scheme, protocol, port, targetPort: port }],
      ...COMMON,
    },
  };
}

export type ServiceStep =
  | { readonly is: "create" | "none" }
  | { readonly is: "patch"; readonly operations: readonly JsonPatchOperation[] }
  /** Nothing is done about it before somebody has changed something; a sentence for people. */
  | { readonly is: "blocked"; readonly why: string };

export function planService(
  wanted: ServiceObject,
  stored: ServiceObject | undefined,
  endpoint: BoundEndpoint,
): ServiceStep {
  if (stored === undefined) return { is: "create" };
  const name = `Service ${keyOf(refOf(wanted))}`;
  if (!isBoundFor(stored.metadata.labels, endpoint.metadata)) {
    const owner = boundBy(stored.metadata.labels);
    const why =
      owner === undefined
        ? `${name} was not made by the operator and is left as it is: rename or delete it, or give the endpoint another host`
        : `${name} serves BoundEndpoint ${keyOf(owner)}: give one of the two endpoints another host`;
    return { is: "blocked", why };
  }
  if (stored.metadata.deletionTimestamp !== undefined)
    return { is: "blocked", why: `${name} is being deleted: it is made anew once it is gone` };
  const operations = serviceChange(wanted, stored);
  return operations.length === 0 ? { is: "none" } : { is: "patch", operations };
}

/** Sent as for any Service, and not stored for one that is only a name. */
const UNSTORED = "internalTrafficPolicy";

/** What makes the fields that are ours say what is wanted; the others, the labels of others among them, stay. */
function serviceChange(wanted: ServiceObject, stored: ServiceObject): JsonPatchOperation[] {
  const has: Readonly<Record<string, unknown>> = { ...stored.spec, ports: stored.spec?.ports?.map(portOf) };
  const differing = Object.entries(wanted.spec ?? {}).filter(
    ([field, value]) => !sameJson(has[field], value) && (field !== UNSTORED || wanted.spec?.type !== "ExternalName"),
  );
  return [
    ...differing.map(([field, value]): JsonPatchOperation => ({ op: "add", path: `/spec/${field}`, value })),
    ...missing("/metadata/labels", wanted.metadata.labels, stored.metadata.labels),
    ...missing("/metadata/annotations", wanted.metadata.annotations, stored.metadata.annotations),
    ...withdrawal(wanted, stored),
  ];
}

/** The fields of a port that are ours. */
function portOf({ name, protocol, port, targetPort }: ServicePort): ServicePort {
  return {
    ...(name === undefined ? {} : { name }),
    ...(protocol === undefined ? {} : { protocol }),
    port,
    ...(targetPort === undefined ? {} : { targetPort }),
  };
}
