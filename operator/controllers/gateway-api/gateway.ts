// Gateway: our claim on those of our classes, and what they show of their listeners and addresses. The endpoints of their
// hosts are the translation's work.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { hasControllerLabels } from "#api/keys.ts";
import { allow } from "#api/rbac.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import type { Undone } from "#drain/hands.ts";
import { keyOf, type Kind, type Ref, refOf } from "#kube/kind.ts";
import {
  ConfigMap,
  Gateway,
  GatewayClass,
  type GatewayObject,
  Namespace,
  ReferenceGrant,
  type RouteObject,
  Secret,
  Service,
} from "#kube/kinds.ts";
import { isClaimed } from "../../endpoint/claimed.ts";
import { BY_HOST as DOMAINS_BY_HOST, hostsOfDomain } from "../../endpoint/domain.ts";
import { ENDPOINTS_BY_HOST, hostsOfEndpoint } from "../../endpoint/host.ts";
import { authorities, certificates } from "../../endpoint/parts.ts";
import { legacyEvents, legacyOptionEvents } from "../../endpoint/legacy-keys.ts";
import {
  type Cached,
  type Context,
  defineController,
  done,
  type Outcome,
  watching,
} from "../../runtime/define-controller.ts";
import { readOn } from "../../translate/annotations.ts";
import { grantIndexes } from "../../translate/gateway/grants.ts";
import {
  gatewayIndexes,
  gatewaysBy,
  gatewaysChoosing,
  gatewaysGranted,
  routeIndexes,
  routesBy,
  routesOn,
} from "../../translate/gateway/links.ts";
import { ROUTE_KINDS } from "../../translate/gateway/routes.ts";
import { gatewayStatus } from "../../translate/gateway/status.ts";
import type { View } from "../../translate/gateway/view.ts";
import { nameOf } from "../../translate/gateway/view.ts";
import { readGateways, virtualHostsOfGateways } from "../../translate/gateway/virtual-hosts.ts";
import type { Problem, VirtualHost } from "../../translate/model.ts";
import { isNewsOfLabels } from "../../translate/news.ts";
import { isServed, isStamped, parentsOf, viewOf } from "./look.ts";
import { problemEvent, statusToWrite } from "./plan.ts";
import { endpointsAt, sharedHosts } from "./shared.ts";
import { now } from "../../endpoint/time.ts";

const statusless = { ignores: "status" } as const;

export const gatewayController = defineController<GatewayObject>({
  name: "gateway",
  manager: "api-manager",
  role: "leader",
  kind: Gateway,
  when: "gateway",
  concurrency: 4,
  indexes: gatewayIndexes,
  watches: [
    watching(GatewayClass, ({ metadata }, cached) => atIndex(cached, "gateway-class", metadata.name), {}, statusless),
    ...ROUTE_KINDS.map((kind) => watching<RouteObject>(kind, parentsOf, routeIndexes, statusless)),
    watching(
      Namespace,
      ({ metadata }, cached) => gatewaysChoosing(cached, metadata.name).map(refOf),
      {},
      { isNews: isNewsOfLabels },
    ),
    watching(Service, (service, cached) => parentsBy(cached, "route-service", keyOf(refOf(service))), {}, statusless),
    watching(ReferenceGrant, (grant, cached) => gatewaysGranted(cached, grant).map(refOf), grantIndexes),
    watching(
      NgrokTrafficPolicy,
      (policy, cached) => atIndex(cached, "gateway-policy", keyOf(refOf(policy))),
      {},
      statusless,
    ),
    watching(Secret, (secret, cached) => atIndex(cached, "gateway-secret", keyOf(refOf(secret))), {}, certificates),
    watching(ConfigMap, (map, cached) => atIndex(cached, "gateway-config-map", keyOf(refOf(map))), {}, authorities),
    watching(Domain, ({ spec }, cached) => (spec === undefined ? [] : atHost(cached, spec.domain.toLowerCase())), {
      [DOMAINS_BY_HOST]: hostsOfDomain,
    }),
    watching(CloudEndpoint, atHostsOf, { [ENDPOINTS_BY_HOST]: hostsOfEndpoint }, statusless),
    watching(AgentEndpoint, atHostsOf, { [ENDPOINTS_BY_HOST]: hostsOfEndpoint }, statusless),
  ],
  rbac: [
    allow(Gateway, ["get", "list", "watch", "patch"], {
      why: "holds the Gateways that it serves with a finalizer, and lets go of them with the feature off as well",
    }),
    allow(Gateway, ["patch"], {
      part: "status",
      when: "gateway",
      why: "shows which listeners of a Gateway are served, and where",
    }),
    ...[GatewayClass, Namespace].map((kind: Kind) =>
      allow(kind, ["list", "watch"], {
        scope: "cluster",
        when: "gateway",
        why: "knows by its class whose a Gateway is, and by its Namespace whether a route may attach",
      }),
    ),
    ...[...ROUTE_KINDS, ReferenceGrant, Secret, ConfigMap].map((kind: Kind) =>
      allow(kind, ["list", "watch"], { when: "gateway", why: "shows what of a Gateway is missing, and its routes" }),
    ),
    ...[NgrokTrafficPolicy, Service, Domain, CloudEndpoint, AgentEndpoint].map((kind: Kind) =>
      allow(kind, ["list", "watch"], { why: "shows whether the hosts of a Gateway are served, and where" }),
    ),
  ],
  serves: (gateway, around) =>
    isServed(gateway, around) ||
    isStamped(gateway, around.release) ||
    // One that goes is let go of, whatever has become of its class.
    (gateway.metadata.deletionTimestamp !== undefined && isClaimed(gateway, around.release)),
  claims: isServed,
  letsGo: true,
  apply,
  // What was made for it is found by its hosts, and goes as soon as it is seen to be going.
  cleanup: (): Promise<Undone> => Promise.resolve({ remote: "none" }),
});

