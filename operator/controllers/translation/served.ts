// What the hosts of a Gateway lead to, as the translator has it: of thousands of Gateways on one Service the first few that do
// use it are found without a look at the rest.
import { keyOf, type Kind } from "#kube/kind.ts";
import {
  ConfigMap,
  Gateway,
  GatewayClass,
  type GatewayClassObject,
  type GatewayObject,
  Namespace,
  ReferenceGrant,
  Secret,
  Service,
} from "#kube/kinds.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import type { Cached } from "../../runtime/define-controller.ts";
import type { Derivation } from "../../runtime/derived-index.ts";
import type { Naming } from "../../runtime/names-in-order.ts";
import { wayTo } from "../../translate/endpoints.ts";
import { routesOn } from "../../translate/gateway/links.ts";
import { referencesOfGateway, referencesOfRoute } from "../../translate/gateway/references.ts";
import { ROUTE_KINDS } from "../../translate/gateway/routes.ts";
import { virtualHostsOfGateways } from "../../translate/gateway/virtual-hosts.ts";
import { withLists } from "../../translate/held.ts";
import { servicesOf } from "../../translate/mapping.ts";
import { NOBODYS, type VirtualHost } from "../../translate/model.ts";
import { byConfigMap, byGrant, byNamespace, byPolicy, byRoute, bySecret, byService } from "./concerned.ts";
import { isNews } from "../../translate/news.ts";

/** What tells one part of a Service's hosts from another. */
export interface ServedPart {
  readonly gatewayClassName: string;
  /** Whether it is so only where no ReferenceGrants are asked for. */
  readonly ungranted: boolean;
  /** See `wayTo`. */
  readonly way: string;
}

export function servedPart(name: string): ServedPart {
  const [gatewayClassName = "", granted, ...way] = name.split(" ");
  return { gatewayClassName, ungranted: granted === "ungranted", way: way.join(" ") };
}

/** Whether the class is ours, and grants asked for, is known to those who read the index: what differs by it is in the part. */
export const served: Derivation<GatewayObject> = {
  derives(gateway, cached) {
    const granted = hostsOf(gateway, cached, true);
    return namingOf(gateway, granted, needsGrants(gateway, cached) ? hostsOf(gateway, cached, false) : granted);
  },
  isNews,
  leansOn: [
    ...ROUTE_KINDS.map((kind) => ({ kind: kind as Kind, keys: byRoute })),
    { kind: ReferenceGrant as Kind, keys: byGrant },
    { kind: Namespace, keys: byNamespace },
    { kind: Secret, keys: bySecret },
    { kind: ConfigMap, keys: byConfigMap },
    { kind: NgrokTrafficPolicy, keys: byPolicy },
    { kind: Service, keys: byService },
  ],
};

/** Whether a reference of it, or of its routes, leads into another namespace. */
function needsGrants(gateway: GatewayObject, cached: Cached): boolean {
  const routes = routesOn(cached, [gateway]).flatMap(([, of]) => of);
  return [referencesOfGateway(gateway), ...routes.map(referencesOfRoute)].some(({ needs }) => needs.length > 0);
}

function hostsOf(gateway: GatewayObject, cached: Cached, referenceGrants: boolean): readonly VirtualHost[] {
  const ours: GatewayClassObject = {
    metadata: { name: gateway.spec?.gatewayClassName ?? "" },
    spec: { controllerName: NOBODYS.gatewayControllerName },
  };
  const lists = [[Gateway, [gateway]], [GatewayClass, [ours]], ...routesOn(cached, [gateway])] as const;
  return virtualHostsOfGateways(withLists(cached, lists), { ...NOBODYS, referenceGrants }).hosts;
}

/** In the order in which the Gateway names its hosts. */
function namingOf(
  gateway: GatewayObject,
  granted: readonly VirtualHost[],
  whenNobodyAsks: readonly VirtualHost[],
): Naming {
  const { gatewayClassName = "" } = gateway.spec ?? {};
  const waysOf = (hosts: readonly VirtualHost[], name: string): Map<string, string> =>
    new Map(
      hosts
        .filter(({ listener }) => listener.hostname === name)
        .flatMap((host) => servicesOf(host).map((service) => [wayTo(host, service), keyOf(service)] as const)),
    );
  return referencesOfGateway(gateway).hosts.flatMap((name) => {
    const ways = waysOf(granted, name);
    const others = [...waysOf(whenNobodyAsks, name)].filter(([way]) => !ways.has(way));
    const groups = [
      ...[...ways].map(([way, group]) => ({ group, part: `${gatewayClassName} granted ${way}` })),
      ...others.map(([way, group]) => ({ group, part: `${gatewayClassName} ungranted ${way}` })),
    ];
    return groups.length === 0 ? [] : [{ name, groups }];
  });
}
