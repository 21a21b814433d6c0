// What wakes the translation: each change of an object, as the hosts and Services that it concerns. A change that says
// nothing new to the translator (a status, our own finalizer) concerns none.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { CONTROLLER_NAME, CONTROLLER_NAME_LEGACY, DRAIN_OWNER } from "#api/keys.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { keyOf, type KubeObject, refOf } from "#kube/kind.ts";
import { Ingress, IngressClass, type IngressObject, Service } from "#kube/kinds.ts";
import type { Cached } from "../../runtime/define-controller.ts";
import { type Seen, type Source, source } from "../../runtime/define-keyed.ts";
import {
  hostKey,
  hostOfUrl,
  hostsOfIngress,
  policiesOfIngress,
  serviceKeyOf,
  serviceOfEndpoint,
  servicesOfIngress,
} from "./keys.ts";
import { BY_HOST, BY_SERVICE } from "./look.ts";

const BY_POLICY = "translation-policy";
const BY_CLASS = "translation-class";
/** Names of the indexes over the endpoints. */
export const ENDPOINTS_BY_HOST = "translation-host";
export const ENDPOINTS_BY_SERVICE = "translation-service";

export const sources: readonly Source[] = [
  source({
    kind: Ingress,
    indexes: {
      [BY_HOST]: hostsOfIngress,
      [BY_SERVICE]: servicesOfIngress,
      [BY_POLICY]: policiesOfIngress,
      [BY_CLASS]: ({ spec }) => [spec?.ingressClassName ?? ""],
    },
    keys: ({ before, after, first }) => (first || isNews(before, after) ? ingressKeys(before, after) : []),
  }),
  source({
    kind: IngressClass,
    keys: ({ before, after, first }, cached) => {
      if (first || !isNews(before, after)) return [];
      const name = (after ?? before)?.metadata.name ?? "";
      return [name, ""].flatMap((one) => hostsBy(cached, BY_CLASS, one));
    },
  }),
  source({
    kind: Service,
    keys: ({ before, after, first }, cached) => {
      const service = keyIn(after ?? before);
      const hosts = first || !isNews(before, after) ? [] : hostsBy(cached, BY_SERVICE, service);
      return hosts;
    },
  }),
  source({
    kind: NgrokTrafficPolicy,
    keys: ({ before, after, first }, cached) =>
      first || !isNews(before, after) ? [] : hostsBy(cached, BY_POLICY, keyIn(after ?? before)),
  }),
  source({
    kind: Domain,
    // Only that it has gone: how it fares is its endpoints' business, and the Ingress's.
    keys: ({ before, after }) =>
      before === undefined || after !== undefined ? [] : [hostKey(before.spec.domain.toLowerCase())],
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
];

/** The hosts of both states; of what it no longer sends to, the Services: they may now belong to one host alone, or none. */
function ingressKeys(before: IngressObject | undefined, after: IngressObject | undefined): string[] {
  const [then, now] = [before, after].map((one) => (one === undefined ? [] : hostsOfIngress(one)));
  const still = after === undefined || isDeleting(after) ? [] : servicesOfIngress(after);
  const left = before === undefined ? [] : servicesOfIngress(before).filter((one) => !still.includes(one));
  return [...new Set([...(then ?? []), ...(now ?? [])].map(hostKey)), ...left.map(serviceKeyOf)];
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

/** Whether there is anything in it but a status, a finalizer and our stamp. */
function isNews(before: KubeObject | undefined, after: KubeObject | undefined): boolean {
  if (before === undefined || after === undefined) return true;
  const a = before.metadata;
  const b = after.metadata;
  if (a.uid !== b.uid || isDeleting(before) !== isDeleting(after)) return true;
  // Not every kind counts generations: an IngressClass does, a Service does not.
  const spec =
    a.generation === undefined ? textOf(specOf(before)) !== textOf(specOf(after)) : a.generation !== b.generation;
  return spec || annotationsOf(a.annotations) !== annotationsOf(b.annotations) || textOf(a.labels) !== textOf(b.labels);
}

function specOf(object: KubeObject): unknown {
  return (object as { spec?: unknown }).spec;
}

function hasSpec(object: KubeObject): boolean {
  return specOf(object) !== undefined;
}

function annotationsOf(annotations: Readonly<Record<string, string>> | undefined): string {
  return textOf(Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => key !== DRAIN_OWNER)));
}

function textOf(value: unknown): string {
  return JSON.stringify(value ?? {});
}

function isDeleting({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

function keyIn(object: KubeObject | undefined): string {
  return object === undefined ? "" : keyOf(refOf(object));
}

function hostsBy(cached: Cached, index: string, value: string): string[] {
  return [...new Set(cached.by(Ingress, index, value).flatMap(hostsOfIngress))].map(hostKey);
}
