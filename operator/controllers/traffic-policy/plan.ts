// Whether a traffic policy has the shape that ngrok takes: an object of phases, each a list of rules. Pure.
import type { Finding } from "#api/conditions.ts";
import { isTooDeep, TOO_DEEP } from "#api/nesting.ts";
import type { NgrokTrafficPolicy, TrafficPolicyReason } from "#api/traffic-policy.ts";
import type { Shown } from "../../runtime/define-controller.ts";

export interface Verdict {
  readonly valid: boolean;
  readonly reason: TrafficPolicyReason;
  readonly message: string;
}

const LEGACY_PHASES = ["inbound", "outbound"];

export function judge(policy: unknown): Verdict {
  if (policy === undefined) return { valid: true, reason: "TrafficPolicyValid", message: "Traffic policy is valid" };
  if (typeof policy !== "object" || policy === null || Array.isArray(policy)) {
    return broken("spec.policy is not an object: write phases such as on_http_request, each with a list of rules");
  }
  if (isTooDeep(policy)) return broken(`spec.policy ${TOO_DEEP}`);
  const { enabled, ...phases } = policy as Record<string, unknown>;
  if (enabled !== undefined && typeof enabled !== "boolean")
    return broken("spec.policy.enabled is neither true nor false: remove it");
  const wrong = Object.entries(phases).find(([, rules]) => !Array.isArray(rules));
  if (wrong !== undefined) return broken(`spec.policy.${wrong[0]} is not a list of rules: write one`);
  if (LEGACY_PHASES.some((phase) => phase in phases)) {
    const message =
      "spec.policy uses inbound and outbound, which ngrok has replaced: write on_http_request, on_http_response or on_tcp_connect";
    return { valid: true, reason: "LegacyPolicyFormat", message };
  }
  if (enabled !== undefined) {
    return {
      valid: true,
      reason: "EnabledFieldDeprecated",
      message: "spec.policy.enabled has no effect any more: remove it",
    };
  }
  return { valid: true, reason: "TrafficPolicyValid", message: "Traffic policy is valid" };
}

function broken(message: string): Verdict {
  return { valid: false, reason: "TrafficPolicyParseFailed", message };
}

/** Both conditions always carry the same. */
export function showVerdict({ valid, reason, message }: Verdict): Shown<NgrokTrafficPolicy> {
  const finding = (type: string): Finding => ({ type, status: valid ? "True" : "False", reason, message });
  return { fields: {}, findings: [finding("Valid"), finding("Ready")] };
}
