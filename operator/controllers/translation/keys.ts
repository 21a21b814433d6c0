// The keys that the translation works on, a host name or a Service, and under which of them an object is found. Pure.
import { annotation } from "../../translate/annotations.ts";
import type { AgentEndpoint } from "#api/agent-endpoint.ts";
import { parseEndpointUrl } from "#api/names.ts";
import { keyOf } from "#kube/kind.ts";
import type { IngressObject, RouteObject } from "#kube/kinds.ts";
import type { IngressBackend } from "#kube/routing-objects.ts";
import type { Naming } from "../../runtime/names-in-order.ts";
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
export interface Named {
  /** `namespace/name` */
  readonly service: string;
  readonly port: string;
}

export function backendsOf(ingress: IngressObject): Named[] {
  return allBackends(ingress).flatMap(({ service }) =>
    service === undefined ? [] : [{ service: keyIn(ingress, service.name), port: portOf(service.port) }],
  );
}

/** The hosts of an Ingress, and the Services by whose ports they stand together. */
export function hostsByService(ingress: IngressObject): Naming {
  const groups = backendsOf(ingress).map(({ service, port }) => ({ group: service, part: port }));
  return { names: hostsOfIngress(ingress), groups };
}

export function servicesOfIngress(ingress: IngressObject): string[] {
  return [...new Set(backendsOf(ingress).map(({ service }) => service))];
}

/** The NgrokTrafficPolicies that it names, by annotation or as backends: `namespace/name`. */
export function policiesOfIngress(ingress: IngressObject): string[] {
  const annotated = annotation(ingress, "traffic-policy")?.value;
  const resources = allBackends(ingress).flatMap(({ resource }) => resource?.name ?? []);
  const names = annotated === undefined || annotated === "" ? resources : [annotated, ...resources];
  return [...new Set(names)].map((name) => keyIn(ingress, name));
}

/** The Services of a route that belong to one endpoint by their port, which Gateway API writes as a number. */
export function backendsOfRoute(route: RouteObject): Named[] {
  return (route.spec?.rules ?? []).flatMap((rule) =>
    (rule?.backendRefs ?? [])
      .filter(({ kind = "Service", name }) => kind === "Service" && name !== "")
      .map(({ name, namespace = route.metadata.namespace, port }) => ({
        service: keyOf({ namespace, name }),
        port: String(port ?? ""),
      })),
  );
}

/** The host of an endpoint's URL, in lower case. */
export function hostOfUrl(url: string): string[] {
  const parsed = parseEndpointUrl(url);
  return "problem" in parsed ? [] : [parsed.url.host];
}

/** The Service that an AgentEndpoint sends to, which stands in its namespace: `http://web.shop:80` is that of `web`. */
export function serviceOfEndpoint({ spec, metadata }: AgentEndpoint): string[] {
  const [, name] = /^[a-z]+:\/\/([a-z0-9-]+)\./.exec(spec.upstream?.url ?? "") ?? [];
  return name === undefined ? [] : [keyOf({ namespace: metadata.namespace, name })];
}

function allBackends({ spec }: IngressObject): IngressBackend[] {
  const paths = (spec?.rules ?? []).flatMap((rule) => rule?.http?.paths ?? []);
  const backends = [...paths.map((path) => path?.backend), spec?.defaultBackend];
  return backends.filter((one) => one !== undefined && one !== null);
}

function keyIn({ metadata }: IngressObject, name: string): string {
  return keyOf({ namespace: metadata.namespace, name });
}

function portOf(port: { readonly name?: string; readonly number?: number } | undefined): string {
  return port?.number === undefined ? (port?.name ?? "") : String(port.number);
}
