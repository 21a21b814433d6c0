// Names and URLs of the endpoints that are made for hosts and Services. Who upgrades finds the objects that are there
// under these names, so each letter of them is a promise.
import { shortHash } from "#api/names.ts";
import { DEFAULT_CLUSTER_DOMAIN, type Listener, type Protocol, type ServiceTarget } from "./model.ts";

const UID_DIGITS = 5;

/** The parts that the internal endpoint of a Service's port is called by; the port is not among them. */
function partsOf({ uid, name, namespace, clientCertRefs }: ServiceTarget, clusterDomain: string): string {
  const certs = clientCertRefs.map((cert) => `${cert.name}.${cert.namespace}`).join("");
  return [
    shortHash(uid, UID_DIGITS),
    name,
    namespace,
    ...(certs === "" ? [] : [`mtls-${shortHash(certs, UID_DIGITS)}`]),
    ...(clusterDomain === DEFAULT_CLUSTER_DOMAIN ? [] : [clusterDomain]),
  ].join("-");
}

/** Before it is made fit for Kubernetes. */
export function agentEndpointName(service: ServiceTarget, clusterDomain: string): string {
  return `${partsOf(service, clusterDomain)}-${service.port}`;
}

/** `distinct`: what tells it from another one of the same parts. */
export function internalUrl(
  service: ServiceTarget,
  { protocol, clusterDomain, distinct }: { protocol: Protocol; clusterDomain: string; distinct?: string },
): string {
  const tail = distinct === undefined ? "" : `-${distinct}`;
  const parts = partsOf(service, clusterDomain);
  const scheme = `${protocol.toLowerCase()}://`;
  if (protocol === "TCP" || protocol === "TLS")
    return `${scheme}${urlPart(`${parts}${tail}`)}.internal:${service.port}`;
  return `${scheme}${urlPart(`${parts}-${service.port}${tail}`)}.internal`;
}

function urlPart(text: string): string {
  return text.replaceAll("*", "wildcard").replaceAll(/[^a-zA-Z0-9_~-]/g, "-");
}

/** Where the agents find the Service. */
export function upstreamUrl({ scheme, name, namespace, port }: ServiceTarget, clusterDomain: string): string {
  const domain = clusterDomain === DEFAULT_CLUSTER_DOMAIN ? "" : `.${clusterDomain}`;
  return `${scheme}${name}.${namespace}${domain}:${port}`;
}

/** Before it is made fit for Kubernetes. */
export function cloudEndpointName(prefix: string | undefined, { hostname }: Listener): string {
  return prefix === undefined ? hostname : `${prefix}-${hostname}`;
}

const DEFAULT_PORTS: Readonly<Record<Protocol, number | undefined>> = {
  HTTP: 80,
  HTTPS: 443,
  TCP: undefined,
  TLS: undefined,
};

export function publicUrl({ protocol, hostname, port }: Listener): string {
  const tail = port === DEFAULT_PORTS[protocol] ? "" : `:${port}`;
  return `${protocol.toLowerCase()}://${hostname.toLowerCase()}${tail}`;
}
