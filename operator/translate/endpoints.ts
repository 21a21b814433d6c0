// Virtual hosts become the objects of the cluster: one public endpoint each, and an internal one for each port of a Service
// that they lead to.
import { AgentEndpoint, type AgentEndpointSpec } from "#api/agent-endpoint.ts";
import { CloudEndpoint, type CloudEndpointSpec } from "#api/cloud-endpoint.ts";
import { controllerLabels } from "#api/keys.ts";
import { distinctName, kubernetesName, shortHash } from "#api/names.ts";
import type { Kind, ObjectMeta } from "#kube/kind.ts";
import { cloudEndpointName, internalName, internalUrl, publicUrl, upstreamUrl } from "./endpoint-names.ts";
import { hostPolicy } from "./host-policy.ts";
import { collapsed, servicesOf } from "./mapping.ts";
import {
  type Options,
  type Problem,
  type Protocol,
  serviceKey,
  type ServiceTarget,
  type VirtualHost,
} from "./model.ts";
import { policyJson } from "./policy.ts";
import { sortRoutes } from "./route-order.ts";
import { silentResponses } from "./silent-responses.ts";

/**
 * `given` in the order in which they were asked for: where several hosts share an internal endpoint, its metadata are those
 * of the first. Hosts know each other through the Services that they share, and through nothing else.
 */
export function endpointsOf(
  given: readonly VirtualHost[],
  options: Options,
): { readonly endpoints: readonly (CloudEndpoint | AgentEndpoint)[]; readonly problems: readonly Problem[] } {
  const hosts = given.map((host) => ({ ...host, routes: sortRoutes(host.routes) }));
  const local = collapsed(hosts);
  const internals = internalEndpoints(hosts, options);
  const names = new Names();
  const publics = new Set<Internal>();
  const silent: Problem[] = [];
  // A Gateway's host may be served as https and as http, under one name: the name is the first's by this order.
  const publicHosts = hosts
    .map((host) => ({ host, url: publicUrl(host.listener) }))
    .toSorted((a, b) => Number(b.url.startsWith("https")) - Number(a.url.startsWith("https")));
  const made = publicHosts.map(({ host, url }) => {
    const into = local.get(host);
    const service = into === undefined ? undefined : servicesOf(host).find((one) => serviceKey(one) === into);
    const urlOf = (target: ServiceTarget): string => internalOf(internals, host, target).url;
    const assembly = { host, local: into, urlOf };
    const whole = hostPolicy(assembly);
    if (whole.on_http_response.length > 0) silent.push(...silentResponses(assembly));
    const policy = policyJson(whole);
    if (service === undefined) return cloudEndpoint(host, url, policy, names, options);
    const internal = internalOf(internals, host, service);
    publics.add(internal);
    return agentEndpoint(host, internal, options, {
      url,
      ...(host.bindings.length > 0 && { bindings: [...host.bindings] }),
      trafficPolicy: { inline: policy },
    });
  });
  const others = [...internals.values()].filter((internal) => !publics.has(internal));
  return {
    endpoints: [
      ...made,
      ...others.map((internal) => agentEndpoint(internal.host, internal, options, { url: internal.url })),
    ],
    problems: [
      ...silent,
      ...hosts.flatMap(strayCertificates),
      ...sharedAddresses(publicHosts, (host) => local.has(host)),
    ],
  };
}

/** The endpoint of a Service's port, which is internal unless a host collapses into it. */
interface Internal {
  /** The first that leads there. */
  readonly host: VirtualHost;
  readonly service: ServiceTarget;
  readonly name: string;
  readonly url: string;
}

function internalOf(internals: ReadonlyMap<string, Internal>, host: VirtualHost, service: ServiceTarget): Internal {
  const found = internals.get(identityOf(host, service));
  if (found === undefined) throw new Error(`no endpoint was made for Service ${service.namespace}/${service.name}`);
  return found;
}

/** HTTP and connections are two things even on one port, and so are two ways to speak to it. */
function identityOf({ listener }: VirtualHost, service: ServiceTarget): string {
  return `${isHttp(listener.protocol) ? "http" : "connections"} ${service.scheme} ${serviceKey(service)}`;
}

/** Hosts of one way share the endpoint of a Service, and say the same of how it is reached. */
export function wayTo(host: VirtualHost, service: ServiceTarget): string {
  return `${isEncrypted(host) ? "encrypted" : "plain"} ${identityOf(host, service)}`;
}

function isEncrypted({ listener: { protocol } }: VirtualHost): boolean {
  return protocol === "HTTPS" || protocol === "TLS";
}

function isHttp(protocol: Protocol): boolean {
  return protocol === "HTTP" || protocol === "HTTPS";
}

function internalEndpoints(hosts: readonly VirtualHost[], { clusterDomain }: Options): ReadonlyMap<string, Internal> {
  const encrypted = new Set<string>();
  const uses = new Map<string, { readonly host: VirtualHost; readonly service: ServiceTarget }>();
  for (const host of hosts) {
    for (const service of servicesOf(host)) {
      const identity = identityOf(host, service);
      if (isEncrypted(host)) encrypted.add(identity);
      if (!uses.has(identity)) uses.set(identity, { host, service });
    }
  }
  const names = new Names();
  const internals = new Map<string, Internal>();
  for (const [identity, { host, service }] of uses) {
    // Hosts of both kinds may share it: one of them would reach it by a URL that is not its own, so the safer one holds.
    const secure = encrypted.has(identity);
    const protocol = isHttp(host.listener.protocol) ? (secure ? "HTTPS" : "HTTP") : secure ? "TLS" : "TCP";
    const { port, namespace } = service;
    const called = internalName(service, clusterDomain);
    const { name, isPlain } = names.take(namespace, kubernetesName(`${called}-${port}`), identity);
    const distinct = isPlain ? {} : { distinct: shortHash(identity) };
    internals.set(identity, { host, service, name, url: internalUrl({ protocol, name: called, port, ...distinct }) });
  }
  return internals;
}

