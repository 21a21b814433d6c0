// Traffic policies as the translator handles them: phases of rules, read from an NgrokTrafficPolicy, joined, written out.
// Nothing here is ever changed in place, so one policy may serve many hosts.
import { isTooDeep, TOO_DEEP } from "#api/nesting.ts";

export interface Action {
  readonly type: string;
  /** As ngrok documents it for the type. */
  readonly config?: unknown;
}

export interface Rule {
  /** Any JSON scalar. */
  readonly name?: unknown;
  /** All must hold; none means always. */
  readonly expressions?: readonly string[];
  readonly actions: readonly Action[];
}

export interface Policy {
  readonly on_http_request: readonly Rule[];
  readonly on_http_response: readonly Rule[];
  readonly on_tcp_connect: readonly Rule[];
}

export type Phase = keyof Policy;
export const PHASES: readonly Phase[] = ["on_http_request", "on_http_response", "on_tcp_connect"];

export const EMPTY_POLICY: Policy = { on_http_request: [], on_http_response: [], on_tcp_connect: [] };

/** A policy of rules of one phase. */
export function policyWith(phase: Phase, rules: readonly Rule[]): Policy {
  return { ...EMPTY_POLICY, [phase]: rules };
}

/** One after the other, phase by phase. */
export function joinPolicies(policies: readonly Policy[]): Policy {
  const rules = (phase: Phase): Rule[] => policies.flatMap((policy) => policy[phase]);
  return {
    on_http_request: rules("on_http_request"),
    on_http_response: rules("on_http_response"),
    on_tcp_connect: rules("on_tcp_connect"),
  };
}

/** The policy as it stands in an endpoint: phases without rules are left out. */
export function policyJson(policy: Policy): Record<string, unknown> {
  return Object.fromEntries(PHASES.filter((phase) => policy[phase].length > 0).map((phase) => [phase, policy[phase]]));
}

/**
 * Reads `spec.policy` of an NgrokTrafficPolicy. Keys of rules and actions that are not known here stay as they are: they
 * are ngrok's to judge. `field` of a problem is a path from `spec.policy` on, the reason names the remedy.
 */
export function parsePolicy(
  policy: unknown,
): { readonly policy: Policy } | { readonly field: string; readonly reason: string } {
  if (policy === undefined || policy === null) return { policy: EMPTY_POLICY };
  if (!isObject(policy)) {
    return { field: "spec.policy", reason: `is not an object: write phases (${PHASES.join(", ")}), each with rules` };
  }
  if (isTooDeep(policy)) return { field: "spec.policy", reason: TOO_DEEP };
  const unknown = Object.keys(policy).find((key) => !(PHASES as readonly string[]).includes(key));
  if (unknown !== undefined) {
    return {
      field: `spec.policy.${unknown}`,
      reason: `is not a phase that ngrok knows: write ${PHASES.join(", ")} or remove it`,
    };
  }
  const read: Record<Phase, readonly Rule[]> = { ...EMPTY_POLICY };
  for (const phase of PHASES) {
    const rules = policy[phase];
    if (rules === undefined || rules === null) continue;
    if (!Array.isArray(rules)) return { field: `spec.policy.${phase}`, reason: "is not a list: write a list of rules" };
    for (const [at, rule] of rules.entries()) {
      const wrong = faultOf(rule);
      if (wrong !== undefined) {
        return { field: `spec.policy.${phase}[${at}]${wrong.field}`, reason: wrong.reason };
      }
    }
    read[phase] = rules as Rule[];
  }
  return { policy: read };
}

function faultOf(rule: unknown): { field: string; reason: string } | undefined {
  if (!isObject(rule)) return { field: "", reason: "is not an object: write a rule with actions" };
  const { name, expressions, actions } = rule;
  if (typeof name === "object" && name !== null)
    return { field: ".name", reason: "is neither text nor a number: write text" };
  const texts = Array.isArray(expressions) && expressions.every((one) => typeof one === "string");
  if (expressions !== undefined && expressions !== null && !texts)
    return { field: ".expressions", reason: "is not a list of texts: write one CEL expression an entry" };
  if (!Array.isArray(actions)) return { field: ".actions", reason: "is not a list: write at least one action" };
  const at = actions.findIndex((action) => !isObject(action) || typeof action["type"] !== "string");
  if (at >= 0) return { field: `.actions[${at}].type`, reason: "is missing: name what the rule is to do" };
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
