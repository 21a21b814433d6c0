// What wakes the translation: each change of an object, as the hosts and Services that it concerns. A change that says
// nothing new to the translator (a status, our own finalizer where a class says whose an Ingress is) concerns none.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { CONTROLLER_NAME, CONTROLLER_NAME_LEGACY } from "#api/keys.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import type { KubeObject } from "#kube/kind.ts";
import { Ingress, IngressClass, type IngressObject, Service } from "#kube/kinds.ts";
import { ENDPOINTS_BY_HOST, hostOfUrl, hostsOfEndpoint } from "../../endpoint/host.ts";
import type { Cached } from "../../runtime/define-controller.ts";
import { type Seen, type Source, source } from "../../runtime/define-keyed.ts";
import { referencesOfGateway } from "../../translate/gateway/references.ts";
import { heldBy } from "../../translate/held.ts";
import { holderOf, isAnybodys } from "../../translate/ingress-class.ts";
import {
  fallbackOfIngress,
  hostKey,
  hostsOfIngress,
  namesOfIngress,
  policiesOfIngress,
  serviceKeyOf,
  serviceOfEndpoint,
  servicesOfIngress,
} from "./keys.ts";
import { calledAs } from "./called.ts";
import { byPolicy, byService } from "./concerned.ts";
import { gatewaySources, hostsConcerned, oneKey as oneKeyOfGateway } from "./gateway-sources.ts";
import {
  BY_CLASS,
  BY_FALLBACK,
  BY_HOST,
  BY_NAME,
  BY_POLICY,
  BY_SERVICE,
  ENDPOINTS_BY_SERVICE,
  HOSTS_IN_ORDER,
} from "./indexes.ts";
import { classNames, taken } from "./taken.ts";
import { isDeleting, isNews, nameOf } from "../../translate/news.ts";

const hostsOfService = hostsConcerned(byService);
const hostsOfPolicy = hostsConcerned(byPolicy);

export const sources: readonly Source[] = [
  source({
    kind: Ingress,
    when: "ingress",
    indexes: {
      [BY_HOST]: hostsOfIngress,
      [BY_SERVICE]: servicesOfIngress,
      [BY_NAME]: namesOfIngress,
      [HOSTS_IN_ORDER]: taken,
      [BY_FALLBACK]: fallbackOfIngress,
      [BY_POLICY]: policiesOfIngress,
      [BY_CLASS]: ({ spec }) => [spec?.ingressClassName ?? ""],
    },
    keys: ({ before, after, first }, cached) =>
      first || isNews(before, after) || isHeldAnew(before, after, cached) ? ingressKeys(before, after) : [],
  }),
  source({
    kind: IngressClass,
    when: "ingress",
    keys: ({ before, after, first }, cached) => {
      if (first || !isNews(before, after)) return [];
      return classNames({ before, after }).flatMap((one) => hostsBy(cached, BY_CLASS, one));
    },
  }),
  source({
    kind: Service,
    keys: ({ before, after, first }, cached) => {
      if (first || !isNews(before, after)) return [];
      const service = nameOf({ before, after });
      return [...hostsBy(cached, BY_SERVICE, service), ...hostsOfService({ before, after, first }, cached)];
    },
  }),
  source({
    kind: NgrokTrafficPolicy,
    keys: ({ before, after, first }, cached) => {
      if (first || !isNews(before, after)) return [];
      const policy = nameOf({ before, after });
      return [...hostsBy(cached, BY_POLICY, policy), ...hostsOfPolicy({ before, after, first }, cached)];
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
    indexes: { [ENDPOINTS_BY_HOST]: hostsOfEndpoint },
    keys: (seen, cached) =>
      generatedKeys(seen, (endpoint) => [
        ...hostOfUrl(endpoint.spec.url)
          .filter((host) => !(seen.first && isAskedFor(cached, BY_HOST, host)))
          .map(hostKey),
        ...(seen.first ? [] : othersCalledAs(endpoint, cached)),
      ]),
  }),
  source({
    kind: AgentEndpoint,
    indexes: { [ENDPOINTS_BY_SERVICE]: serviceOfEndpoint },
    keys: (seen, cached) =>
      generatedKeys(seen, (endpoint) =>
        serviceOfEndpoint(endpoint)
          .filter((service) => !(seen.first && isAskedFor(cached, BY_SERVICE, service)))
          .map(serviceKeyOf),
      ),
  }),
  ...gatewaySources,
];

/** Whether somebody else holds it than before, or nobody does, and nothing but that says whose it is. */
function isHeldAnew(before: IngressObject | undefined, after: IngressObject | undefined, cached: Cached): boolean {
  if (before === undefined || after === undefined || holderOf(before) === holderOf(after)) return false;
  // Where classes may not be read none is known to be missing.
  return cached.has(IngressClass) && !isAnybodys(after, [...cached.all(IngressClass)]);
}

/**
 * Its hosts, and those that it has left; of what it no longer sends to, at least not from all the hosts from which it did,
 * the Services: they may now belong to one host alone, or none.
 */
function ingressKeys(before: IngressObject | undefined, after: IngressObject | undefined): string[] {
  const then = before === undefined ? [] : hostsOfIngress(before);
  const now = after === undefined ? [] : hostsOfIngress(after);
  const isWhole = after !== undefined && !isDeleting(after) && then.every((host) => now.includes(host));
  const still = isWhole ? servicesOfIngress(after) : [];
  const left = before === undefined ? [] : servicesOfIngress(before).filter((one) => !still.includes(one));
  const gone = then.filter((host) => !now.includes(host));
  return [...(after === undefined ? [] : oneKey(after)), ...gone.map(hostKey), ...left.map(serviceKeyOf)];
}

/** A look at one host of an Ingress takes in all of them (slice.ts): a key for each would be as many looks at the same. */
function oneKey(ingress: IngressObject): string[] {
  return hostsOfIngress(ingress).slice(0, 1).map(hostKey);
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

/** At the start an Ingress's own key takes in its hosts and Services: only what nobody asks for any more has to be found. */
function isAskedFor(cached: Cached, index: string, value: string): boolean {
  return heldBy(cached, Ingress, index, value).length > 0;
}

/** Those that ask for the name of an endpoint, and not for the host that it serves: they wait for it, or may have it now. */
function othersCalledAs(endpoint: CloudEndpoint, cached: Cached): string[] {
  const { ingresses, gateways } = calledAs(cached, [nameOf({ before: undefined, after: endpoint })]);
  const hosts = hostOfUrl(endpoint.spec.url);
  const isOther = (asked: readonly string[]): boolean => !hosts.some((host) => asked.includes(host));
  return [
    ...[...ingresses].filter((one) => isOther(hostsOfIngress(one))).flatMap(oneKey),
    ...[...gateways].filter((one) => isOther(referencesOfGateway(one).hosts)).flatMap(oneKeyOfGateway),
  ];
}

function isLabelled({ metadata: { labels } }: KubeObject): boolean {
  return labels?.[CONTROLLER_NAME] !== undefined || labels?.[CONTROLLER_NAME_LEGACY] !== undefined;
}

function hasSpec(object: KubeObject): boolean {
  return (object as { spec?: unknown }).spec !== undefined;
}

function hostsBy(cached: Cached, index: string, value: string): string[] {
  if (!cached.has(Ingress, index)) return [];
  return [...new Set(cached.by(Ingress, index, value).flatMap(oneKey))];
}
