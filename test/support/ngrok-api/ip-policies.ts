// /ip_policies and /ip_policy_rules. A policy's rules go with it.
import { isIP } from "node:net";
import { description, metadata, readFields, required, text } from "./body.ts";
import { Collection, type Remote } from "./collection.ts";
import { cidrExists, invalidAction, invalidCidr, noSuchPolicy } from "./errors.ts";
import { newId, timestamp } from "./ids.ts";
import { resourceOf, type Resource } from "./resource.ts";

interface IpPolicy extends Remote {
  readonly created_at: string;
  description: string;
  metadata: string;
}

interface IpPolicyRule extends IpPolicy {
  cidr: string;
  readonly ip_policy: { id: string; uri: string };
  readonly action: string;
}

const policyFields = { description, metadata };
const ruleChangeable = { ...policyFields, cidr: text };
const ruleCreatable = { ...ruleChangeable, ip_policy_id: text, action: text };

export function ipPolicies(): { readonly policies: Resource; readonly rules: Resource } {
  const policies = new Collection<IpPolicy>();
  const rules = new Collection<IpPolicyRule>();
  /** policy id -> CIDR -> rule id */
  const byCidr = new Map<string, Map<string, string>>();
  return {
    policies: resourceOf<IpPolicy>(
      {
        name: "ip_policies",
        title: "IP Policy",
        create(body, base) {
          const fields = readFields(body, policyFields);
          const id = newId("ipp");
          byCidr.set(id, new Map());
          return {
            id,
            uri: `${base}/ip_policies/${id}`,
            created_at: timestamp(),
            description: fields.description ?? "",
            metadata: fields.metadata ?? "",
          };
        },
        update: describe,
        removed(policy) {
          for (const ruleId of byCidr.get(policy.id)?.values() ?? []) rules.delete(ruleId);
          byCidr.delete(policy.id);
        },
      },
      policies,
    ),
    rules: ipPolicyRules(policies, rules, byCidr),
  };
}

function describe(policy: IpPolicy, body: unknown): void {
  const fields = readFields(body, policyFields);
  policy.description = fields.description ?? policy.description;
  policy.metadata = fields.metadata ?? policy.metadata;
}

function ipPolicyRules(
  policies: Collection<IpPolicy>,
  rules: Collection<IpPolicyRule>,
  byCidr: Map<string, Map<string, string>>,
): Resource {
  const kind = {
    name: "ip_policy_rules",
    title: "IP Policy Rule",
    create(body: unknown, base: string): IpPolicyRule {
      const fields = readFields(body, ruleCreatable);
      const policyId = required(fields.ip_policy_id, "ip_policy_id");
      const policy = policies.get(policyId);
      const taken = byCidr.get(policyId);
      if (!policy || !taken) throw noSuchPolicy(policyId);
      const cidr = cidrOf(required(fields.cidr, "cidr"));
      if (fields.action !== "allow" && fields.action !== "deny") throw invalidAction();
      if (taken.has(cidr)) throw cidrExists(cidr);
      const id = newId("ipr");
      taken.set(cidr, id);
      return {
        id,
        uri: `${base}/ip_policy_rules/${id}`,
        created_at: timestamp(),
        description: fields.description ?? "",
        metadata: fields.metadata ?? "",
        cidr,
        ip_policy: { id: policy.id, uri: policy.uri },
        action: fields.action,
      };
    },
    update(rule: IpPolicyRule, body: unknown): void {
      const fields = readFields(body, ruleChangeable);
      const cidr = fields.cidr === undefined ? rule.cidr : cidrOf(fields.cidr);
      const taken = byCidr.get(rule.ip_policy.id);
      if (cidr !== rule.cidr) {
        if (taken?.has(cidr)) throw cidrExists(cidr);
        taken?.delete(rule.cidr);
        taken?.set(cidr, rule.id);
      }
      rule.cidr = cidr;
      rule.description = fields.description ?? rule.description;
      rule.metadata = fields.metadata ?? rule.metadata;
    },
    removed(rule: IpPolicyRule): void {
      byCidr.get(rule.ip_policy.id)?.delete(rule.cidr);
    },
  };
  return resourceOf<IpPolicyRule>(kind, rules);
}

function cidrOf(given: string): string {
  const [address = "", bits = "", ...more] = given.split("/");
  const family = isIP(address);
  const ok = family !== 0 && more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
  if (!ok) throw invalidCidr(given);
  return given;
}
