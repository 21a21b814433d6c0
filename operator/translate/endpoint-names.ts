// Names and URLs of the endpoints that are made for hosts and Services. Who upgrades finds the objects that are there
// under these names, so each letter of them is a promise.
import { kubernetesName, shortHash } from "#api/names.ts";
import { DEFAULT_CLUSTER_DOMAIN, type Listener, type Protocol, type ServiceTarget } from "./model.ts";

const UID_DIGITS = 5;

/** What the internal endpoint of a Service's port is called by, without the port. */
export function internalName({ uid, name, namespace, clientCertRefs }: ServiceTarget, clusterDomain: string): string {
  const certs = clientCertRefs.map((cert) => `${cert.name}.${cert.namespace}`).join("");
  return [
    shortHash(uid, UID_DIGITS),
    name,
    namespace,
    ...(certs === "" ? [] : [`mtls-${shortHash(certs, UID_DIGITS)}`]),
    ...(clusterDomain === DEFAULT_CLUSTER_DOMAIN ? [] : [clusterDomain]),
  ].join("-");
}

export interface InternalUrl {
  readonly protocol: Protocol;
  /** From internalName. */
  readonly name: string;
  readonly port: number;
  /** What tells it from another one of the same name and port. */
  readonly distinct?: string;
}

export function internalUrl({ protocol, name, port, distinct }: InternalUrl): string {
  const tail = distinct === undefined ? "" : `-${distinct}`;
  const scheme = `${protocol.toLowerCase()}://`;
  if (protocol === "TCP" || protocol === "TLS") return `${scheme}${urlPart(`${name}${tail}`)}.internal:${port}`;
  return `${scheme}${urlPart(`${name}-${port}${tail}`)}.internal`;
}

function urlPart(text: string): string {
  return text.replaceAll("*", "wildcard").replaceAll(/[^a-zA-Z0-9_~-]/g, "-");
}

/** Where the agents find the Service. */
export function upstreamUrl({ scheme, name, namespace, port }: ServiceTarget, clusterDomain: string): string {
  const domain = clusterDomain === DEFAULT_CLUSTER_DOMAIN ? "" : `.${clusterDomain}`;
  return `${scheme}${name}.${namespace}${domain}:${port}`;
}

/** What two hosts may come to, `*.example.com` and `wildcard.example.com`: the second gets another one. */
export function cloudEndpointName(prefix: string | undefined, { hostname }: Pick<Listener, "hostname">): string {
  return kubernetesName(prefix === undefined ? hostname : `${prefix}-${hostname}`);
}

/** What tells the endpoints of one Gateway from those of others. */
export function gatewayPrefix(
  gateway: { readonly name: string; readonly namespace: string },
  { protocol, port }: { readonly protocol: string; readonly port: number },
): string {
  const prefix = `${gateway.name}.${gateway.namespace}`;
  return protocol === "TCP" || protocol === "TLS" ? `${prefix}.${port}` : prefix;
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