function atHostsOf(endpoint: CloudEndpoint | AgentEndpoint, cached: Cached): Ref[] {
  return endpoint.spec === undefined ? [] : hostsOfEndpoint(endpoint).flatMap((host) => atHost(cached, host));
}

function atHost(cached: Cached, host: string): Ref[] {
  return atIndex(cached, "gateway-host", host);
}

function atIndex(cached: Cached, index: keyof typeof gatewayIndexes, value: string): Ref[] {
  return gatewaysBy(cached, index, value).map(refOf);
}

function parentsBy(cached: Cached, index: keyof typeof routeIndexes, value: string): Ref[] {
  return ROUTE_KINDS.flatMap((kind) => routesBy(cached, kind, index, value)).flatMap(parentsOf);
}

function apply(gateway: GatewayObject, context: Context): Promise<Outcome<GatewayObject>> {
  if (!isServed(gateway, context)) return Promise.resolve(done());
  const { cached, unchanged, event } = context;
  const name = keyOf(refOf(gateway));
  const view = viewOf(context, [gateway], [...routesOn(cached, [gateway]), [Domain, domainsOf(gateway, cached)]]);
  const problems: Problem[] = [];
  const facts = readGateways(view, problems).get(name);
  const problem = problemEvent(problems, nameOf(Gateway, gateway)) ?? [];
  const told = [problem, legacyEvents(gateway, readOn(Gateway)), legacyOptionEvents(gateway)].flat();
  const sent = JSON.stringify(told);
  if (!unchanged(sent)) for (const one of told) event(one);
  if (facts === undefined) return Promise.resolve(done({ sent }));
  const { hosts } = virtualHostsOfGateways(view.manifests, view.options);
  const seen = { at: now(context), applied: isApplied(hosts, view, cached), shared: sharedHosts(hosts, cached) };
  const status = statusToWrite(gateway.status, gatewayStatus(view, facts, seen));
  return Promise.resolve(done(status === undefined ? { sent } : { sent, status }));
}

function domainsOf(gateway: GatewayObject, cached: Cached): Domain[] {
  return gatewayIndexes["gateway-host"](gateway).flatMap((host) => cached.by(Domain, DOMAINS_BY_HOST, host));
}

/** Whether each host that is to be served has an endpoint of ours. */
function isApplied(hosts: readonly VirtualHost[], { options }: View, cached: Cached): boolean {
  return hosts.every(({ listener }) =>
    endpointsAt(cached, listener.hostname).some(({ metadata }) =>
      hasControllerLabels(metadata.labels, options.managerNamespace, options.managerName),
    ),
  );
}
