// IP policies and their rules at ngrok: find, change, remove. The rules of a policy go with it.
import type { Change, Freshness, Removed } from "./change.ts";

export interface RemoteIPPolicy {
  readonly id: string;
  readonly uri: string;
  readonly description: string;
  readonly metadata: string;
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
  /** The rules of one policy, fresh. ngrok lists an account's rules only as a whole: concurrent calls share one list. */
  rules(policyId: string, signal: AbortSignal): Promise<readonly RemoteIPPolicyRule[]>;
  changeRule(
    change: Change<RemoteIPPolicyRule, IPPolicyRuleBody, IPPolicyRulePatch>,
    signal: AbortSignal,
  ): Promise<RemoteIPPolicyRule>;
  removeRule(id: string, signal: AbortSignal): Promise<Removed>;
}
