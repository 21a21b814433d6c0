// AgentEndpoint: an endpoint whose traffic the agents in this cluster receive and pass to an upstream.
import { defineKind } from "./define-kind.ts";
import type { OwnKind, OwnObject, Schema } from "./define-kind.ts";
import {
  ageColumn,
  assignedUrlSchema,
  bindingsSchema,
  column,
  descriptionSchema,
  domainRefSchema,
  inlinePolicySchema,
  list,
  localRef,
  messageColumn,
  metadataSchema,
  object,
  policyRefSchema,
  readyColumn,
  reasonColumn,
  statusSchema,
  text,
  API_VERSION,
} from "./schema.ts";
import { replicaFieldManager, type ReplicaEntry, replicasSchema } from "./replica.ts";
import type { EndpointStatus, LocalRef, Metadata, ReasonOf } from "./schema.ts";

export interface AgentEndpointSpec {
  url: string;
  upstream: AgentEndpointUpstream;
  /** Exactly one of the two, which the schema enforces. */
  trafficPolicy?: { inline?: Record<string, unknown>; targetRef?: LocalRef };
  bindings?: string[];
  clientCertificateRefs?: LocalRef[];
  description?: string;
  metadata?: Metadata;
  tlsTermination?: AgentTlsTermination;
}

export interface AgentEndpointUpstream {
  url: string;
  protocol?: "http1" | "http2";
  proxyProtocolVersion?: "1" | "2";
}

export interface AgentTlsTermination {
  serverCertificateRef?: LocalRef;
  mutualTLS?: { clientCAsRef: LocalRef; mode?: "require" | "request" };
}

export interface AgentEndpointStatus extends EndpointStatus {
  /** `inline`, `none`, or the name of an NgrokTrafficPolicy. */
  trafficPolicy?: string;
  /** One entry per agent, each written by that agent alone; the conditions are made of them by the leader alone. */
  replicas?: AgentReplica[];
}

/** What one agent says of the endpoint. EndpointCreated: what the spec says is open; else why it is not. */
export interface AgentReplica extends ReplicaEntry<AgentReplicaReason> {
  /** Where this agent serves now: what was open before, where the latest spec could not be opened; absent when nothing is. */
  assignedURL?: string;
}

/** SecretNotFound is a ConfigurationError that the leader tells under a name of its own. */
export const agentReplicaReasons = [
  "EndpointCreated",
  "NgrokAPIError",
  "ConfigurationError",
  "SecretNotFound",
  "TrafficPolicyError",
] as const;
export type AgentReplicaReason = (typeof agentReplicaReasons)[number];

/** The field manager under which an agent applies its entry of `status.replicas`. */
export function agentFieldManager(pod: string): string {
  return replicaFieldManager("agent", pod);
}

export interface AgentEndpoint extends OwnObject {
  spec: AgentEndpointSpec;
  status?: AgentEndpointStatus;
}

/** `DomainReady` also carries the reason of the Domain's own Ready, and `Ready` that of whatever is missing. */
export const agentEndpointReasons = {
  EndpointCreated: ["EndpointCreated", "NgrokAPIError", "ConfigurationError"],
  TrafficPolicyApplied: ["TrafficPolicyApplied", "TrafficPolicyError"],
  DomainReady: ["DomainReady", "DomainCreating", "DomainNotReady", "NgrokAPIError"],
  Ready: [
    "EndpointActive",
    "DomainNotReady",
    "TrafficPolicyError",
    "NgrokAPIError",
    "ConfigurationError",
    "Pending",
    "Unknown",
  ],
} as const;
export type AgentEndpointReason = ReasonOf<typeof agentEndpointReasons>;

const upstream: Schema = object(
  "Where the agents send the traffic.",
  {
    url: text(
      "The address in the cluster, such as http://web.shop.svc:8080; a bare port means this port on localhost.",
    ),
    protocol: text("The HTTP version to speak to the upstream.", { enum: ["http1", "http2"] }),
    proxyProtocolVersion: text("The PROXY protocol version that tells the upstream the client's address.", {
      enum: ["1", "2"],
    }),
  },
  ["url"],
);

const tlsTermination: Schema = object("How the agents end TLS themselves; only for a tls:// url.", {
  serverCertificateRef: localRef(
    "The certificate that is shown to clients.",
    "Name of a Secret of type kubernetes.io/tls in the namespace of this object.",
  ),
  mutualTLS: object(
    "Asks clients for a certificate of their own.",
    {
      clientCAsRef: localRef(
        "The authorities whose client certificates are trusted.",
        "Name of a Secret in the namespace of this object that holds them under the key ca.crt.",
      ),
      mode: text("require turns clients without a certificate away; request checks one only where it is sent.", {
        enum: ["require", "request"],
        default: "require",
      }),
    },
    ["clientCAsRef"],
  ),
});

export const AgentEndpoint: OwnKind<AgentEndpoint> = defineKind<AgentEndpoint>({
  group: "ngrok.k8s.ngrok.com",
  versions: [API_VERSION],
  kind: "AgentEndpoint",
  plural: "agentendpoints",
  singular: "agentendpoint",
  shortNames: ["aep"],
  namespaced: true,
  description:
    "An endpoint whose traffic the operator's agents receive from ngrok and pass to an upstream in the cluster.",
  spec: object(
    "The endpoint and its upstream.",
    {
      url: text(
        "Where ngrok listens: https://app.example.com, tls://db.example.com, tcp://1.tcp.ngrok.io:12345, " +
          "https://app.internal, or http://service.namespace:80 with the kubernetes binding.",
      ),
      upstream,
      trafficPolicy: object(
        "What ngrok does with each request or connection: written here, or taken from an NgrokTrafficPolicy.",
        { inline: inlinePolicySchema, targetRef: policyRefSchema },
        [],
        {
          "x-kubernetes-validations": [
            {
              rule: "[has(self.inline), has(self.targetRef)].exists_one(x, x)",
              message: "exactly one of inline or targetRef must be set on trafficPolicy",
            },
          ],
        },
      ),
      bindings: bindingsSchema,
      clientCertificateRefs: list(
        "The certificates that the agents show to the upstream.",
        localRef("One certificate.", "Name of a Secret of type kubernetes.io/tls in the namespace of this object."),
      ),
      description: descriptionSchema("the endpoint", "Created by the ngrok-operator"),
      metadata: metadataSchema("the endpoint"),
      tlsTermination,
    },
    ["upstream", "url"],
    {
      "x-kubernetes-validations": [
        {
          rule: "!has(self.tlsTermination) || self.url.startsWith('tls://')",
          message: "spec.url must be a tls:// URL when tlsTermination is set",
        },
      ],
    },
  ),
  status: statusSchema("the endpoint", {
    assignedURL: assignedUrlSchema,
    trafficPolicy: text("Which traffic policy is in force: inline, none, or the name of an NgrokTrafficPolicy."),
    domainRef: domainRefSchema,
    replicas: replicasSchema("the agent", agentReplicaReasons, {
      assignedURL: text("The address at which this agent serves the endpoint; none when it serves nothing.", {
        maxLength: 2048,
      }),
    }),
  }),
  columns: [
    column("URL", ".spec.url"),
    column("Upstream URL", ".spec.upstream.url"),
    column("Bindings", ".spec.bindings"),
    readyColumn,
    ageColumn,
    reasonColumn,
    messageColumn,
  ],
  reasons: agentEndpointReasons,
});
