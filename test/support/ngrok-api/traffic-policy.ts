// Whether a traffic policy is one, as far as its outline goes: phases with lists of rules with lists of actions.
import { invalidTrafficPolicy } from "./errors.ts";

const phases = new Set(["on_tcp_connect", "on_http_request", "on_http_response", "inbound", "outbound"]);

/** Throws ApiError 400, ERR_NGROK_2201. An empty text is no policy, which is allowed. */
export function checkTrafficPolicy(given: string): void {
  if (given === "") return;
  let policy: unknown;
  try {
    policy = JSON.parse(given);
  } catch {
    throw invalidTrafficPolicy("it is not JSON");
  }
  if (!isObject(policy)) throw invalidTrafficPolicy("it is not an object");
  for (const [phase, rules] of Object.entries(policy)) {
    if (phase === "enabled" && typeof rules === "boolean") continue;
    if (!phases.has(phase)) throw invalidTrafficPolicy(`unknown phase '${phase}'`);
    if (!Array.isArray(rules)) throw invalidTrafficPolicy(`'${phase}' is not a list`);
    for (const rule of rules as unknown[]) checkRule(phase, rule);
  }
}

function checkRule(phase: string, rule: unknown): void {
  if (!isObject(rule)) throw invalidTrafficPolicy(`a rule of '${phase}' is not an object`);
  const actions = rule["actions"];
  if (!Array.isArray(actions)) throw invalidTrafficPolicy(`a rule of '${phase}' has no actions`);
  for (const action of actions as unknown[]) {
    if (!isObject(action) || typeof action["type"] !== "string") {
      throw invalidTrafficPolicy(`an action of '${phase}' has no type`);
    }
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
