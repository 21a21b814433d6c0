// What the translator takes in, what it thinks in, and what it gives: manifests, virtual hosts, endpoints. Ingress and
// Gateway API meet in VirtualHost; from there on nothing knows which of the two a host came from.
import type { AgentEndpoint } from "#api/agent-endpoint.ts";
import type { CloudEndpoint } from "#api/cloud-endpoint.ts";
import type { Domain } from "#api/domain.ts";
import { keyOf, type Kind, type KubeObject, type Ref, refOf } from "#kube/kind.ts";
import type { Policy } from "./policy.ts";

/**
 * The objects that a translation reads: an index over files (manifests.ts) or a view of the runtime's caches. A kind of
 * which nothing is held has no objects; who asks never has to know what is served or watched.
 */
export interface Manifests {
  get<T extends KubeObject>(kind: Kind<T>, at: Ref): T | undefined;
  /**
   * All of a kind, or those of a namespace, sorted by `namespace/name`, so that the order of the input never shows in the
   * output.
   */
  list<T extends KubeObject>(kind: Kind<T>, namespace?: string): readonly T[];
}

export interface Options {
  /** Namespace and name of the manager whose controller labels the generated objects carry. */
  readonly managerNamespace: string;
  readonly managerName: string;
  /** DNS domain of the cluster, `svc.cluster.local` unless it is another. */
  readonly clusterDomain: string;
  /** Whether what lies in another namespace needs a ReferenceGrant there. */
  readonly referenceGrants: boolean;
  /** Objects of this namespace alone are translated; undefined means all. */
  readonly watchNamespace?: string;
  /** What every endpoint is to say of itself at ngrok; none leaves the field to the schema's default. */
  readonly ngrokMetadata?: Readonly<Record<string, string>>;
  /** What new Domains are given, Delete unless it is said; the driver leaves that of Domains that are there as it is. */
  readonly domainReclaimPolicy?: "Delete" | "Retain";
  readonly ingressControllerName: string;
  /** What this install writes on the Ingresses that it holds, by which one whose class has gone is known to be ours. */
  readonly stamp?: string;
  readonly gatewayControllerName: string;
}

export const DEFAULT_CLUSTER_DOMAIN = "svc.cluster.local";

/** For those who ask what does not depend on an install: of no name, with classes of a controller of no name. */
export const NOBODYS: Options = {
  managerNamespace: "",
  managerName: "",
  clusterDomain: "",
  referenceGrants: true,
  ingressControllerName: "",
  gatewayControllerName: "",
};

/** Something of the input that is not, or not as written, in the output. */
export interface Problem {
  /** `Kind namespace/name`. */
  readonly object: string;
  /** Path in the object, such as `spec.rules[0].http.paths[1].backend`. */
  readonly field: string;
  /** A sentence for people: what is wrong, and after a colon what to do about it. */
  readonly reason: string;
  /**
   * `refused`: what the field asks for is left out. `ignored`: the rest goes on as if the field were not there. `pending`:
   * nothing is wrong, but what it will hold is known only once the object is in the cluster; something stands for it.
   */
  readonly effect: "refused" | "ignored" | "pending";
  /**
   * In lower case, of what shows only when a host meets others on its Services: who has not looked at all that share them
   * cannot tell whether it is so.
   */
  readonly host?: string;
}

export function problemOf(
  kind: Pick<Kind, "kind">,
  object: KubeObject,
  field: string,
  reason: string,
  effect: Problem["effect"] = "refused",
): Problem {
  return { object: `${kind.kind} ${keyOf(refOf(object))}`, field, reason, effect };
}

export interface Translation {
  /** Sorted by kind, then `namespace/name`. */
  readonly endpoints: readonly (CloudEndpoint | AgentEndpoint)[];
  /** Sorted by `namespace/name`. */
  readonly domains: readonly Domain[];
  /** Sorted by object, then field. */
  readonly problems: readonly Problem[];
}

/** What one of the two sources found. */
export interface Hosts {
  readonly hosts: readonly VirtualHost[];
  readonly problems: readonly Problem[];
}

