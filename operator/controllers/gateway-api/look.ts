// What the controllers of Gateway API share: how Gateways and routes are found by what they lean on, whose they are, and
// the part of the cluster that the translator is shown.
import { isOurGateway, parentGatewaysOf } from "#api/classes.ts";
import { DRAIN_OWNER } from "#api/keys.ts";
import { ownerOf, type Release } from "#api/release.ts";
import { type Kind, type KubeObject, type Ref, refOf } from "#kube/kind.ts";
import { Gateway, GatewayClass, type GatewayObject, ReferenceGrant, type RouteObject } from "#kube/kinds.ts";
import { translationOptions } from "../../endpoint/translation-options.ts";
import type { Cached, Index, Surroundings } from "../../runtime/define-controller.ts";
import { referencesOfGateway, referencesOfRoute } from "../../translate/gateway/references.ts";
import type { View } from "../../translate/gateway/view.ts";
import { byKey } from "../../translate/manifests.ts";

/** Over Gateways. */
export const gatewayIndexes = {
  "gateway-class": ({ spec }) => [spec?.gatewayClassName ?? ""],
  "gateway-host": (gateway) => referencesOfGateway(gateway).hosts,
  "gateway-secret": (gateway) => referencesOfGateway(gateway).secrets,
  "gateway-config-map": (gateway) => referencesOfGateway(gateway).configMaps,
  "gateway-policy": (gateway) => referencesOfGateway(gateway).policies,
  "gateway-grants-in": (gateway) => referencesOfGateway(gateway).grantsIn,
} as const satisfies Readonly<Record<string, Index<GatewayObject>>>;

/** Over routes of each kind. */
export const routeIndexes = {
  "route-gateway": (route) => referencesOfRoute(route).gateways,
  "route-service": (route) => referencesOfRoute(route).services,
  "route-policy": (route) => referencesOfRoute(route).policies,
  "route-grants-in": (route) => referencesOfRoute(route).grantsIn,
  "route-namespace": ({ metadata }) => [metadata.namespace ?? ""],
} as const satisfies Readonly<Record<string, Index<RouteObject>>>;

export function gatewaysBy(cached: Cached, index: keyof typeof gatewayIndexes, value: string): Ref[] {
  return cached.by(Gateway, index, value).map(refOf);
}

/** The Gateways that the route names, ours and others'. */
export function parentsOf(route: RouteObject): Ref[] {
  return parentGatewaysOf(route).map(({ name, namespace }) => ({ name, namespace }));
}

/** Whether its class is there and of our controller. */
export function isServed(gateway: GatewayObject, { cached, release, options }: Surroundings): boolean {
  const found = cached.get(GatewayClass, { name: gateway.spec?.gatewayClassName ?? "" });
  const { gatewayControllerName } = translationOptions(release, options);
  return found !== undefined && isOurGateway(gateway, [found], gatewayControllerName);
}

/** Whether one of the Gateways that it names is there and served. */
export function isRouteServed(route: RouteObject, around: Surroundings): boolean {
  return parentsOf(route).some((at) => {
    const gateway = around.cached.get(Gateway, at);
    return gateway !== undefined && isServed(gateway, around);
  });
}

/** Whether we have put our name on it: without it a finalizer may be that of another install. */
export function isStamped({ metadata }: KubeObject, release: Release): boolean {
  return metadata.annotations?.[DRAIN_OWNER] === ownerOf(release);
}

/** What is in the lists of a view; every other kind is there by name alone. */
export interface Shown {
  readonly gateways: Iterable<GatewayObject>;
  readonly lists: readonly (readonly [Kind, Iterable<KubeObject>])[];
}

/** The cluster as it would be with these Gateways alone. */
export function viewOf({ cached, release, options }: Surroundings, { gateways, lists }: Shown): View {
  const sorted = new Map<string, readonly KubeObject[]>([
    [Gateway.plural, byKey(gateways)],
    ...[GatewayClass, ReferenceGrant].map((kind: Kind) => [kind.plural, byKey(cached.all(kind))] as const),
    ...lists.map(([kind, objects]) => [kind.plural, byKey(objects)] as const),
  ]);
  return {
    manifests: {
      get: <T extends KubeObject>(kind: Kind<T>, at: Ref) => (cached.has(kind) ? cached.get(kind, at) : undefined),
      list: <T extends KubeObject>(kind: Kind<T>) => (sorted.get(kind.plural) ?? []) as readonly T[],
    },
    options: translationOptions(release, options),
  };
}
