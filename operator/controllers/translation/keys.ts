// The keys that the translation works on, a host name or a Service, and under which of them an object is found. Pure.
import { annotation } from "../../translate/annotations.ts";
import type { AgentEndpoint } from "#api/agent-endpoint.ts";
import { keyOf, type KubeObject } from "#kube/kind.ts";
import type { GatewayObject, IngressObject } from "#kube/kinds.ts";
import type { IngressBackend } from "#kube/routing-objects.ts";
import type { Naming } from "../../runtime/names-in-order.ts";
import { cloudEndpointName, gatewayPrefix } from "../../translate/endpoint-names.ts";
import type { Seed } from "./slice.ts";

export function hostKey(host: string): string {
  return `host ${host}`;
}

/** @param service `namespace/name` */
export function serviceKeyOf(service: string): string {
  return `service ${service}`;
}

export function seedOf(key: string): Seed {
  const at = key.indexOf(" ");
  const rest = key.slice(at + 1);
  return key.startsWith("host ") ? { hosts: [rest], services: [] } : { hosts: [], services: [rest] };
}

export function hostsOfIngress({ spec }: IngressObject): string[] {
  return [...new Set((spec?.rules ?? []).flatMap((rule) => rule?.host?.toLowerCase() ?? []))];
}

/** A Service as a backend names it; `port` as it is written, since its number is the Service's to say. */
interface Named {
  /** `namespace/name` */
  readonly service: string;
  readonly port: string;
}

/** The hosts of an Ingress, each with the Services to which its rules send; the default backend is every host's. */
export function hostsByService(ingress: IngressObject): Naming {
  const { defaultBackend, rules = [] } = ingress.spec ?? {};
  const byHost = Map.groupBy(rules, (rule) => rule?.host?.toLowerCase() ?? "");
  return hostsOfIngress(ingress).map((name) => {
    const backends = [...(byHost.get(name) ?? []).flatMap(backendsOfRule), defaultBackend];
    return { name, groups: namedBy(ingress, backends).map(({ service, port }) => ({ group: service, part: port })) };
  });
}

export function servicesOfIngress(ingress: IngressObject): string[] {
  return [...new Set(namedBy(ingress, allBackends(ingress)).map(({ service }) => service))];
}

/** The NgrokTrafficPolicies that it names, by annotation or as backends: `namespace/name`. */
export function policiesOfIngress(ingress: IngressObject): string[] {
  const annotated = annotation(ingress, "traffic-policy")?.value;
  const resources = allBackends(ingress).flatMap(({ resource }) => resource?.name ?? []);
  const names = annotated === undefined || annotated === "" ? resources : [annotated, ...resources];
  return [...new Set(names)].map((name) => keyIn(ingress, name));
}

/** What the CloudEndpoints of its hosts ask to be called: `namespace/name`. */
export function namesOfIngress(ingress: IngressObject): string[] {
  const names = hostsOfIngress(ingress).map((hostname) => cloudEndpointName(undefined, { hostname }));
  return [...new Set(names)].map((name) => keyIn(ingress, name));
}

/** As of an Ingress; whatever comes of its listeners, as they are written. */
export function namesOfGateway(gateway: GatewayObject): string[] {
  const { listeners = [], addresses = [] } = gateway.spec ?? {};
  const { name, namespace = "" } = gateway.metadata;
  const names = listeners.flatMap(({ hostname = "", protocol, port }) =>
    [hostname, ...addresses.map(({ value = "" }) => value)]
      .filter((host) => host !== "")
      .map((host) =>
        cloudEndpointName(gatewayPrefix({ name, namespace }, { protocol, port }), { hostname: host.toLowerCase() }),
      ),
  );
  return [...new Set(names)].map((one) => keyIn(gateway, one));
}

/** The Service that an AgentEndpoint sends to, which stands in its namespace: `http://web.shop:80` is that of `web`. */
export function serviceOfEndpoint({ spec, metadata }: AgentEndpoint): string[] {
  const [, name] = /^[a-z]+:\/\/([a-z0-9-]+)\./.exec(spec.upstream?.url ?? "") ?? [];
  return name === undefined ? [] : [keyOf({ namespace: metadata.namespace, name })];
}

/** The Service of its default backend: `namespace/name`. */
export function fallbackOfIngress(ingress: IngressObject): string[] {
  return namedBy(ingress, [ingress.spec?.defaultBackend]).map(({ service }) => service);
}

type Rule = NonNullable<NonNullable<IngressObject["spec"]>["rules"]>[number];
type Backend = IngressBackend | null | undefined;

function allBackends({ spec }: IngressObject): IngressBackend[] {
  const backends: Backend[] = [...(spec?.rules ?? []).flatMap(backendsOfRule), spec?.defaultBackend];
  return backends.filter((one) => one !== undefined && one !== null);
}

function backendsOfRule(rule: Rule | null | undefined): Backend[] {
  return (rule?.http?.paths ?? []).map((path) => path?.backend);
}

function namedBy(ingress: IngressObject, backends: readonly Backend[]): Named[] {
  return backends.flatMap((one) =>
    one?.service === undefined ? [] : [{ service: keyIn(ingress, one.service.name), port: portOf(one.service.port) }],
  );
}

function keyIn({ metadata }: KubeObject, name: string): string {
  return keyOf({ namespace: metadata.namespace, name });
}

function portOf(port: { readonly name?: string; readonly number?: number } | undefined): string {
  return port?.number === undefined ? (port?.name ?? "") : String(port.number);
}