/** A host name that needs a Domain object in `namespace`. Neither empty nor `.internal`. */
export interface DomainWish {
  readonly host: string;
  readonly namespace: string;
}

export type Protocol = "HTTP" | "HTTPS" | "TCP" | "TLS";
export type MappingStrategy = "endpoints" | "endpoints-verbose";

export interface Listener {
  /** As the user wrote it; may begin with `*.`. */
  readonly hostname: string;
  readonly port: number;
  readonly protocol: Protocol;
}

/** One public address with everything that is to happen to what arrives there. */
export interface VirtualHost {
  /** Before the host in the CloudEndpoint's name, without the `-`: for a Gateway `<name>.<namespace>[.<port>]`. */
  readonly namePrefix?: string;
  readonly namespace: string;
  readonly listener: Listener;
  readonly poolingEnabled?: boolean;
  /** The annotated policy, read. */
  readonly trafficPolicy?: Policy;
  /** Name of the NgrokTrafficPolicy in `namespace` that it was read from. */
  readonly trafficPolicyRef?: string;
  /** In any order; the assembly sorts them. */
  readonly routes: readonly Route[];
  readonly defaultDestination?: Destination;
  readonly tlsTermination?: TlsTermination;
  /** What the agents show to a backend of the host (a Gateway's backend client certificate). */
  readonly clientCertRefs: readonly CertRef[];
  /** Labels and annotations of the Gateway's infrastructure, added to the generated objects of this host. */
  readonly labelsToAdd: Readonly<Record<string, string>>;
  readonly annotationsToAdd: Readonly<Record<string, string>>;
  /** `Kind namespace/name` of the objects that asked for this host, first come first. */
  readonly owningResources: readonly string[];
  /** JSON text; "" leaves it to the schema's default. */
  readonly metadata: string;
  /** "" leaves it to the schema's default. */
  readonly description: string;
  readonly bindings: readonly string[];
  readonly mappingStrategy: MappingStrategy;
}

export interface TlsTermination {
  /** Option without its prefix -> value. */
  readonly extendedOptions: Readonly<Record<string, string>>;
  /** PEM. */
  readonly serverPrivateKey?: string;
  readonly serverCertificate?: string;
  readonly mutualTLSCAs: readonly string[];
}

export interface CertRef {
  readonly name: string;
  readonly namespace: string;
}

export interface Route {
  /** The part of the object that asks for it, as problems name it. */
  readonly writtenIn?: Pick<Problem, "object" | "field">;
  /** TCP and TLS routes have none. */
  readonly httpMatch?: HttpMatch;
  readonly trafficPolicies: readonly Policy[];
  readonly destinations: readonly Destination[];
}

export interface HttpMatch {
  readonly path?: string;
  readonly pathType?: "exact" | "prefix" | "regex";
  readonly headers: readonly NamedMatch[];
  readonly queryParams: readonly NamedMatch[];
  /** In capitals. */
  readonly method?: string;
}

export interface NamedMatch {
  readonly name: string;
  readonly value: string;
  readonly type: "exact" | "regex";
}

export interface Destination {
  /** Not set counts as 1. */
  readonly weight?: number;
  /** None for a destination that consists of its policies alone. */
  readonly upstream?: { readonly service: ServiceTarget };
  /** The reference leads nowhere: its share of the traffic is refused. */
  readonly isLost?: true;
  readonly trafficPolicies: readonly Policy[];
}

/** A port of a Service as the agents are to reach it. */
export interface ServiceTarget {
  /** As given; "" for a manifest that no server has seen. */
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  readonly scheme: "http://" | "https://" | "tcp://" | "tls://";
  readonly protocol?: "http1" | "http2";
  readonly clientCertRefs: readonly CertRef[];
}

/** What makes two targets one internal endpoint; the scheme is no part of it. */
export function serviceKey(service: ServiceTarget): string {
  const { uid, namespace, name, port, protocol, clientCertRefs } = service;
  const certs = clientCertRefs.map((cert) => `${cert.name}.${cert.namespace}`);
  return [uid, namespace, name, String(port), ...(protocol === undefined ? [] : [protocol]), ...certs].join("/");
}
