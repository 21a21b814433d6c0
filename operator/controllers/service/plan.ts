// A LoadBalancer Service of class ngrok: where it listens, which endpoints that makes, what its status says. Pure.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { parseEndpointUrl } from "#api/names.ts";
import type { ObjectMeta, OwnerReference } from "#kube/kind.ts";
import type { ServiceObject } from "#kube/kinds.ts";
import { pointerStep } from "#kube/paths.ts";
import type { JsonPatchOperation } from "#kube/writer.ts";
import { type Policy, joinPolicies, policyJson, policyWith } from "../../translate/policy.ts";

export const COMPUTED_URL = "ngrok.com/computed-url";
export const COMPUTED_URL_LEGACY = "k8s.ngrok.com/computed-url";
/** A URL that leaves host and port to ngrok. */
const ANY_TCP = "tcp://";

/** What was reserved for a Service at ngrok says so by this text, to the letter. */
export function reservationOf({ metadata: { namespace, name } }: ServiceObject): {
  readonly description: string;
  readonly metadata: string;
} {
  return { description: `Reserved for ${namespace}/${name}`, metadata: JSON.stringify({ namespace, name }) };
}

export type Listen =
  /** At a URL that the user wrote. */
  | { readonly is: "given"; readonly url: string }
  /** At the reserved address that an earlier reconcile wrote down. */
  | { readonly is: "recorded"; readonly url: string; readonly address: string }
  /** At an address that is still to be reserved; `problem` is what is wrong with the one that was written down. */
  | { readonly is: "reserve"; readonly problem?: string }
  | { readonly is: "invalid"; readonly problem: string };

/** @param given annotation `url`, @param computed annotation `computed-url` */
export function listenAt(given: string | undefined, computed: string | undefined): Listen {
  const url = given ?? ANY_TCP;
  if (url !== ANY_TCP) {
    const parsed = parseEndpointUrl(url);
    return "problem" in parsed ? { is: "invalid", problem: parsed.problem } : { is: "given", url };
  }
  if (computed === undefined || computed === "") return { is: "reserve" };
  const parsed = parseEndpointUrl(computed);
  if ("problem" in parsed) return { is: "reserve", problem: parsed.problem };
  const address = addressIn(computed);
  return address === undefined ? { is: "reserve" } : { is: "recorded", url: computed, address };
}

/** Whether who listened at the computed URL, and now listens at this one, leaves a TCP address that may be reserved for it. */
export function leavesAddress(computed: string, url: string): boolean {
  const address = addressIn(computed);
  return address !== undefined && address !== addressIn(url);
}

/** `host:port` of a tcp:// URL, however it is written. */
function addressIn(text: string): string | undefined {
  const parsed = parseEndpointUrl(text);
  if ("problem" in parsed || parsed.url.scheme !== "tcp") return undefined;
  return `${parsed.url.host}:${parsed.url.port}`;
}

/** The patch that writes the URL down under both prefixes, or takes it away; empty when that is so already. */
export function recordUrl({ metadata: { annotations } }: ServiceObject, url: string | undefined): JsonPatchOperation[] {
  const keys = [COMPUTED_URL, COMPUTED_URL_LEGACY].filter((key) => annotations?.[key] !== url);
  if (keys.length === 0) return [];
  if (url === undefined)
    return keys.map((key) => ({ op: "remove", path: `/metadata/annotations/${pointerStep(key)}` }));
  if (annotations === undefined)
    return [{ op: "add", path: "/metadata/annotations", value: Object.fromEntries(keys.map((key) => [key, url])) }];
  return keys.map((key) => ({ op: "add", path: `/metadata/annotations/${pointerStep(key)}`, value: url }));
}

