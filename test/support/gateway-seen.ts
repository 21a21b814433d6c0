// What a test sees of Gateways, routes and what becomes of them, on a real API server.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { FINALIZER } from "#api/keys.ts";
import type { KubeObject } from "#kube/kind.ts";
import { GatewayClass, type GatewayClassObject, type GatewayObject, type RouteObject } from "#kube/kinds.ts";
import type { StrangerCondition } from "#kube/routing-objects.ts";
import type { GatewayShop } from "./gateway-shop.ts";
import type { World } from "./world.ts";

export function isHeld({ metadata }: KubeObject): boolean {
  return metadata.finalizers?.includes(FINALIZER) === true;
}

export function isProgrammed({ status }: GatewayObject): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === "Programmed" && is === "True") === true;
}

/** The URLs of the AgentEndpoints of the world, sorted. */
export async function urlsIn(world: World): Promise<string[]> {
  const found: string[] = [];
  const signal = AbortSignal.timeout(60_000);
  for await (const { items } of world.read.pages(AgentEndpoint, { namespace: world.namespace }, signal))
    found.push(...items.map(({ spec }) => spec.url));
  return found.toSorted();
}

/** The same, when nothing more is to come. */
export async function urlsOnceQuiet(world: World): Promise<string[]> {
  await world.quiet();
  return await urlsIn(world);
}

export async function classOf({ world, className }: GatewayShop): Promise<GatewayClassObject | undefined> {
  return await world.read.get(GatewayClass, { name: className }, AbortSignal.timeout(60_000));
}

/** `type status reason`, sorted. */
export function said(conditions: readonly StrangerCondition[] | undefined): string[] {
  return (conditions ?? []).map(({ type, status, reason }) => `${type} ${status} ${reason}`).toSorted();
}

export function saidBy({ status }: RouteObject, controller: string): string[][] {
  return (status?.parents ?? [])
    .filter((one) => one.controllerName === controller)
    .map(({ conditions }) => said(conditions));
}
