// What a route's backendRefs stand for: a port of a Service, a weight, policies of their own.
import { boundBy } from "#api/binding.ts";
import { Service, type ServiceObject } from "#kube/kinds.ts";
import type { BackendReference } from "#kube/routing-objects.ts";
import type { CertRef, Destination, Problem, ServiceTarget } from "../model.ts";
import type { Policy } from "../policy.ts";
import {
  findServicePort,
  passedOver,
  type ServicePortFound,
  upstreamProtocol,
  upstreamScheme,
} from "../service-port.ts";
import { grantWanted, isPermitted } from "./grants.ts";
import type { RouteKind } from "./listeners.ts";
import { namespaceOf, quoted, type Tell, type View } from "./view.ts";

/** Why a reference of a route does not resolve, in the words of Gateway API. */
export type BackendReason = "BackendNotFound" | "InvalidKind" | "RefNotPermitted";

export interface RouteAt {
  readonly kind: RouteKind;
  readonly namespace: string;
}

interface Led {
  readonly is: "port";
  readonly namespace: string;
  readonly found: ServicePortFound;
}

/** A Service's port; nothing for a reference that names no Service; or why there is none. */
export type Backend =
  | Led
  | { readonly is: "none" }
  | { readonly is: "wrong"; readonly reason: BackendReason; readonly field: string; readonly message: string };

/** `field` of what is wrong: from the reference on, with its dot. */
export function backendOf(view: View, route: RouteAt, ref: BackendReference): Backend {
  const wrong = (reason: BackendReason, field: string, message: string): Backend => ({
    is: "wrong",
    reason,
    field,
    message,
  });
  const { group = "", kind = "Service", name, port } = ref;
  if (group !== "" || kind !== "Service")
    return wrong("InvalidKind", ".kind", `${quoted(kind)} is no kind of backend that can be used: name a Service`);
  if (name === "") return { is: "none" };
  if (port === undefined) return wrong("BackendNotFound", ".port", "is missing: write the port of the Service");
  const namespace = ref.namespace ?? route.namespace;
  const to = { group: Service.group, kind: Service.kind, namespace, name };
  if (!isPermitted(view, route, to))
    return wrong(
      "RefNotPermitted",
      ".namespace",
      `Service ${namespace}/${name} may not be used from here: ${grantWanted(route, to)}`,
    );
  const found = findServicePort(view.manifests, to, { number: port });
  return "reason" in found ? wrong("BackendNotFound", "", found.reason) : { is: "port", namespace, found };
}

const SCHEMES: Readonly<Record<RouteKind, ServiceTarget["scheme"]>> = {
  HTTPRoute: "http://",
  TCPRoute: "tcp://",
  TLSRoute: "tls://",
};

/** The scheme with which a client certificate can be shown at all. */
const SHOWS_CERTS: Readonly<Record<RouteKind, ServiceTarget["scheme"]>> = {
  HTTPRoute: "https://",
  TCPRoute: "tls://",
  TLSRoute: "tls://",
};

export interface DestinationContext {
  readonly view: View;
  readonly route: RouteAt;
  readonly gatewayNamespace: string;
  readonly clientCerts: readonly CertRef[];
  readonly tell: Tell;
  /** For what is wrong with other objects than the route. */
  readonly report: (problem: Problem) => void;
}

/** Lost when the reference leads nowhere, which has been told: Gateway API wants its share refused, not given to others. */
export function destinationOf(
  ref: BackendReference,
  field: string,
  trafficPolicies: readonly Policy[],
  context: DestinationContext,
): Destination {
  const { view, route, tell, report } = context;
  const weight = ref.weight === undefined ? {} : { weight: ref.weight };
  const lost: Destination = { ...weight, isLost: true, trafficPolicies: [] };
  const backend = backendOf(view, route, ref);
  if (backend.is === "none") return { ...weight, trafficPolicies };
  if (backend.is === "wrong") {
    tell(`${field}${backend.field}`, backend.message);
    return lost;
  }
  const { found, namespace } = backend;
  const { scheme, problem } = upstreamScheme(found, SCHEMES[route.kind]);
  for (const one of [problem, passedOver(found)]) if (one !== undefined) report(one);
  for (const reason of misunderstood(backend, context)) tell(field, reason, "ignored");
  const clientCertRefs = scheme === SHOWS_CERTS[route.kind] ? context.clientCerts : [];
  if (!mayShow(clientCertRefs, namespace, field, context)) return lost;
  const service: ServiceTarget = {
    uid: found.service.metadata.uid ?? "",
    namespace,
    name: ref.name,
    port: found.port.port,
    scheme,
    clientCertRefs,
  };
  return { ...weight, upstream: { service }, trafficPolicies };
}

/** What of a Service that is reached is not as the route's writer may think. */
function misunderstood({ namespace, found }: Led, { view, route }: DestinationContext): string[] {
  const { service, port } = found;
  const name = `Service ${namespace}/${service.metadata.name}`;
  const abroad = namespaceBehind(view, service);
  const wantsHttp2 = route.kind === "HTTPRoute" && upstreamProtocol(port) === "http2";
  return [
    abroad === undefined
      ? []
      : `${name} is another name for a Service of namespace ${abroad}, which nobody asks for a ReferenceGrant (CVE-2021-25740): name that Service itself, with a grant there`,
    wantsHttp2
      ? `port ${port.port} of ${name} asks for HTTP/2 by its appProtocol ${port.appProtocol}, which is read for Ingresses alone: lead there by an Ingress, or write an AgentEndpoint with spec.upstream.protocol: http2`
      : [],
  ].flat();
}

/**
 * The namespace that a Service of type ExternalName leads into by the cluster's DNS, where it is not its own. Those that stand
 * for a BoundEndpoint are the operator's.
 */
function namespaceBehind({ options }: View, service: ServiceObject): string | undefined {
  const { type, externalName = "" } = service.spec ?? {};
  if (type !== "ExternalName" || !options.referenceGrants || boundBy(service.metadata.labels)) return undefined;
  const host = externalName.toLowerCase().replace(/\.$/, "");
  const domain = `.${options.clusterDomain.toLowerCase()}`;
  const namespace = host.endsWith(domain) ? host.slice(0, -domain.length).split(".").at(-1) : undefined;
  return namespace === namespaceOf(service) ? undefined : namespace;
}

/**
 * The agents take the certificate from the Service's own namespace, by name. That is a Secret of people who were not asked,
 * when the Service is in another namespace than the Gateway and no grant there names the Secret.
 */
function mayShow(certs: readonly CertRef[], namespace: string, field: string, context: DestinationContext): boolean {
  const { view, gatewayNamespace, tell } = context;
  const from = { kind: "Gateway", namespace: gatewayNamespace };
  for (const cert of certs) {
    const to = { group: "", kind: "Secret", namespace, name: cert.name };
    if (cert.namespace === namespace || isPermitted(view, from, to)) continue;
    const reason = `the agents look for the client certificate ${cert.name} in namespace ${namespace}, that of the Service, whose Secrets may not be used from here: ${grantWanted(from, to)}`;
    tell(field, reason);
    return false;
  }
  return true;
}