/** Names that are taken: the second that comes for one gets another. */
class Names {
  readonly #taken = new Set<string>();

  /** `by`: what tells the second from the first; no two come with the same. */
  take(namespace: string, plain: string, by: string): { readonly name: string; readonly isPlain: boolean } {
    const isPlain = !this.#taken.has(`${namespace}/${plain}`);
    const name = isPlain ? plain : distinctName(plain, by);
    this.#taken.add(`${namespace}/${name}`);
    return { name, isPlain };
  }
}

function cloudEndpoint(
  host: VirtualHost,
  url: string,
  policy: Record<string, unknown>,
  names: Names,
  options: Options,
): CloudEndpoint {
  const { name } = names.take(host.namespace, cloudEndpointName(host.namePrefix, host.listener), url);
  const spec: CloudEndpointSpec = {
    url,
    ...(host.poolingEnabled !== undefined && { poolingEnabled: host.poolingEnabled }),
    // Older releases read `policy` alone, and may come back by a rollback.
    trafficPolicy: { inline: policy, policy },
    ...(host.bindings.length > 0 && { bindings: [...host.bindings] }),
    ...saidOf(host),
  };
  return { ...typeOf(CloudEndpoint), metadata: metadataOf(host, name, host.namespace, options), spec };
}

function agentEndpoint(
  host: VirtualHost,
  { service, name }: Internal,
  options: Options,
  { url, ...rest }: Pick<AgentEndpointSpec, "url" | "bindings" | "trafficPolicy">,
): AgentEndpoint {
  const { protocol, clientCertRefs, namespace } = service;
  const spec: AgentEndpointSpec = {
    url,
    upstream: { url: upstreamUrl(service, options.clusterDomain), ...(protocol !== undefined && { protocol }) },
    ...rest,
    ...(clientCertRefs.length > 0 && { clientCertificateRefs: clientCertRefs.map((cert) => ({ name: cert.name })) }),
    ...saidOf(host),
  };
  return { ...typeOf(AgentEndpoint), metadata: metadataOf(host, name, namespace, options), spec };
}

function saidOf({ description, metadata }: VirtualHost): { description?: string; metadata?: string } {
  return { ...(description !== "" && { description }), ...(metadata !== "" && { metadata }) };
}

function metadataOf(host: VirtualHost, name: string, namespace: string, options: Options): ObjectMeta {
  const annotations = { ...host.annotationsToAdd };
  return {
    name,
    namespace,
    labels: { ...host.labelsToAdd, ...controllerLabels(options.managerNamespace, options.managerName) },
    ...(Object.keys(annotations).length > 0 && { annotations }),
  };
}

export function typeOf({ group, versions, kind }: Kind): { readonly apiVersion: string; readonly kind: string } {
  return { apiVersion: `${group}/${versions[0]}`, kind };
}

/**
 * Said where two are on one address and do not both say that they mean it. ngrok takes them only where both pool, which a
 * CloudEndpoint does by its annotation, and an AgentEndpoint always does: its agents pool among themselves.
 */
function sharedAddresses(
  hosts: readonly { readonly host: VirtualHost; readonly url: string }[],
  isAgents: (host: VirtualHost) => boolean,
): Problem[] {
  const first = new Map<string, VirtualHost>();
  const means = (host: VirtualHost): boolean => host.poolingEnabled === true;
  return hosts.flatMap(({ host, url }) => {
    const holder = first.get(url);
    if (holder === undefined) first.set(url, host);
    if (holder === undefined || (means(holder) && means(host))) return [];
    const [object = ""] = host.owningResources;
    const field = host.namePrefix === undefined ? "spec.rules" : "spec.listeners";
    const pool = [holder, host].every((one) => means(one) || isAgents(one));
    const why = pool
      ? "as AgentEndpoints always pool, ngrok shares out what comes between the two: annotate both with pooling-enabled if that is meant"
      : "ngrok takes several endpoints on one address only where all pool: annotate both with pooling-enabled";
    const reason = `${holder.owningResources[0]} serves ${url} too, and ${why}, or choose another host`;
    return [{ object, field, reason, effect: "ignored" as const, host: nameOf(host) }];
  });
}

/** An AgentEndpoint refers to Secrets of its own namespace alone. */
function strayCertificates(host: VirtualHost): Problem[] {
  return servicesOf(host).flatMap(({ namespace, name, clientCertRefs }) =>
    clientCertRefs
      .filter((cert) => cert.namespace !== namespace)
      .map((cert) => ({
        object: host.owningResources[0] ?? "",
        field: "spec.tls.backend.clientCertificateRef",
        reason: `the agents look for Secret ${cert.name} in ${namespace}, where Service ${name} is: put a copy of ${cert.namespace}/${cert.name} there`,
        effect: "ignored" as const,
        host: nameOf(host),
      })),
  );
}

function nameOf({ listener }: VirtualHost): string {
  return listener.hostname.toLowerCase();
}
