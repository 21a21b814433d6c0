// Manifests in, endpoints and Domains out: what the operator would make of them. No clock, no I/O; the same input gives the
// same output whatever its order, and one bad object never takes the others with it.
import { keyOf, type KubeObject, refOf } from "#kube/kind.ts";
import { domainsOf, domainsOfIngresses } from "./domains.ts";
import { endpointsOf } from "./endpoints.ts";
import { domainsOfGateways, virtualHostsOfGateways } from "./gateway/virtual-hosts.ts";
import { servedIngresses } from "./ingress-class.ts";
import { virtualHostsOfIngresses } from "./ingress.ts";
import { byKey, compareText } from "./manifests.ts";
import type { Manifests, Options, Problem, Translation } from "./model.ts";
import { endpointsOfServices, type Served } from "./service.ts";

/**
 * What Ingresses and Gateways become. `only`: the hosts, in lower case, of which endpoints are made, where not everything that
 * asks for the others is among the manifests: an object might seem to have a host on which it is refused.
 */
export function translate(manifests: Manifests, options: Options, only?: ReadonlySet<string>): Translation {
  const seen = within(manifests, options.watchNamespace);
  return joined([ofHosts(seen, options, only)], seen, options);
}

/** What Ingresses and Gateways become, and LoadBalancer Services, which a controller of their own serves. */
export function translateAll(manifests: Manifests, options: Options): Translation {
  const seen = within(manifests, options.watchNamespace);
  return joined([ofHosts(seen, options), endpointsOfServices(seen, options)], seen, options);
}

function ofHosts(seen: Manifests, options: Options, only?: ReadonlySet<string>): Served {
  const ingress = virtualHostsOfIngresses(seen, options);
  const gateway = virtualHostsOfGateways(seen, options);
  const hosts = [...ingress.hosts, ...gateway.hosts].filter(
    ({ listener }) => only?.has(listener.hostname.toLowerCase()) ?? true,
  );
  const { endpoints, problems } = endpointsOf(hosts, options);
  const wishes = [
    ...domainsOfIngresses(servedIngresses(seen, options).ingresses, ingress.hosts),
    ...domainsOfGateways(seen, options),
  ];
  return { endpoints, wishes, problems: [...ingress.problems, ...gateway.problems, ...problems] };
}

function joined(parts: readonly Served[], seen: Manifests, options: Options): Translation {
  const wishes = parts.flatMap((part) => part.wishes);
  return {
    endpoints: sortedByKind(parts.flatMap((part) => part.endpoints)),
    domains: byKey(domainsOf(wishes, seen, options)),
    problems: sortedProblems(parts.flatMap((part) => part.problems)),
  };
}

/** As an operator sees them that watches one namespace: what has none of its own is seen as well. */
function within(manifests: Manifests, namespace: string | undefined): Manifests {
  if (namespace === undefined) return manifests;
  const isSeen = ({ metadata }: KubeObject): boolean =>
    metadata.namespace === undefined || metadata.namespace === namespace;
  return {
    get: (kind, at) => (at.namespace === undefined || at.namespace === namespace ? manifests.get(kind, at) : undefined),
    list: (kind, of) => manifests.list(kind, of).filter(isSeen),
  };
}

function sortedByKind<T extends KubeObject>(objects: readonly T[]): readonly T[] {
  const keyed = objects.map((object) => ({ object, key: keyOf(refOf(named(object))) }));
  return keyed
    .toSorted((a, b) => compareText(b.object.kind ?? "", a.object.kind ?? "") || compareText(a.key, b.key))
    .map(({ object }) => object);
}

/** With what its name will begin with, where the API server is to name it. */
function named({ metadata }: KubeObject): KubeObject {
  return { metadata: { ...metadata, name: metadata.name ?? metadata.generateName ?? "" } };
}

/** Each is told once, however many hosts met it. */
function sortedProblems(problems: readonly Problem[]): readonly Problem[] {
  const texts = new Map(problems.map((one) => [`${one.object}\n${one.field}\n${one.reason}`, one]));
  return [...texts].toSorted(([a], [b]) => compareText(a, b)).map(([, one]) => one);
}
