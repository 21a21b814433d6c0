// CloudEndpoint: an endpoint that ngrok serves in its own cloud, whether or not an agent of ours runs.
import { defineKind } from "./define-kind.ts";
import type { OwnKind, OwnObject } from "./define-kind.ts";
import {
  ageColumn,
  assignedUrlSchema,
  bindingsSchema,
  column,
  descriptionSchema,
  domainRefSchema,
  flag,
  freeObject,
  inlinePolicySchema,
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
import type { EndpointStatus, LocalRef, Metadata, ReasonOf } from "./schema.ts";

export interface CloudEndpointSpec {
  url: string;
  /** Not set means that ngrok's own default applies. */
  poolingEnabled?: boolean;
  trafficPolicy?: CloudEndpointTrafficPolicy;
  /** Deprecated: `trafficPolicy.targetRef.name` wins when set. */
  trafficPolicyName?: string;
  bindings?: string[];
  description?: string;
  metadata?: Metadata;
}

export interface CloudEndpointTrafficPolicy {
  inline?: Record<string, unknown>;
  targetRef?: LocalRef;
  /** Deprecated: `inline` and `targetRef` win when set. */
  policy?: Record<string, unknown>;
}

export interface CloudEndpointStatus extends EndpointStatus {
  id?: string;
}

export interface CloudEndpoint extends OwnObject {
  spec: CloudEndpointSpec;
  status?: CloudEndpointStatus;
}

/** `DomainReady` also carries the reason of the Domain's own Ready, and `Ready` that of whatever is missing. */
export const cloudEndpointReasons = {
  CloudEndpointCreated: ["CloudEndpointCreated", "CloudEndpointCreationFailed"],
  TrafficPolicyApplied: ["TrafficPolicyApplied", "TrafficPolicyError"],
  DomainReady: ["DomainReady", "DomainCreating", "DomainNotReady", "NgrokAPIError"],
  Ready: [
    "CloudEndpointActive",
    "DomainNotReady",
    "TrafficPolicyError",
    "CloudEndpointCreationFailed",
    "Pending",
    "Unknown",
  ],
} as const;
export type CloudEndpointReason = ReasonOf<typeof cloudEndpointReasons>;

export const CloudEndpoint: OwnKind<CloudEndpoint> = defineKind<CloudEndpoint>({
  group: "ngrok.k8s.ngrok.com",
  versions: [API_VERSION],
  kind: "CloudEndpoint",
  plural: "cloudendpoints",
  singular: "cloudendpoint",
  shortNames: ["clep"],
  namespaced: true,
  description: "An endpoint that ngrok serves in its cloud: it exists at ngrok for as long as this object does.",
  spec: object(
    "The endpoint as it should be at ngrok.",
    {
      url: text(
        "The address to serve, such as https://app.example.com, tcp://1.tcp.ngrok.io:12345 or https://app.internal.",
      ),
      poolingEnabled: flag(
        "Whether other endpoints may share the address, with traffic spread over all of them. Unset leaves it to ngrok.",
      ),
      trafficPolicy: object(
        "What ngrok does with each request or connection: written here, or taken from an NgrokTrafficPolicy.",
        {
          inline: inlinePolicySchema,
          targetRef: policyRefSchema,
          policy: freeObject("Deprecated: write `inline`. Used only where neither inline nor targetRef is set."),
        },
        [],
        {
          "x-kubernetes-validations": [
            {
              rule: "!(has(self.inline) && has(self.targetRef))",
              message: "spec.trafficPolicy.inline and spec.trafficPolicy.targetRef cannot both be set",
            },
          ],
        },
      ),
      trafficPolicyName: text("Deprecated: write trafficPolicy.targetRef. Name of an NgrokTrafficPolicy."),
      bindings: bindingsSchema,
      description: descriptionSchema("the endpoint", "Created by the ngrok-operator"),
      metadata: metadataSchema("the endpoint"),
    },
    ["url"],
  ),
  status: statusSchema("the endpoint", {
    id: text("The id of the endpoint at ngrok (ep_...)."),
    assignedURL: assignedUrlSchema,
    domainRef: domainRefSchema,
  }),
  columns: [
    column("ID", ".status.id"),
    column("URL", ".spec.url"),
    column("Bindings", ".spec.bindings"),
    ageColumn,
    readyColumn,
    reasonColumn,
    messageColumn,
  ],
  reasons: cloudEndpointReasons,
});
