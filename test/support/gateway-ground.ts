// The ground that tests of the Gateway translation stand on: a class, a Gateway, a Service; a test says what is different.
import type { KubeObject } from "#kube/kind.ts";
import {
  ConfigMap,
  type ConfigMapObject,
  type GatewayObject,
  Namespace,
  type NamespaceObject,
  ReferenceGrant,
  type RouteObject,
  Secret,
  type SecretObject,
  type ServiceObject,
} from "#kube/kinds.ts";
import type { GatewayListener, HttpRouteFilter, ReferenceGrantObject, RouteRule } from "#kube/routing-objects.ts";
import { virtualHostsOfGateways } from "#operator/translate/gateway/virtual-hosts.ts";
import { index } from "#operator/translate/manifests.ts";
import type { Hosts, Manifests, Options, Problem, VirtualHost } from "#operator/translate/model.ts";
import type { Policy } from "#operator/translate/policy.ts";
import { aGateway, aGatewayClass, anHTTPRoute, aService } from "./builders.ts";

export const gatewayOptions: Options = {
  managerNamespace: "ngrok-operator",
  managerName: "ngrok-operator-manager",
  clusterDomain: "svc.cluster.local",
  referenceGrants: true,
  ingressControllerName: "ngrok.com/ingress-controller",
  gatewayControllerName: "ngrok.com/gateway-controller",
};

/** The ground with `objects` on it; one of the ground's own names takes its place. */
export function ground(...objects: readonly KubeObject[]): Manifests {
  return index([aGatewayClass(), aGateway(), shop(), ...objects]);
}

export function hostsOn(objects: readonly KubeObject[], options: Partial<Options> = {}): Hosts {
  return virtualHostsOfGateways(ground(...objects), { ...gatewayOptions, ...options });
}

/** Service `shop` with ports 80 and 443, the latter named https. */
export function shop(namespace = "default", overrides: Parameters<typeof aService>[0] = {}): ServiceObject {
  const { metadata, ...rest } = overrides;
  return aService({
    metadata: { name: "shop", namespace, uid: `uid-of-${namespace}-shop`, ...metadata },
    spec: { type: "ClusterIP", loadBalancerClass: undefined, ports: [{ port: 80 }, { port: 443, name: "https" }] },
    ...rest,
  });
}

/** A rule for every path that leads to `shop`. */
export function aRule(rule: RouteRule = {}): RouteRule {
  return {
    matches: [{ path: { type: "PathPrefix", value: "/" } }],
    backendRefs: [{ name: "shop", port: 80 }],
    ...rule,
  };
}

export function aWebRoute(
  spec: Partial<NonNullable<RouteObject["spec"]>> = {},
  metadata: { name?: string; namespace?: string; creationTimestamp?: string } = {},
): RouteObject {
  return anHTTPRoute({ metadata: { name: "web", ...metadata }, spec: { rules: [aRule()], ...spec } });
}

/** Gateway `edge` with these listeners, each on its own name, HTTPS 443 of shop.example.com where it says nothing else. */
export function aGatewayWith(...listeners: readonly Partial<GatewayListener>[]): GatewayObject {
  return aGateway({
    spec: {
      listeners: listeners.map((one, at) => ({
        name: `l${at}`,
        hostname: "shop.example.com",
        port: 443,
        protocol: "HTTPS",
        ...one,
      })),
    },
  });
}

export function aNamespace(name: string, labels: Record<string, string> = {}): NamespaceObject {
  return { ...typed(Namespace), metadata: { name, labels } };
}

export function aTlsSecret(name = "cert", namespace = "default", overrides: Partial<SecretObject> = {}): SecretObject {
  const data = { "tls.key": btoa(`key of ${namespace}/${name}`), "tls.crt": btoa(`crt of ${namespace}/${name}`) };
  return { ...typed(Secret), metadata: { name, namespace }, type: "kubernetes.io/tls", data, ...overrides };
}

export function aCaConfigMap(name = "ca", namespace = "default", key = "ca.crt"): ConfigMapObject {
  return { ...typed(ConfigMap), metadata: { name, namespace }, data: { [key]: `ca of ${namespace}/${name}` } };
}

/** A grant in namespace `in` that lets `from` name `to`. */
export function aGrant(grant: {
  readonly in: string;
  readonly from: { readonly kind: string; readonly namespace: string; readonly group?: string };
  readonly to: { readonly kind: string; readonly name?: string; readonly group?: string };
}): ReferenceGrantObject {
  return {
    ...typed(ReferenceGrant),
    metadata: { name: "grant", namespace: grant.in },
    spec: {
      from: [{ group: "gateway.networking.k8s.io", ...grant.from }],
      to: [{ group: "", ...grant.to }],
    },
  };
}

function typed({ group, versions, kind }: { group: string; versions: readonly [string, ...string[]]; kind: string }): {
  apiVersion: string;
  kind: string;
} {
  return { apiVersion: group === "" ? versions[0] : `${group}/${versions[0]}`, kind };
}

/** The one host that there is. */
export function onlyHost({ hosts }: Hosts): VirtualHost {
  const [host] = hosts;
  if (host === undefined || hosts.length !== 1) throw new Error(`expected one host, found ${hosts.length}`);
  return host;
}

/** `https://host:port` of each host, as they come. */
export function urlsOf({ hosts }: Hosts): string[] {
  return hosts.map(({ listener }) => `${listener.protocol.toLowerCase()}://${listener.hostname}:${listener.port}`);
}

/** The policies that `filters` on the rule make, for a match of `path`. */
export function policiesOf(
  filters: readonly HttpRouteFilter[],
  path: { type: string; value: string } = { type: "PathPrefix", value: "/" },
  objects: readonly KubeObject[] = [],
): readonly Policy[] {
  const route = aWebRoute({ rules: [aRule({ matches: [{ path }], filters: [...filters] })] });
  return onlyHost(hostsOn([route, ...objects])).routes[0]?.trafficPolicies ?? [];
}

/** `object field: reason [effect]`, one a line. */
export function toldIn(problems: readonly Problem[]): string[] {
  return problems.map(({ object, field, reason, effect }) => `${object} ${field}: ${reason} [${effect}]`);
}
