// What the translation of a Gateway or a route looks at beside it: whoever watches these, and the Namespaces of routes, misses no
// change. Names are `namespace/name`; all lists are without doubles.
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { parentGatewaysOf } from "#api/classes.ts";
import { refOfKey } from "#kube/kind.ts";
import type { GatewayObject, RouteObject } from "#kube/kinds.ts";
import type { HttpRouteFilter, ObjectReference } from "#kube/routing-objects.ts";
import { annotation } from "../annotations.ts";
import { ANYWHERE, needOf } from "./grants.ts";
import { namespaceOf } from "./view.ts";

export interface GatewayReferences {
  /** Every host that it may be served under, in lower case. */
  readonly hosts: readonly string[];
  readonly secrets: readonly string[];
  readonly configMaps: readonly string[];
  /** NgrokTrafficPolicies. */
  readonly policies: readonly string[];
  /** What ReferenceGrants decide about, in the words of grants.ts. */
  readonly needs: readonly string[];
}

export function referencesOfGateway(gateway: GatewayObject): GatewayReferences {
  const { listeners = [], addresses = [], tls } = gateway.spec ?? {};
  const namespace = namespaceOf(gateway);
  const named = (refs: readonly (ObjectReference | undefined)[]): string[] =>
    refs.flatMap((ref) => (ref === undefined ? [] : [`${ref.namespace ?? namespace}/${ref.name}`]));
  const secrets = named([
    ...listeners.flatMap((one) => one.tls?.certificateRefs?.[0]),
    tls?.backend?.clientCertificateRef,
  ]);
  const configMaps = named(tls?.frontend?.default?.validation?.caCertificateRefs ?? []);
  const client = tls?.backend?.clientCertificateRef?.name;
  const policy = annotation(gateway, "traffic-policy")?.value ?? "";
  const hosts = [...addresses.map(({ value = "" }) => value), ...listeners.map(({ hostname = "" }) => hostname)];
  return {
    hosts: once(hosts.filter((host) => host !== "").map((host) => host.toLowerCase())),
    secrets: once(secrets),
    configMaps: once(configMaps),
    policies: policy === "" ? [] : [`${namespace}/${policy}`],
    needs: once([
      ...secrets.flatMap((name) => needAbroad(namespace, "Secret", name)),
      ...configMaps.flatMap((name) => needAbroad(namespace, "ConfigMap", name)),
      ...(client === undefined ? [] : needOf(namespace, { kind: "Secret", namespace: ANYWHERE, name: client })),
    ]),
  };
}

export interface RouteReferences {
  /** Gateways, ours and others'. */
  readonly gateways: readonly string[];
  readonly services: readonly string[];
  /** NgrokTrafficPolicies. */
  readonly policies: readonly string[];
  /** As those of a Gateway. */
  readonly needs: readonly string[];
}

export function referencesOfRoute(route: RouteObject): RouteReferences {
  const own = namespaceOf(route);
  const rules = route.spec?.rules ?? [];
  const backends = rules.flatMap((rule) => rule?.backendRefs ?? []);
  const filters = [...rules.flatMap((rule) => rule?.filters ?? []), ...backends.flatMap((one) => one.filters ?? [])];
  const services = backends
    .filter(({ kind = "Service", name }) => kind === "Service" && name !== "")
    .map(({ name, namespace = own }) => `${namespace}/${name}`);
  return {
    gateways: once(parentGatewaysOf(route).map(({ name, namespace = own }) => `${namespace}/${name}`)),
    services: once(services),
    policies: once(filters.flatMap(policyName).map((name) => `${own}/${name}`)),
    needs: once(services.flatMap((name) => needAbroad(own, "Service", name))),
  };
}

function policyName({ extensionRef }: HttpRouteFilter): string[] {
  const isPolicy = extensionRef?.kind.toLowerCase() === NgrokTrafficPolicy.kind.toLowerCase();
  return extensionRef !== undefined && isPolicy ? [extensionRef.name] : [];
}

/** Of a reference into one's own namespace nobody is asked. */
function needAbroad(from: string, kind: string, to: string): string[] {
  const { namespace = "", name } = refOfKey(to);
  return namespace === from ? [] : needOf(from, { kind, namespace, name });
}

function once(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
