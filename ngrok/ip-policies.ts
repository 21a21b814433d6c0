// IP policies and their rules at ngrok: find, change, remove. The rules of a policy go with it.
import { child, maybe, text, type Fields } from "./answer.ts";
import type { Change, Freshness, Removed } from "./change.ts";
import { collection, type Ground, type Shape } from "./collection.ts";
import { unreadable } from "./errors.ts";

export interface RemoteIPPolicy {
  readonly id: string;
  readonly uri: string;
  readonly description: string;
  readonly metadata: string;
  /** RFC 3339; undefined when ngrok does not say it. */
  readonly createdAt?: string | undefined;
}

export interface IPPolicyBody {
  readonly description?: string | undefined;
  readonly metadata?: string | undefined;
}

export interface RemoteIPPolicyRule {
  readonly id: string;
  readonly policyId: string;
  readonly cidr: string;
  readonly action: "allow" | "deny";
  readonly description: string;
  readonly metadata: string;
}

/** ngrok cannot change a rule's action: delete it and create another. */
export interface IPPolicyRulePatch {
  readonly cidr?: string | undefined;
  readonly description?: string | undefined;
  readonly metadata?: string | undefined;
}

export interface IPPolicyRuleBody extends IPPolicyRulePatch {
  readonly policyId: string;
  readonly cidr: string;
  readonly action: "allow" | "deny";
}

export interface IPPoliciesPort {
  find(by: { readonly id: string }, signal: AbortSignal): Promise<RemoteIPPolicy | undefined>;
  /** All policies with exactly this description and metadata: a policy has no other key (see EndpointsPort.matching). */
  matching(
    by: { readonly description: string; readonly metadata: string } & Freshness,
    signal: AbortSignal,
  ): Promise<readonly RemoteIPPolicy[]>;
  change(change: Change<RemoteIPPolicy, IPPolicyBody, IPPolicyBody>, signal: AbortSignal): Promise<RemoteIPPolicy>;
  remove(id: string, signal: AbortSignal): Promise<Removed>;
  /**
   * The rules of one policy. ngrok lists an account's rules only as a whole: all calls for whom it is fresh enough share
   * one list, and what it named is read by id, so that 10,000 policies do not cost 10,000 lists.
   */
  rules(by: { readonly policyId: string } & Freshness, signal: AbortSignal): Promise<readonly RemoteIPPolicyRule[]>;
  changeRule(
    change: Change<RemoteIPPolicyRule, IPPolicyRuleBody, IPPolicyRulePatch>,
    signal: AbortSignal,
  ): Promise<RemoteIPPolicyRule>;
  removeRule(id: string, signal: AbortSignal): Promise<Removed>;
}

/** The port over a client's calls. */
export function ipPolicies(ground: Ground): IPPoliciesPort {
  const policies = collection(ground, policyShape);
  const rules = collection(ground, ruleShape);
  return {
    find: async ({ id }, signal) => await policies.find(id, signal),
    matching: async ({ description, metadata, asOf }, signal) =>
      await policies.matching(keyOf({ description, metadata }), { asOf }, signal),
    change: policies.change,
    remove: policies.remove,
    rules: async ({ policyId, asOf }, signal) => await rules.matching(policyId, { asOf }, signal),
    changeRule: rules.change,
    removeRule: rules.remove,
  };
}

const policyShape: Shape<RemoteIPPolicy, IPPolicyBody, IPPolicyBody> = {
  path: "/ip_policies",
  field: "ip_policies",
  keys: (policy) => [keyOf(policy)],
  create: policyPatch,
  update: policyPatch,
  read: (of, id) => ({
    id,
    uri: text(of, "uri"),
    description: text(of, "description"),
    metadata: text(of, "metadata"),
    createdAt: maybe(of, "created_at"),
  }),
};

const ruleShape: Shape<RemoteIPPolicyRule, IPPolicyRuleBody, IPPolicyRulePatch> = {
  path: "/ip_policy_rules",
  field: "ip_policy_rules",
  keys: ({ policyId }) => [policyId],
  create: (body) => ({ ip_policy_id: body.policyId, action: body.action, ...rulePatch(body) }),
  update: rulePatch,
  read: (of, id) => ({
    id,
    policyId: text(child(of, "ip_policy") ?? {}, "id"),
    cidr: text(of, "cidr"),
    action: actionOf(of),
    description: text(of, "description"),
    metadata: text(of, "metadata"),
  }),
};

function policyPatch({ description, metadata }: IPPolicyBody): object {
  return { description, metadata };
}

function rulePatch({ cidr, description, metadata }: IPPolicyRulePatch): object {
  return { cidr, description, metadata };
}

/** A rule of unknown action must not be taken for either: it decides who gets in. */
function actionOf(of: Fields): "allow" | "deny" {
  const action = text(of, "action");
  if (action !== "allow" && action !== "deny") throw unreadable(`an IP policy rule with the action "${action}"`);
  return action;
}

function keyOf({ description, metadata }: { readonly description: string; readonly metadata: string }): string {
  return JSON.stringify([description, metadata]);
}
