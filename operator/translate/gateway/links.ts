// How Gateways and routes are found by what they lean on, in whatever holds them.
import { keyOf, type Kind, type KubeObject, refOf } from "#kube/kind.ts";
import { Gateway, type GatewayObject, type RouteObject } from "#kube/kinds.ts";
import type { GatewayListener, ReferenceGrantObject } from "#kube/routing-objects.ts";
import { type Held, heldBy } from "../held.ts";
import { byKey } from "../manifests.ts";
import { ANYWHERE, needsMetBy } from "./grants.ts";
import { referencesOfGateway, referencesOfRoute } from "./references.ts";
import { ROUTE_KINDS } from "./routes.ts";
import { namespaceOf } from "./view.ts";

type Indexes<T extends KubeObject> = Readonly<Record<string, (object: T) => readonly string[]>>;

const BY_LABELS = "labels";

/** Over Gateways. */
export const gatewayIndexes = {
  "gateway-class": ({ spec }) => [spec?.gatewayClassName ?? ""],
  "gateway-host": (gateway) => referencesOfGateway(gateway).hosts,
  "gateway-secret": (gateway) => referencesOfGateway(gateway).secrets,
  "gateway-config-map": (gateway) => referencesOfGateway(gateway).configMaps,
  "gateway-policy": (gateway) => referencesOfGateway(gateway).policies,
  "gateway-needs": (gateway) => referencesOfGateway(gateway).needs,
  /** Those that ask for the labels of Namespaces: few, mostly none. */
  "gateway-chooses": ({ spec }) => ((spec?.listeners ?? []).some(choosesByLabels) ? [BY_LABELS] : []),
} as const satisfies Indexes<GatewayObject>;

/** Over routes of each kind. */
export const routeIndexes = {
  "route-gateway": (route) => referencesOfRoute(route).gateways,
  "route-service": (route) => referencesOfRoute(route).services,
  "route-policy": (route) => referencesOfRoute(route).policies,
  "route-needs": (route) => referencesOfRoute(route).needs,
  "route-namespace": ({ metadata }) => [metadata.namespace ?? ""],
} as const satisfies Indexes<RouteObject>;

export function gatewaysBy(held: Held, index: keyof typeof gatewayIndexes, value: string): readonly GatewayObject[] {
  return heldBy(held, Gateway, index, value);
}

export function routesBy(
  held: Held,
  kind: Kind<RouteObject>,
  index: keyof typeof routeIndexes,
  value: string,
): readonly RouteObject[] {
  return heldBy(held, kind, index, value);
}

/** The routes that name one of the Gateways, sorted. */
export function routesOn(
  held: Held,
  gateways: readonly GatewayObject[],
): readonly (readonly [Kind<RouteObject>, readonly RouteObject[]])[] {
  return ROUTE_KINDS.map((kind) => {
    const named = gateways.flatMap((gateway) => routesBy(held, kind, "route-gateway", keyOf(refOf(gateway))));
    return [kind, byKey(new Set(named))] as const;
  });
}

/** The Gateways one of whose own references the grant is about. */
export function gatewaysGranted(held: Held, grant: ReferenceGrantObject): GatewayObject[] {
  return needsMetBy(grant, Gateway.kind).flatMap((need) => gatewaysBy(held, "gateway-needs", need));
}

/** The routes one of whose references the grant is about, be it theirs or the certificate that a Gateway shows for them. */
export function routesGranted(held: Held, kind: Kind<RouteObject>, grant: ReferenceGrantObject): RouteObject[] {
  const own = needsMetBy(grant, kind.kind).flatMap((need) => routesBy(held, kind, "route-needs", need));
  const place = `${namespaceOf(grant)}/`;
  const shown = needsMetBy(grant, Gateway.kind, ANYWHERE)
    .flatMap((need) => gatewaysBy(held, "gateway-needs", need))
    .flatMap((gateway) => routesBy(held, kind, "route-gateway", keyOf(refOf(gateway))))
    .filter((route) => referencesOfRoute(route).services.some((name) => name.startsWith(place)));
  return [...own, ...shown];
}

/** The routes in the Namespace at Gateways that choose by its labels; where no Gateway does, none is looked at. */
export function routesChosen(held: Held, kind: Kind<RouteObject>, namespace: string): RouteObject[] {
  const choosing = new Set(gatewaysBy(held, "gateway-chooses", BY_LABELS).map((gateway) => keyOf(refOf(gateway))));
  if (choosing.size === 0) return [];
  return routesBy(held, kind, "route-namespace", namespace).filter((route) =>
    referencesOfRoute(route).gateways.some((name) => choosing.has(name)),
  );
}

/** The Gateways that choose routes in the Namespace by its labels. */
export function gatewaysChoosing(held: Held, namespace: string): GatewayObject[] {
  const routes = ROUTE_KINDS.flatMap((kind) => routesChosen(held, kind, namespace));
  const named = new Set(routes.flatMap((route) => referencesOfRoute(route).gateways));
  return gatewaysBy(held, "gateway-chooses", BY_LABELS).filter((gateway) => named.has(keyOf(refOf(gateway))));
}

function choosesByLabels({ allowedRoutes }: GatewayListener): boolean {
  return allowedRoutes?.namespaces?.from === "Selector";
}
