// What an IPPolicy and its rules should be at ngrok, and the order of steps in which no source is ever admitted wrongly.
// Pure.
import type { Finding } from "#api/conditions.ts";
import type { IPPolicy, IPPolicySpec, IPPolicyReason } from "#api/ip-policy.ts";
import { metadataText } from "#api/metadata.ts";
import type { Change } from "#ngrok/change.ts";
import { code } from "#ngrok/errors.ts";
import type {
  IPPolicyBody,
  IPPolicyRuleBody,
  IPPolicyRulePatch,
  RemoteIPPolicy,
  RemoteIPPolicyRule,
} from "#ngrok/ip-policies.ts";
import { known } from "#wire/errors.ts";
import { creationFailed, failureText, finding } from "../../endpoint/conditions.ts";
import type { Shown } from "../../runtime/define-controller.ts";

const { holds, fails } = finding<IPPolicyReason>();

export type PolicyChange = Change<RemoteIPPolicy, IPPolicyBody, IPPolicyBody>;
export type RuleStep =
  | { readonly is: "remove"; readonly id: string }
  | { readonly is: "create"; readonly body: IPPolicyRuleBody }
  | { readonly is: "update"; readonly id: string; readonly patch: IPPolicyRulePatch };

export interface DesiredRule {
  readonly cidr: string;
  readonly action: "allow" | "deny";
  readonly description: string;
  readonly metadata: string;
}

export interface Desired {
  readonly policy: { readonly description: string; readonly metadata: string };
  readonly rules: readonly DesiredRule[];
}

export function desiredPolicy(spec: IPPolicySpec): Desired {
  return {
    policy: { description: spec.description ?? "", metadata: metadataText(spec.metadata) },
    rules: (spec.rules ?? []).map((rule) => ({
      cidr: rule.cidr,
      action: rule.action,
      description: rule.description ?? "",
      metadata: metadataText(rule.metadata),
    })),
  };
}

export function planPolicy({ policy }: Desired, remote: RemoteIPPolicy | undefined): PolicyChange {
  if (remote === undefined) return { is: "create", body: policy };
  const patch: IPPolicyBody = {
    ...(policy.description === remote.description ? {} : { description: policy.description }),
    ...(policy.metadata === remote.metadata ? {} : { metadata: policy.metadata }),
  };
  return Object.keys(patch).length === 0 ? { is: "none", remote } : { is: "update", id: remote.id, patch };
}

/** A policy that a lost creation left has no rules yet, or only such as we want: another's has its own. */
export function mayBeOurs(rules: readonly RemoteIPPolicyRule[], { rules: wanted }: Desired): boolean {
  return rules.every((rule) => wanted.some((one) => one.cidr === rule.cidr && one.action === rule.action));
}

/**
 * Phases, one after another; within one: removals, creations, updates.
 * 1 new denies, 2 allow -> deny, 3 deny -> allow, 4 new allows, 5 what the spec does not name goes, 6 texts.
 * A CIDR that the spec names twice with both actions is denied. Each phase can be done in parallel.
 */
export function planRules(
  policyId: string,
  { rules: wanted }: Desired,
  remote: readonly RemoteIPPolicyRule[],
): readonly (readonly RuleStep[])[] {
  const phases: [RuleStep[], RuleStep[], RuleStep[], RuleStep[], RuleStep[], RuleStep[]] = [[], [], [], [], [], []];
  const [denies, tightened, loosened, allows, gone, texts] = phases;
  const rest = new Map<string, RemoteIPPolicyRule[]>();
  for (const rule of remote) rest.set(rule.cidr, [...(rest.get(rule.cidr) ?? []), rule]);
  for (const rule of byCidr(wanted).values()) {
    const there = rest.get(rule.cidr) ?? [];
    rest.delete(rule.cidr);
    const same = there.find((one) => one.action === rule.action);
    const others = there.filter((one) => one !== same).map((one): RuleStep => ({ is: "remove", id: one.id }));
    if (same !== undefined) {
      texts.push(...textStep(rule, same));
      // A rule of the other action beside it, or a double, is left over from an interrupted run.
      gone.push(...others);
      continue;
    }
    const create: RuleStep = { is: "create", body: { policyId, ...rule } };
    const phase =
      rule.action === "deny" ? (there.length === 0 ? denies : tightened) : there.length === 0 ? allows : loosened;
    phase.push(...others, create);
  }
  for (const rule of [...rest.values()].flat()) gone.push({ is: "remove", id: rule.id });
  return phases.map(inOrder).filter((phase) => phase.length > 0);
}

function byCidr(wanted: readonly DesiredRule[]): Map<string, DesiredRule> {
  const rules = new Map<string, DesiredRule>();
  for (const rule of wanted) if (rules.get(rule.cidr)?.action !== "deny") rules.set(rule.cidr, rule);
  return rules;
}

function textStep(rule: DesiredRule, remote: RemoteIPPolicyRule): readonly RuleStep[] {
  const patch: IPPolicyRulePatch = {
    ...(rule.description === remote.description ? {} : { description: rule.description }),
    ...(rule.metadata === remote.metadata ? {} : { metadata: rule.metadata }),
  };
  return Object.keys(patch).length === 0 ? [] : [{ is: "update", id: remote.id, patch }];
}

const order = { remove: 0, create: 1, update: 2 } as const;

function inOrder(steps: readonly RuleStep[]): readonly RuleStep[] {
  return steps.toSorted((a, b) => order[a.is] - order[b.is]);
}

/** How far a reconcile came. */
export type Reached =
  | { readonly is: "there"; readonly id: string }
  /** `mayBeThere`: one may have been made whose id nobody knows; it is looked up only where no id is recorded. */
  | { readonly is: "no policy"; readonly error: unknown; readonly mayBeThere: boolean }
  | { readonly is: "no rules"; readonly id: string; readonly error: unknown };

export function showPolicy({ status }: Pick<IPPolicy, "status">, reached: Reached): Shown<IPPolicy> {
  const known = reached.is === "no policy" && reached.mayBeThere ? undefined : status?.id;
  const id = reached.is === "no policy" ? known : reached.id;
  return { fields: id === undefined ? {} : { id }, findings: findingsOf(reached) };
}

function findingsOf(reached: Reached): readonly Finding[] {
  const created = holds("IPPolicyCreated", "IPPolicyCreated", "IP policy successfully created");
  switch (reached.is) {
    case "there":
      return [
        created,
        holds("IPPolicyRulesConfigured", "IPPolicyRulesConfigured", "IP policy rules successfully configured"),
        holds("Ready", "IPPolicyActive", "IP policy is active"),
      ];
    case "no policy": {
      const failed = creationFailed("IPPolicyCreated", "IPPolicyCreationFailed", reached.error, reached.mayBeThere);
      const waits = fails("IPPolicyRulesConfigured", "IPPolicyRulesConfigurationError", "Waiting for the policy");
      return [failed, waits, fails("Ready", "IPPolicyCreationFailed", failed.message)];
    }
    case "no rules": {
      const reason =
        known(reached.error).code === code.invalidCIDR ? "IPPolicyInvalidCIDR" : "IPPolicyRulesConfigurationError";
      const message = failureText(reached.error);
      return [created, fails("IPPolicyRulesConfigured", reason, message), fails("Ready", reason, message)];
    }
  }
}
