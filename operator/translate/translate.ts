// Manifests in, endpoints and Domains out: what the operator would make of them. No clock, no I/O; the same input gives the
// same output whatever its order, and one bad object never takes the others with it.
import type { KubeObject } from "#kube/kind.ts";
import { domainsOf, domainsOfIngresses } from "./domains.ts";
import { endpointsOf } from "./endpoints.ts";
import { domainsOfGateways, virtualHostsOfGateways } from "./gateway/virtual-hosts.ts";
import { servedIngresses, virtualHostsOfIngresses } from "./ingress.ts";
import { byKey, compareText } from "./manifests.ts";
import type { Manifests, Options, Problem, Translation } from "./model.ts";

export function translate(manifests: Manifests, options: Options): Translation {
  const seen = options.watchNamespace === undefined ? manifests : within(manifests, options.watchNamespace);
  const ingress = virtualHostsOfIngresses(seen, options);
  const gateway = virtualHostsOfGateways(seen, options);
  const { endpoints, problems } = endpointsOf([...ingress.hosts, ...gateway.hosts], options);
  const wishes = [
    ...domainsOfIngresses(servedIngresses(seen, options).ingresses, ingress.hosts),
    ...domainsOfGateways(seen, options),
  ];
  return {
    endpoints: sortedByKind(endpoints),
    domains: byKey(domainsOf(wishes, seen, options)),
    problems: sortedProblems([...ingress.problems, ...gateway.problems, ...problems]),
  };
}

/** As an operator sees them that watches one namespace: what has none of its own is seen as well. */
function within(manifests: Manifests, namespace: string): Manifests {
  const isSeen = ({ metadata }: KubeObject): boolean =>
    metadata.namespace === undefined || metadata.namespace === namespace;
  return {
    get: (kind, at) => (at.namespace === undefined || at.namespace === namespace ? manifests.get(kind, at) : undefined),
    list: (kind, of) => manifests.list(kind, of).filter(isSeen),
  };
}

function sortedByKind<T extends KubeObject>(objects: readonly T[]): readonly T[] {
  return byKey(objects).toSorted((a, b) => compareText(b.kind ?? "", a.kind ?? ""));
}

/** Each is told once, however many hosts met it. */
function sortedProblems(problems: readonly Problem[]): readonly Problem[] {
  const texts = new Map(problems.map((one) => [`${one.object}\n${one.field}\n${one.reason}`, one]));
  return [...texts].toSorted(([a], [b]) => compareText(a, b)).map(([, one]) => one);
}
