// BoundEndpoint: an endpoint of the account that is served inside this cluster, under the name of a Service.
import { defineKind } from "./define-kind.ts";
import type { CommonStatus, OwnKind, OwnObject } from "./define-kind.ts";
import {
  ageColumn,
  column,
  conditionColumn,
  integer,
  list,
  localRef,
  messageColumn,
  namespacedRef,
  object,
  readyColumn,
  reasonColumn,
  statusSchema,
  stringMap,
  text,
  API_VERSION,
} from "./schema.ts";
import { replicaFieldManager, type ReplicaEntry, replicasSchema } from "./replica.ts";
import type { LocalRef, NamespacedRef } from "./schema.ts";

export type BoundEndpointScheme = "tcp" | "http" | "https" | "tls";

export interface BoundEndpointTarget {
  service: string;
  namespace: string;
  protocol: "TCP";
  port: number;
  metadata?: { labels?: Record<string, string>; annotations?: Record<string, string> };
}

export interface BoundEndpointSpec {
  endpointURL: string;
  /** The port at which every forwarder listens for this endpoint. */
  port: number;
  scheme: BoundEndpointScheme;
  target: BoundEndpointTarget;
}

export interface BoundEndpointStatus extends CommonStatus {
  endpoints?: { id?: string; uri?: string }[];
  endpointsSummary?: string;
  hashedName?: string;
  targetServiceRef?: NamespacedRef;
  upstreamServiceRef?: LocalRef;
  /** One entry per forwarder, each written by that forwarder alone; the conditions are made of them by the leader alone. */
  replicas?: ForwarderReplica[];
}

/**
 * What one forwarder says of the endpoint.
 * - Listening: its port is open, and what came to it last was passed on.
 * - UpgradeFailed: its port is open, but the last connection did not reach the endpoint; the message says why.
 * - PortUnavailable: another process or BoundEndpoint has the port, or it may not be opened.
 * - NotConfigured: the KubernetesOperator names no binding ingress yet, so the port is closed.
 * - CertificateUnusable: the Secret of the binding is missing or no pair; what was open goes on with the pair before.
 * - InvalidEndpoint: endpointURL or port of the spec cannot be served.
 */
export type ForwarderReplica = ReplicaEntry<ForwarderReplicaReason>;

export const forwarderReplicaReasons = [
  "Listening",
  "UpgradeFailed",
  "PortUnavailable",
  "NotConfigured",
  "CertificateUnusable",
  "InvalidEndpoint",
] as const;
export type ForwarderReplicaReason = (typeof forwarderReplicaReasons)[number];

/** The field manager under which a forwarder applies its entry of `status.replicas`. */
export function forwarderFieldManager(pod: string): string {
  return replicaFieldManager("bindings-forwarder", pod);
}

export interface BoundEndpoint extends OwnObject {
  spec: BoundEndpointSpec;
  status?: BoundEndpointStatus;
}

export const boundEndpointReasons = {
  ServicesCreated: ["ServicesCreated", "ServiceCreationFailed"],
  ConnectivityVerified: ["ConnectivityVerified", "ConnectivityFailed"],
  Ready: [
    "BoundEndpointReady",
    "ServiceCreationFailed",
    "ServicesNotCreated",
    "ConnectivityFailed",
    "ConnectivityNotVerified",
    "Unknown",
  ],
} as const;

const endpointUrlPattern =
  "^((?P<scheme>(tcp|http|https|tls)?)://)?(?P<service>[a-z][a-zA-Z0-9-]{0,62})" +
  "\\.(?P<namespace>[a-z][a-zA-Z0-9-]{0,62})(:(?P<port>\\d+))?$";

export const BoundEndpoint: OwnKind<BoundEndpoint> = defineKind<BoundEndpoint>({
  group: "bindings.k8s.ngrok.com",
  versions: [API_VERSION],
  kind: "BoundEndpoint",
  plural: "boundendpoints",
  singular: "boundendpoint",
  shortNames: [],
  namespaced: true,
  description:
    "An endpoint with the kubernetes binding that is served inside this cluster. The operator makes these; do not edit them.",
  spec: object(
    "Which endpoint is served, and under which Service.",
    {
      endpointURL: text("The address of the endpoint: <scheme>://<service>.<namespace>:<port>.", {
        pattern: endpointUrlPattern,
      }),
      port: integer("The port at which the forwarders listen for this endpoint, chosen by the operator."),
      scheme: text("What is spoken to the endpoint.", { enum: ["tcp", "http", "https", "tls"], default: "https" }),
      target: object(
        "The Service under which workloads of the cluster reach the endpoint.",
        {
          service: text("Name of the Service."),
          namespace: text("Namespace of the Service; it must exist."),
          protocol: text("The Service's protocol.", { enum: ["TCP"], default: "TCP" }),
          port: integer("The Service's port.", { format: "int32" }),
          metadata: object("What is put on the Service besides the operator's own.", {
            labels: stringMap("Labels for the Service.", "The label's value."),
            annotations: stringMap("Annotations for the Service.", "The annotation's value."),
          }),
        },
        ["namespace", "port", "protocol", "service"],
      ),
    },
    ["endpointURL", "port", "scheme", "target"],
  ),
  status: statusSchema("the endpoint and its Services", {
    endpoints: list(
      "The endpoints at ngrok that share the address.",
      object("One endpoint.", {
        id: text("The id of the endpoint at ngrok (ep_...)."),
        uri: text("The address of the endpoint in ngrok's API."),
      }),
    ),
    endpointsSummary: text("How many endpoints share the address, in words."),
    hashedName: text("The name of this object as it follows from the address."),
    targetServiceRef: namespacedRef("The Service that workloads use."),
    upstreamServiceRef: localRef("The Service in front of the forwarders.", "Name of the Service."),
    replicas: replicasSchema("the forwarder", forwarderReplicaReasons),
  }),
  columns: [
    column("URL", ".spec.endpointURL"),
    column("Port", ".spec.port", 0, "integer"),
    column("Endpoints", ".status.endpointsSummary"),
    conditionColumn("Services", "ServicesCreated"),
    readyColumn,
    ageColumn,
    reasonColumn,
    messageColumn,
  ],
  reasons: boundEndpointReasons,
});
