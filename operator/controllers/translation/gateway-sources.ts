// What wakes the translation for Gateway API: each change of a Gateway, a route, or of what they lean on, as the hosts and
// Services that it concerns.
import type { Kind, KubeObject } from "#kube/kind.ts";
import {
  ConfigMap,
  Gateway,
  GatewayClass,
  type GatewayObject,
  Namespace,
  ReferenceGrant,
  type RouteObject,
  Secret,
} from "#kube/kinds.ts";
import { authorities, certificates } from "../../endpoint/parts.ts";
import type { Change } from "../../runtime/cache.ts";
import type { Cached } from "../../runtime/define-controller.ts";
import { type Seen, type Source, source } from "../../runtime/define-keyed.ts";
import { grantIndexes } from "../../translate/gateway/grants.ts";
import { gatewayIndexes, routeIndexes, routesBy } from "../../translate/gateway/links.ts";
import { referencesOfGateway, referencesOfRoute } from "../../translate/gateway/references.ts";
import { ROUTE_KINDS } from "../../translate/gateway/routes.ts";
import {
  byClass,
  byConfigMap,
  byGrant,
  byNamespace,
  byRoute,
  bySecret,
  gatewayNamed,
  servesGateways,
} from "./concerned.ts";
import { hostKey, namesOfGateway, serviceKeyOf } from "./keys.ts";
import { BY_NAME, SERVED_IN_ORDER } from "./indexes.ts";
import { isDeleting, isNews, nameOf } from "../../translate/news.ts";
import { served } from "./served.ts";

export const gatewaySources: readonly Source[] = [
  source({
    kind: Gateway,
    when: "gateway",
    indexes: { ...gatewayIndexes, [BY_NAME]: namesOfGateway, [SERVED_IN_ORDER]: served },
    keys: ({ before, after, first }, cached) => {
      if (!first && !isNews(before, after)) return [];
      const now = after === undefined ? [] : hostKeys(after);
      const gone = before === undefined ? [] : hostKeys(before).filter((host) => !now.includes(host));
      const hosts = [...now.slice(0, 1), ...gone];
      // What only it led to is led to by nobody once it is gone.
      const name = nameOf({ before, after });
      const routes = first ? [] : ROUTE_KINDS.flatMap((kind) => routesBy(cached, kind, "route-gateway", name));
      const services = routes.flatMap(serviceKeys);
      return once([...hosts, ...services]);
    },
  }),
  ...ROUTE_KINDS.map((kind) =>
    source({
      kind: kind as Kind<RouteObject>,
      when: "gateway",
      indexes: routeIndexes,
      keys: ({ before, after, first }: Seen<RouteObject>, cached) => {
        if (!first && !isNews(before, after)) return [];
        const hosts = hostsOfGateways(cached, byRoute({ before, after }, cached));
        return once([...hosts, ...(before === undefined ? [] : servicesLeft(before, after))]);
      },
    }),
  ),
  source({ kind: GatewayClass, when: "gateway", keys: hostsConcerned(byClass) }),
  source({ kind: ReferenceGrant, when: "gateway", indexes: grantIndexes, keys: hostsConcerned(byGrant) }),
  source({ kind: Namespace, when: "gateway", keys: hostsConcerned(byNamespace) }),
  source({ kind: Secret, when: "gateway", ...certificates, keys: hostsConcerned(bySecret) }),
  source({ kind: ConfigMap, when: "gateway", ...authorities, keys: hostsConcerned(byConfigMap) }),
];

/** Keys of the hosts whose Gateways or routes lean on what has changed; at the start nothing has. */
export function hostsConcerned<T extends KubeObject>(
  concerned: (change: Change<T>, cached: Cached) => readonly string[],
): (seen: Seen<T>, cached: Cached) => string[] {
  return (seen, cached) => (seen.first ? [] : hostsOfGateways(cached, concerned(seen, cached)));
}

function hostsOfGateways(cached: Cached, names: readonly string[]): string[] {
  if (!servesGateways(cached)) return [];
  return once(names.flatMap((name) => gatewayNamed(cached, name) ?? []).flatMap(oneKey));
}

function hostKeys(gateway: GatewayObject): string[] {
  return referencesOfGateway(gateway).hosts.map(hostKey);
}

/** As for an Ingress: a look at one host takes in all of them. */
export function oneKey(gateway: GatewayObject): string[] {
  return hostKeys(gateway).slice(0, 1);
}

function serviceKeys(route: RouteObject): string[] {
  return referencesOfRoute(route).services.map(serviceKeyOf);
}

/** Of the Services to which it led those to which it leads no more, at least not from all the Gateways from which it did. */
function servicesLeft(before: RouteObject, after: RouteObject | undefined): string[] {
  const led = serviceKeys(before);
  if (after === undefined || isDeleting(after)) return led;
  const gateways = new Set(referencesOfRoute(after).gateways);
  if (!referencesOfRoute(before).gateways.every((one) => gateways.has(one))) return led;
  const still = serviceKeys(after);
  return led.filter((one) => !still.includes(one));
}

function once(keys: readonly string[]): string[] {
  return [...new Set(keys)];
}
