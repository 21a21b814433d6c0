// IPPolicy: a set of address ranges at ngrok that traffic policies admit or turn away.
import { defineKind } from "./define-kind.ts";
import type { CommonStatus, OwnKind, OwnObject } from "./define-kind.ts";
import {
  ageColumn,
  column,
  descriptionSchema,
  list,
  messageColumn,
  metadataSchema,
  object,
  readyColumn,
  reasonColumn,
  statusSchema,
  text,
  API_VERSION,
} from "./schema.ts";
import type { Metadata, ReasonOf } from "./schema.ts";

export interface IPPolicyRule {
  cidr: string;
  action: "allow" | "deny";
  description?: string;
  metadata?: Metadata;
}

export interface IPPolicySpec {
  description?: string;
  metadata?: Metadata;
  rules?: IPPolicyRule[];
}

export interface IPPolicyStatus extends CommonStatus {
  id?: string;
}

export interface IPPolicy extends OwnObject {
  spec: IPPolicySpec;
  status?: IPPolicyStatus;
}

export const ipPolicyReasons = {
  IPPolicyCreated: ["IPPolicyCreated", "IPPolicyCreationFailed"],
  IPPolicyRulesConfigured: ["IPPolicyRulesConfigured", "IPPolicyRulesConfigurationError", "IPPolicyInvalidCIDR"],
  Ready: ["IPPolicyActive", "IPPolicyRulesConfigurationError", "IPPolicyCreationFailed", "IPPolicyInvalidCIDR"],
} as const;
export type IPPolicyReason = ReasonOf<typeof ipPolicyReasons>;

/** IPv4 /0-/32 or IPv6 /0-/128 (also with an IPv4 tail); the prefix length must be there. */
export const cidrPattern: string = (() => {
  const octet = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
  const v4 = `(${octet}\\.){3}${octet}`;
  const group = "[0-9a-fA-F]{1,4}";
  const compressed = [1, 2, 3, 4, 5, 6].map((left) => `(${group}:){1,${left}}(:${group}){1,${7 - left}}`);
  const v6 = [
    `(${group}:){7}${group}`,
    `(${group}:){1,7}:`,
    ...compressed,
    `:((:${group}){1,7}|:)`,
    `(${group}:){6}${v4}`,
    `::(${group}:){0,5}${v4}`,
    ...[1, 2, 3, 4, 5].map((left) => `(${group}:){${left}}:(${group}:){0,${5 - left}}${v4}`),
  ].join("|");
  return `^(${v4}/([0-9]|[12][0-9]|3[0-2])|(${v6})/([0-9]|[1-9][0-9]|1[01][0-9]|12[0-8]))$`;
})();

export const IPPolicy: OwnKind<IPPolicy> = defineKind<IPPolicy>({
  group: "ingress.k8s.ngrok.com",
  versions: [API_VERSION],
  kind: "IPPolicy",
  plural: "ippolicies",
  singular: "ippolicy",
  shortNames: [],
  namespaced: true,
  description: "A list of address ranges at ngrok; traffic policies name it to let traffic in or turn it away.",
  spec: object("The policy as it should be at ngrok.", {
    description: descriptionSchema("the policy", "Created by ngrok-operator"),
    metadata: metadataSchema("the policy"),
    rules: list(
      "The address ranges. The order has no meaning: a source that a deny rule covers stays out.",
      object(
        "One address range.",
        {
          cidr: text("The range, with its prefix length: 203.0.113.0/24, 198.51.100.7/32 or 2001:db8::/32.", {
            pattern: cidrPattern,
          }),
          action: text("Whether the range is let in (allow) or turned away (deny).", { enum: ["allow", "deny"] }),
          description: descriptionSchema("the rule", "Created by ngrok-operator", { maxLength: 255 }),
          metadata: metadataSchema("the rule"),
        },
        ["action", "cidr"],
      ),
    ),
  }),
  status: statusSchema("the policy", { id: text("The id of the policy at ngrok (ipp_...).") }),
  columns: [column("ID", ".status.id"), readyColumn, ageColumn, reasonColumn, messageColumn],
  reasons: ipPolicyReasons,
});
