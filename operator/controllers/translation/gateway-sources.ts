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
import type { Cached } from "../../runtime/define-controller.ts";
import { type Seen, type Source, source } from "../../runtime/define-keyed.ts";
import { referencesOfGateway, referencesOfRoute } from "../../translate/gateway/references.ts";
import { ROUTE_KINDS } from "../../translate/gateway/routes.ts";
import { hostKey, serviceKeyOf } from "./keys.ts";
import { BY_GATEWAY, BY_HOST, BY_SERVICE } from "./look.ts";
import { isDeleting, isNews, nameOf } from "./news.ts";

const BY_CLASS = "translation-class";
const BY_POLICY = "translation-policy";
const BY_SECRET = "translation-secret";
const BY_CONFIG_MAP = "translation-config-map";
const BY_GRANTS_IN = "translation-grants-in";
const BY_NAMESPACE = "translation-namespace";

export const gatewaySources: readonly Source[] = [
  source({
    kind: Gateway,
    when: "gateway",
    indexes: {
      [BY_HOST]: (gateway) => referencesOfGateway(gateway).hosts,
      [BY_CLASS]: ({ spec }) => [spec?.gatewayClassName ?? ""],
      [BY_POLICY]: (gateway) => referencesOfGateway(gateway).policies,
      [BY_SECRET]: (gateway) => referencesOfGateway(gateway).secrets,
      [BY_CONFIG_MAP]: (gateway) => referencesOfGateway(gateway).configMaps,
      [BY_GRANTS_IN]: (gateway) => referencesOfGateway(gateway).grantsIn,
    },
    keys: ({ before, after, first }, cached) => {
      if (!first && !isNews(before, after)) return [];
      const hosts = [before, after].flatMap((one) => (one === undefined ? [] : hostKeys(one)));
      // What only it led to is led to by nobody once it is gone.
      const services = first ? [] : routesAt(cached, BY_GATEWAY, nameOf({ before, after })).flatMap(serviceKeys);
      return once([...hosts, ...services]);
    },
  }),
  ...ROUTE_KINDS.map((kind) =>
    source({
      kind: kind as Kind<RouteObject>,
      when: "gateway",
      indexes: {
        [BY_GATEWAY]: (route) => referencesOfRoute(route).gateways,
        [BY_SERVICE]: (route) => referencesOfRoute(route).services,
        [BY_POLICY]: (route) => referencesOfRoute(route).policies,
        [BY_GRANTS_IN]: (route) => referencesOfRoute(route).grantsIn,
        [BY_NAMESPACE]: ({ metadata }) => [metadata.namespace ?? ""],
      },
      keys: ({ before, after, first }: Seen<RouteObject>, cached) => {
        if (!first && !isNews(before, after)) return [];
        const hosts = [before, after].flatMap((one) => (one === undefined ? [] : hostsOfRoute(cached, one)));
        return once([...hosts, ...(before === undefined ? [] : servicesLeft(before, after))]);
      },
    }),
  ),
  source({
    kind: GatewayClass,
    when: "gateway",
    keys: (seen, cached) => changed(seen, (name) => gatewaysAt(cached, BY_CLASS, name)),
  }),
  source({
    kind: ReferenceGrant,
    when: "gateway",
    keys: ({ before, after, first }, cached) => {
      if (first || !isNews(before, after)) return [];
      const namespace = (after ?? before)?.metadata.namespace ?? "";
      const routes = routesAt(cached, BY_GRANTS_IN, namespace).flatMap((route) => hostsOfRoute(cached, route));
      return once([...gatewaysAt(cached, BY_GRANTS_IN, namespace), ...routes]);
    },
  }),
  source({
    kind: Namespace,
    when: "gateway",
    keys: (seen, cached) =>
      changed(seen, (name) => routesAt(cached, BY_NAMESPACE, name).flatMap((route) => hostsOfRoute(cached, route))),
  }),
  source({
    kind: Secret,
    when: "gateway",
    ...certificates,
    keys: (seen, cached) => changed(seen, (name) => gatewaysAt(cached, BY_SECRET, name)),
  }),
  source({
    kind: ConfigMap,
    when: "gateway",
    ...authorities,
    keys: (seen, cached) => changed(seen, (name) => gatewaysAt(cached, BY_CONFIG_MAP, name)),
  }),
];

/** Keys of the hosts whose Gateways or routes send to the Service. */
export function hostsOfService(cached: Cached, service: string): string[] {
  return routesAt(cached, BY_SERVICE, service).flatMap((route) => hostsOfRoute(cached, route));
}

/** Keys of the hosts whose Gateways or routes name the NgrokTrafficPolicy. */
export function hostsOfPolicy(cached: Cached, policy: string): string[] {
  const routes = routesAt(cached, BY_POLICY, policy).flatMap((route) => hostsOfRoute(cached, route));
  return [...gatewaysAt(cached, BY_POLICY, policy), ...routes];
}

function changed(seen: Seen<KubeObject>, keys: (name: string) => string[]): string[] {
  return seen.first || !isNews(seen.before, seen.after) ? [] : once(keys(nameOf(seen)));
}

function gatewaysAt(cached: Cached, index: string, value: string): string[] {
  return cached.has(Gateway, index) ? cached.by(Gateway, index, value).flatMap(hostKeys) : [];
}

function routesAt(cached: Cached, index: string, value: string): RouteObject[] {
  return ROUTE_KINDS.flatMap((kind) => (cached.has(kind, index) ? cached.by<RouteObject>(kind, index, value) : []));
}

function hostsOfRoute(cached: Cached, route: RouteObject): string[] {
  return referencesOfRoute(route).gateways.flatMap((name) => {
    const at = name.indexOf("/");
    const gateway = cached.get(Gateway, { namespace: name.slice(0, at), name: name.slice(at + 1) });
    return gateway === undefined ? [] : hostKeys(gateway);
  });
}

function hostKeys(gateway: GatewayObject): string[] {
  return referencesOfGateway(gateway).hosts.map(hostKey);
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