export interface Settings {
  readonly url: string;
  readonly strategy: "endpoints" | "endpoints-verbose";
  readonly bindings: readonly string[];
  readonly policy: Policy;
  readonly poolingEnabled: boolean | undefined;
  readonly clusterDomain: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface Wanted {
  readonly agent: AgentEndpoint;
  readonly cloud: CloudEndpoint | undefined;
}

/** The endpoints of the Service's first port. They have no name yet: the API server gives one from `generateName`. */
export function endpointsFor(service: ServiceObject, port: number, settings: Settings): Wanted {
  const { uid = "", name, namespace = "" } = service.metadata;
  const { url, strategy, policy, clusterDomain, poolingEnabled } = settings;
  const upstream = { url: `tcp://${name}.${namespace}.${clusterDomain}:${port}` };
  const bindings = settings.bindings.length === 0 ? {} : { bindings: [...settings.bindings] };
  if (strategy === "endpoints") {
    const spec = { url, upstream, ...bindings, trafficPolicy: { inline: policyJson(policy) } };
    return { agent: { ...typed(AgentEndpoint), metadata: metadataFor(service, "", settings), spec }, cloud: undefined };
  }
  const internal = `tcp://${uid}.${name}.${namespace}.internal:${port}`;
  const forward = { actions: [{ type: "forward-internal", config: { url: internal } }] };
  const whole = policyJson(joinPolicies([policy, policyWith("on_tcp_connect", [forward])]));
  return {
    agent: {
      ...typed(AgentEndpoint),
      metadata: metadataFor(service, "internal-", settings),
      spec: { url: internal, upstream },
    },
    cloud: {
      ...typed(CloudEndpoint),
      metadata: metadataFor(service, "", settings),
      spec: {
        url,
        ...bindings,
        ...(poolingEnabled === undefined ? {} : { poolingEnabled }),
        // Older releases read `policy` alone, and may come back by a rollback.
        trafficPolicy: { inline: whole, policy: whole },
      },
    },
  };
}

function typed({ group, versions, kind }: { group: string; versions: readonly [string, ...string[]]; kind: string }) {
  return { apiVersion: `${group}/${versions[0]}`, kind };
}

/** An object without a name, as it is sent to be named. */
function metadataFor(service: ServiceObject, suffix: string, { labels }: Settings): ObjectMeta {
  const { name, namespace } = service.metadata;
  // A generated suffix has five characters, and the API server cuts what is before it.
  const unnamed = {
    generateName: `${name}-${suffix}`,
    namespace,
    labels: { ...labels },
    ownerReferences: [ownerOf(service)],
  };
  return unnamed as unknown as ObjectMeta;
}

export function ownerOf({ metadata: { name, uid = "" } }: ServiceObject): OwnerReference {
  return { apiVersion: "v1", kind: "Service", name, uid, controller: true, blockOwnerDeletion: true };
}

/** The uid of the Service that controls the object. */
export function ownerUids({ metadata }: { metadata: ObjectMeta }): string[] {
  return (metadata.ownerReferences ?? [])
    .filter(({ controller, kind, apiVersion }) => controller === true && kind === "Service" && apiVersion === "v1")
    .map(({ uid }) => uid);
}

/** Of several objects for one purpose the oldest stays: the others are copies of a creation whose answer was lost. */
export function keepOne<T extends { metadata: ObjectMeta }>(
  owned: readonly T[],
): { kept: T | undefined; surplus: T[] } {
  const standing = owned.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const [kept, ...surplus] = standing.toSorted((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1));
  return { kept, surplus };
}

function ageOf({ metadata }: { metadata: ObjectMeta }): string {
  return `${metadata.creationTimestamp ?? ""} ${metadata.name}`;
}

interface LoadBalancer {
  readonly ingress: { hostname: string; ports: { port: number; protocol: string }[] }[];
}

export const NOWHERE: LoadBalancer = { ingress: [] };

/** `target`: where the host's DNS record leads, when the host needs one. */
export function loadBalancerAt(url: string, target: string | undefined): LoadBalancer {
  const parsed = parseEndpointUrl(url);
  if ("problem" in parsed) return NOWHERE;
  const { host } = parsed.url;
  const [, port = "443"] = /:(\d+)$/.exec(url) ?? [];
  return { ingress: [{ hostname: target ?? host, ports: [{ port: Number(port), protocol: "TCP" }] }] };
}
