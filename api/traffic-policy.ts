// NgrokTrafficPolicy: a traffic policy that several endpoints share by its name.
import { defineKind } from "./define-kind.ts";
import type { CommonStatus, OwnKind, OwnObject } from "./define-kind.ts";
import { ageColumn, freeObject, object, readyColumn, reasonColumn, statusSchema, API_VERSION } from "./schema.ts";
import type { ReasonOf } from "./schema.ts";

export interface NgrokTrafficPolicySpec {
  /** Lists of rules by phase (on_http_request, on_tcp_connect ...), as ngrok documents them. */
  policy?: Record<string, unknown>;
}

export interface NgrokTrafficPolicy extends OwnObject {
  spec: NgrokTrafficPolicySpec;
  status?: CommonStatus;
}

const validity = [
  "TrafficPolicyValid",
  "TrafficPolicyParseFailed",
  "LegacyPolicyFormat",
  "EnabledFieldDeprecated",
] as const;

/** Both conditions always carry the same status and reason. */
export const trafficPolicyReasons = { Valid: validity, Ready: validity } as const;
export type TrafficPolicyReason = ReasonOf<typeof trafficPolicyReasons>;

export const NgrokTrafficPolicy: OwnKind<NgrokTrafficPolicy> = defineKind<NgrokTrafficPolicy>({
  group: "ngrok.k8s.ngrok.com",
  versions: [API_VERSION],
  kind: "NgrokTrafficPolicy",
  plural: "ngroktrafficpolicies",
  singular: "ngroktrafficpolicy",
  shortNames: [],
  namespaced: true,
  description: "A traffic policy under a name: endpoints, Ingresses and Gateways of the same namespace refer to it.",
  spec: object("The policy.", {
    policy: freeObject("Lists of rules by phase, such as on_http_request and on_tcp_connect, as ngrok documents them."),
  }),
  status: statusSchema("the policy"),
  columns: [readyColumn, reasonColumn, ageColumn],
  reasons: trafficPolicyReasons,
});
