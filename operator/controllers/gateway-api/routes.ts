// HTTPRoute, TLSRoute and TCPRoute: our claim on those that name a Gateway of ours, and what they show about each of them.
// What other controllers say of their Gateways stays as it is.
import { allow } from "#api/rbac.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import type { Undone } from "#drain/hands.ts";
import { keyOf, type Kind, type Ref, refOf } from "#kube/kind.ts";
import {
  Gateway,
  GatewayClass,
  type GatewayObject,
  Namespace,
  ReferenceGrant,
  type RouteObject,
  Service,
} from "#kube/kinds.ts";
import { isClaimed } from "../../endpoint/claimed.ts";
import { translationOptions } from "../../endpoint/translation-options.ts";
import {
  type Cached,
  type Context,
  defineController,
  done,
  type LeaderController,
  type Outcome,
  type Surroundings,
  watching,
} from "../../runtime/define-controller.ts";
import { grantIndexes } from "../../translate/gateway/grants.ts";
import {
  gatewayIndexes,
  gatewaysBy,
  gatewaysChoosing,
  routeIndexes,
  routesBy,
  routesChosen,
  routesGranted,
} from "../../translate/gateway/links.ts";
import { routeStatus } from "../../translate/gateway/route-status.ts";
import { ROUTE_KINDS } from "../../translate/gateway/routes.ts";
import { nameOf } from "../../translate/gateway/view.ts";
import { readGateways, virtualHostsOfGateways } from "../../translate/gateway/virtual-hosts.ts";
import { isNewsOfLabels } from "../../translate/news.ts";
import { isRouteServed, isStamped, parentsOf, viewOf } from "./look.ts";
import { problemEvent } from "./plan.ts";
import { attachesAnew, besideOf, rivalIndexes, rivalKinds, rivalsOf } from "./rivals.ts";
import { now } from "../../endpoint/time.ts";

type RouteKind = (typeof ROUTE_KINDS)[number];

const NAMES: Readonly<Record<RouteKind["kind"], string>> = {
  HTTPRoute: "http-route",
  TLSRoute: "tls-route",
  TCPRoute: "tcp-route",
};

export const routeControllers: readonly LeaderController<RouteObject>[] = ROUTE_KINDS.map((kind) => {
  const at = (cached: Cached, index: keyof typeof routeIndexes, value: string): Ref[] =>
    routesBy(cached, kind, index, value).map(refOf);
  const on = (cached: Cached, gateways: readonly GatewayObject[]): Ref[] =>
    gateways.flatMap((gateway) => at(cached, "route-gateway", keyOf(refOf(gateway))));
  const rivals = rivalKinds(kind);
  const statusless = { ignores: "status" } as const;
  return defineController<RouteObject>({
    name: NAMES[kind.kind],
    manager: "api-manager",
    role: "leader",
    kind,
    when: "gateway",
    concurrency: 8,
    indexes: rivals.length === 0 ? routeIndexes : rivalIndexes(kind),
    watches: [
      watching(Gateway, (gateway, cached) => on(cached, [gateway]), gatewayIndexes, statusless),
      watching(
        GatewayClass,
        ({ metadata }, cached) => on(cached, gatewaysBy(cached, "gateway-class", metadata.name)),
        {},
        statusless,
      ),
      watching(Service, (service, cached) => at(cached, "route-service", keyOf(refOf(service))), {}, statusless),
      watching(
        NgrokTrafficPolicy,
        (policy, cached) => at(cached, "route-policy", keyOf(refOf(policy))),
        {},
        statusless,
      ),
      watching(ReferenceGrant, (grant, cached) => routesGranted(cached, kind, grant).map(refOf), grantIndexes),
      watching(
        Namespace,
        ({ metadata }, cached) =>
          // Whoever is let in, or is so no more, may have a listener before those of other Namespaces.
          rivals.length === 0
            ? routesChosen(cached, kind, metadata.name).map(refOf)
            : on(cached, gatewaysChoosing(cached, metadata.name)),
        {},
        { isNews: isNewsOfLabels },
      ),
      // Whoever comes or goes beside it may take its listener, or leave it one.
      ...rivals.map((rival) =>
        watching<RouteObject>(rival, (route, cached) => rivalsOf(kind, rival, route, cached), rivalIndexes(rival), {
          isNews: attachesAnew,
        }),
      ),
    ],
    rbac: rightsFor(kind),
    statusIsShared: true,
    serves: (route, around) =>
      isRouteServed(route, around) ||
      isStamped(route, around.release) ||
      speaksOf(route, around) ||
      // One that goes is let go of, whatever has become of its Gateways.
      (route.metadata.deletionTimestamp !== undefined && isClaimed(route, around.release)),
    claims: isRouteServed,
    // What it says of Gateways goes after that, since the loss of the claim brings it here again.
    letsGo: true,
    apply: async (route, context) => await apply(kind, route, context),
    // What was made for it is found by the hosts of its Gateways, and goes as soon as it is seen to be going.
    cleanup: (): Promise<Undone> => Promise.resolve({ remote: "none" }),
  });
});

function rightsFor(kind: RouteKind): LeaderController["rbac"] {
  return [
    allow(kind, ["get", "list", "watch", "patch"], {
      why: "holds the routes that it serves with a finalizer, and lets go of them with the feature off as well",
    }),
    allow(kind, ["patch"], { part: "status", when: "gateway", why: "shows what becomes of a route at each Gateway" }),
    ...[Gateway, ReferenceGrant].map((read: Kind) =>
      allow(read, ["list", "watch"], { when: "gateway", why: "knows by its Gateways whose a route is" }),
    ),
    ...rivalKinds(kind).map((rival: Kind) =>
      allow(rival, ["list", "watch"], { when: "gateway", why: "knows which route came first on a listener" }),
    ),
    ...[GatewayClass, Namespace].map((read: Kind) =>
      allow(read, ["list", "watch"], {
        scope: "cluster",
        when: "gateway",
        why: "knows by its class whose a Gateway is, and by its Namespace whether a route may attach",
      }),
    ),
    ...[Service, NgrokTrafficPolicy].map((read: Kind) =>
      allow(read, ["list", "watch"], { why: "shows which references of a route lead nowhere" }),
    ),
  ];
}

/** We have said something of a Gateway in sight, which has to be taken back when it is not so any more. */
function speaksOf({ metadata, status }: RouteObject, { release, options }: Surroundings): boolean {
  const { gatewayControllerName } = translationOptions(release, options);
  const isInSight = (namespace: string | undefined): boolean =>
    release.watchNamespace === undefined || namespace === release.watchNamespace;
  return (status?.parents ?? []).some(
    ({ controllerName, parentRef }) =>
      controllerName === gatewayControllerName && isInSight(parentRef.namespace ?? metadata.namespace),
  );
}

function apply(kind: RouteKind, route: RouteObject, context: Context): Promise<Outcome<RouteObject>> {
  const { cached, unchanged, event } = context;
  const gateways = new Set(parentsOf(route).flatMap((at) => cached.get(Gateway, at) ?? []));
  const isAlone = rivalKinds(kind).length === 0;
  const view = viewOf(context, gateways, isAlone ? [[kind, [route]]] : besideOf(kind, route, gateways, cached));
  const { problems } = virtualHostsOfGateways(view.manifests, view.options);
  const told = isRouteServed(route, context) ? problemEvent(problems, nameOf(kind, route)) : undefined;
  const sent = JSON.stringify(told ?? {});
  if (told !== undefined && !unchanged(sent)) event(told);
  const status = routeStatus(view, kind.kind, route, readGateways(view), now(context));
  return Promise.resolve(done({ sent, status }));
}
