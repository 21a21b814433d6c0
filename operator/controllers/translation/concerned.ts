// Which Gateways a change of something else concerns, `namespace/name`: for them something else may come out after it. A change
// that says nothing new to the translator concerns none.
import { keyOf, type KubeObject, refOf, refOfKey } from "#kube/kind.ts";
import { Gateway, type GatewayObject, type RouteObject } from "#kube/kinds.ts";
import type { ReferenceGrantObject } from "#kube/routing-objects.ts";
import type { Change } from "../../runtime/cache.ts";
import type { Cached } from "../../runtime/define-controller.ts";
import {
  type gatewayIndexes,
  gatewaysBy,
  gatewaysChoosing,
  gatewaysGranted,
  type routeIndexes,
  routesBy,
  routesGranted,
} from "../../translate/gateway/links.ts";
import { referencesOfRoute } from "../../translate/gateway/references.ts";
import { ROUTE_KINDS } from "../../translate/gateway/routes.ts";
import { SERVED_IN_ORDER } from "./indexes.ts";
import { isNews, isNewsOfLabels, nameOf } from "../../translate/news.ts";

type Concerned<T extends KubeObject = KubeObject> = (change: Change<T>, cached: Cached) => string[];

export const byRoute: Concerned<RouteObject> = (change) =>
  isNews(change.before, change.after) ? once(statesOf(change).flatMap(parentsOf)) : [];

export const byClass = byName((name, cached) => gatewaysAt(cached, "gateway-class", name));
export const bySecret = byName((name, cached) => gatewaysAt(cached, "gateway-secret", name));
export const byConfigMap = byName((name, cached) => gatewaysAt(cached, "gateway-config-map", name));
export const byService = byName((name, cached) => parentsAt(cached, "route-service", name));
export const byPolicy = byName((name, cached) => [
  ...gatewaysAt(cached, "gateway-policy", name),
  ...parentsAt(cached, "route-policy", name),
]);

/** Of a Namespace only the labels are read, and only for listeners that choose by them. */
export const byNamespace: Concerned = (change, cached) =>
  isNewsOfLabels(change.before, change.after) ? gatewaysChoosing(cached, nameOf(change)).map(named) : [];

/** Those one of whose references, or whose routes' references, the grant is about. */
export const byGrant: Concerned<ReferenceGrantObject> = (change, cached) =>
  isNews(change.before, change.after) ? once(statesOf(change).flatMap((grant) => granted(grant, cached))) : [];

function granted(grant: ReferenceGrantObject, cached: Cached): string[] {
  const routes = ROUTE_KINDS.flatMap((kind) => routesGranted(cached, kind, grant));
  return [...gatewaysGranted(cached, grant).map(named), ...routes.flatMap(parentsOf)];
}

/** Whether they are served: with their feature off they are watched to be let go of, and ask for nothing. */
export function servesGateways(cached: Cached): boolean {
  return cached.has(Gateway, SERVED_IN_ORDER);
}

export function gatewayNamed(cached: Cached, name: string): GatewayObject | undefined {
  return cached.get(Gateway, refOfKey(name));
}

function byName(names: (name: string, cached: Cached) => string[]): Concerned {
  return (change, cached) => (isNews(change.before, change.after) ? once(names(nameOf(change), cached)) : []);
}

function gatewaysAt(cached: Cached, index: keyof typeof gatewayIndexes, value: string): string[] {
  return gatewaysBy(cached, index, value).map(named);
}

function parentsAt(cached: Cached, index: keyof typeof routeIndexes, value: string): string[] {
  return ROUTE_KINDS.flatMap((kind) => routesBy(cached, kind, index, value)).flatMap(parentsOf);
}

function named(gateway: GatewayObject): string {
  return keyOf(refOf(gateway));
}

function parentsOf(route: RouteObject): readonly string[] {
  return referencesOfRoute(route).gateways;
}

function statesOf<T extends KubeObject>({ before, after }: Change<T>): T[] {
  return [before, after].filter((one) => one !== undefined);
}

function once(names: readonly string[]): string[] {
  return [...new Set(names)];
}
