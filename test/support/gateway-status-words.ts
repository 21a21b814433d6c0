// What a Gateway says of itself, short enough for a test to read.
import type { KubeObject } from "#kube/kind.ts";
import type { GatewayStatus, StrangerCondition } from "#kube/routing-objects.ts";
import { type GatewaySeen, gatewayStatus } from "#operator/translate/gateway/status.ts";
import { readGateways } from "#operator/translate/gateway/virtual-hosts.ts";
import { gatewayOptions, ground } from "./gateway-ground.ts";

/** When it says so, unless a test says another time. */
export const at = "2026-01-01T00:00:00Z";

/** What the Gateway `name` says of itself among these objects. */
export function statusOf(
  objects: readonly KubeObject[],
  seen: Partial<GatewaySeen> = {},
  name = "default/edge",
): GatewayStatus {
  const view = { manifests: ground(...objects), options: gatewayOptions };
  const facts = readGateways(view).get(name);
  if (facts === undefined) throw new Error(`Gateway ${name} is not ours`);
  return gatewayStatus(view, facts, { at, applied: true, ...seen });
}

/** `Type=Status Reason` of each condition. */
export function brief(conditions: readonly StrangerCondition[] | undefined): string[] {
  return (conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`);
}

export function messageOf(conditions: readonly StrangerCondition[] | undefined, type: string): string | undefined {
  return conditions?.find((one) => one.type === type)?.message;
}
