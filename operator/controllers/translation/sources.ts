// What wakes the translation: each change of an object, as the hosts and Services that it concerns. A change that says
// nothing new to the translator (a status, our own finalizer) concerns none.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { CONTROLLER_NAME, CONTROLLER_NAME_LEGACY } from "#api/keys.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import type { KubeObject } from "#kube/kind.ts";
import { Ingress, IngressClass, type IngressObject, Service } from "#kube/kinds.ts";
import type { Cached } from "../../runtime/define-controller.ts";
import { type Seen, type Source, source } from "../../runtime/define-keyed.ts";
import {
  hostKey,
  hostOfUrl,
  hostsByService,
  hostsOfIngress,
  policiesOfIngress,
  serviceKeyOf,
  serviceOfEndpoint,
  servicesOfIngress,
} from "./keys.ts";
import { gatewaySources, hostsOfPolicy, hostsOfService } from "./gateway-sources.ts";
import { BY_HOST, BY_SERVICE, ENDPOINTS_BY_HOST, ENDPOINTS_BY_SERVICE, HOSTS_IN_ORDER } from "./look.ts";
import { isDeleting, isNews, nameOf } from "./news.ts";

const BY_POLICY = "translation-policy";
const BY_CLASS = "translation-class";

export const sources: readonly Source[] = [
  source({
    kind: Ingress,
    when: "ingress",
    indexes: {
      [BY_HOST]: hostsOfIngress,
      [BY_SERVICE]: servicesOfIngress,
      [HOSTS_IN_ORDER]: { inGroups: hostsByService },
      [BY_POLICY]: policiesOfIngress,
      [BY_CLASS]: ({ spec }) => [spec?.ingressClassName ?? ""],
    },
    keys: ({ before, after, first }) => (first || isNews(before, after) ? ingressKeys(before, after) : []),
  }),
  source({
    kind: IngressClass,
    when: "ingress",
    keys: ({ before, after, first }, cached) => {
      if (first || !isNews(before, after)) return [];
      const name = (after ?? before)?.metadata.name ?? "";
      return [name, ""].flatMap((one) => hostsBy(cached, BY_CLASS, one));
    },
  }),
  source({
    kind: Service,
    keys: ({ before, after, first }, cached) => {
      if (first || !isNews(before, after)) return [];
      const service = nameOf({ before, after });
      return [...hostsBy(cached, BY_SERVICE, service), ...hostsOfService(cached, service)];
    },
  }),
  source({
    kind: NgrokTrafficPolicy,
    keys: ({ before, after, first }, cached) => {
      if (first || !isNews(before, after)) return [];
      const policy = nameOf({ before, after });
      return [...hostsBy(cached, BY_POLICY, policy), ...hostsOfPolicy(cached, policy)];
    },
  }),
  source({
    kind: Domain,
    // Only that it has gone: how it fares is its endpoints' business, and the Ingress's.
    keys: ({ before, after }) =>
      before === undefined || after !== undefined || !hasSpec(before)
        ? []
        : [hostKey(before.spec.domain.toLowerCase())],
  }),
  source({
    kind: CloudEndpoint,
    indexes: { [ENDPOINTS_BY_HOST]: ({ spec }) => hostOfUrl(spec.url) },
    keys: (seen) =>
      generatedKeys(seen, ({ spec, metadata }) => [...hostOfUrl(spec.url), hostOfName(metadata.name)].map(hostKey)),
  }),
  source({
    kind: AgentEndpoint,
    indexes: { [ENDPOINTS_BY_SERVICE]: serviceOfEndpoint },
    keys: (seen) => generatedKeys(seen, (endpoint) => serviceOfEndpoint(endpoint).map(serviceKeyOf)),
  }),
  ...gatewaySources,
];

/**
 * The hosts of both states; of what it no longer sends to, at least not from all the hosts from which it did, the Services:
 * they may now belong to one host alone, or none.
 */
function ingressKeys(before: IngressObject | undefined, after: IngressObject | undefined): string[] {
  const then = before === undefined ? [] : hostsOfIngress(before);
  const now = after === undefined ? [] : hostsOfIngress(after);
  const isWhole = after !== undefined && !isDeleting(after) && then.every((host) => now.includes(host));
  const still = isWhole ? servicesOfIngress(after) : [];
  const left = before === undefined ? [] : servicesOfIngress(before).filter((one) => !still.includes(one));
  return [...new Set([...then, ...now].map(hostKey)), ...left.map(serviceKeyOf)];
}

/** Our own creation is no news; what becomes of an endpoint afterwards is. */
function generatedKeys<T extends CloudEndpoint | AgentEndpoint>(
  { before, after, first }: Seen<T>,
  keys: (endpoint: T) => string[],
): string[] {
  if (first) return after !== undefined && isLabelled(after) ? keys(after) : [];
  if (before === undefined || !isNews(before, after)) return [];
  return [
    ...new Set([before, ...(after === undefined ? [] : [after])].flatMap((one) => (hasSpec(one) ? keys(one) : []))),
  ];
}

/** The host for which an Ingress's CloudEndpoint of this name would be: who has taken the name may have another URL. */
function hostOfName(name: string): string {
  return name.replace(/^wildcard\./, "*.");
}

function isLabelled({ metadata: { labels } }: KubeObject): boolean {
  return labels?.[CONTROLLER_NAME] !== undefined || labels?.[CONTROLLER_NAME_LEGACY] !== undefined;
}

function hasSpec(object: KubeObject): boolean {
  return (object as { spec?: unknown }).spec !== undefined;
}

function hostsBy(cached: Cached, index: string, value: string): string[] {
  if (!cached.has(Ingress, index)) return [];
  return [...new Set(cached.by(Ingress, index, value).flatMap(hostsOfIngress))].map(hostKey);
}
