// The traffic policy that an endpoint means, wherever its spec says so: inline, by reference, or in the older spellings.
import { isTooDeep, TOO_DEEP } from "#api/nesting.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { code } from "#ngrok/errors.ts";
import { known } from "#wire/errors.ts";
import type { Cached } from "../runtime/define-controller.ts";

interface PolicySpec {
  readonly trafficPolicy?: {
    readonly inline?: Record<string, unknown>;
    readonly targetRef?: { readonly name: string };
    readonly policy?: Record<string, unknown>;
  };
  readonly trafficPolicyName?: string;
}

export type PolicySource =
  | { readonly is: "none" }
  | { readonly is: "inline"; readonly policy: Record<string, unknown>; readonly deprecated?: string }
  | { readonly is: "named"; readonly name: string; readonly deprecated?: string }
  | { readonly is: "invalid"; readonly problem: string };

/** Pure. `inline` and `targetRef` beat the nested `policy`, which beats `trafficPolicyName`; an empty object beats nothing. */
export function policySource({ trafficPolicy, trafficPolicyName }: PolicySpec): PolicySource {
  const { inline, targetRef, policy } = trafficPolicy ?? {};
  if (inline !== undefined && targetRef !== undefined) {
    return { is: "invalid", problem: "spec.trafficPolicy: inline and targetRef are both set: remove one" };
  }
  if (inline !== undefined) return { is: "inline", policy: inline };
  if (targetRef !== undefined) return { is: "named", name: targetRef.name };
  if (policy !== undefined)
    return {
      is: "inline",
      policy,
      deprecated: "spec.trafficPolicy.policy is deprecated: write spec.trafficPolicy.inline",
    };
  if (trafficPolicyName !== undefined && trafficPolicyName !== "") {
    const deprecated = "spec.trafficPolicyName is deprecated: write spec.trafficPolicy.targetRef.name";
    return { is: "named", name: trafficPolicyName, deprecated };
  }
  return { is: "none" };
}

/** What goes to ngrok: JSON text, "" for no policy; or why there is none. */
export type PolicyText =
  | { readonly is: "text"; readonly text: string }
  | { readonly is: "missing"; readonly problem: string }
  | { readonly is: "invalid"; readonly problem: string };

export function policyText(source: PolicySource, namespace: string, cached: Cached): PolicyText {
  switch (source.is) {
    case "none":
      return { is: "text", text: "" };
    case "inline":
      return textOf(source.policy, `spec.trafficPolicy.${source.deprecated === undefined ? "inline" : "policy"}`);
    case "invalid":
      return source;
    case "named": {
      const { name } = source;
      const found = cached.get(NgrokTrafficPolicy, { name, namespace });
      if (found === undefined) {
        const problem = `NgrokTrafficPolicy ${name} is not in namespace ${namespace}: create it or name another`;
        return { is: "missing", problem };
      }
      return textOf(policyOf(found), `NgrokTrafficPolicy ${name} cannot be used, since its spec.policy`);
    }
  }
}

/** @param field as a problem begins */
function textOf(policy: Record<string, unknown> | undefined, field: string): PolicyText {
  if (isTooDeep(policy)) return { is: "invalid", problem: `${field} ${TOO_DEEP}` };
  return { is: "text", text: policy === undefined ? "" : JSON.stringify(policy) };
}

/** The object may have been stored without a spec. */
function policyOf({ spec }: { readonly spec?: { readonly policy?: Record<string, unknown> } }) {
  return spec?.policy;
}

/** The name of the NgrokTrafficPolicy that an endpoint refers to, for the index by which a change of it wakes the endpoint. */
export function policyName(spec: PolicySpec): readonly string[] {
  const source = policySource(spec);
  return source.is === "named" ? [source.name] : [];
}

/** The word by itself: a host, a path or an object's name of which it is a part is quoted in any error. */
const NAMES_POLICY = /(?<![\w@/.-])(traffic[ _-]?)?policy(?!\w|[@/.-]\w|:\d)/i;

/** Whether ngrok refused an endpoint for its traffic policy: it has many codes for that, and all of them say so in words. */
export function blamesPolicy(error: unknown): boolean {
  const { code: said, message } = known(error);
  return (
    said === code.invalidTrafficPolicy || message.includes(code.invalidTrafficPolicy) || NAMES_POLICY.test(message)
  );
}

/** Policies are compared by what they say: ngrok and other writers may order and escape JSON in another way. */
export function samePolicy(a: string, b: string): boolean {
  return a === b || canonical(a) === canonical(b);
}

function canonical(text: string): string {
  try {
    return JSON.stringify(sorted(JSON.parse(text)));
  } catch {
    return text;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}
