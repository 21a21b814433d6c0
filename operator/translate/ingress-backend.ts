// The backend of an Ingress, which is a port of a Service or an NgrokTrafficPolicy, as a destination.
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { Ingress, type IngressObject } from "#kube/kinds.ts";
import type { IngressBackend } from "#kube/routing-objects.ts";
import { type Destination, type Manifests, type Problem, problemOf } from "./model.ts";
import { parsePolicy } from "./policy.ts";
import { findServicePort, passedOver, upstreamProtocol, upstreamScheme } from "./service-port.ts";

export interface DestinationRead {
  /** None when the backend cannot be used; a problem says why. */
  readonly destination?: Destination;
  readonly problems: readonly Problem[];
}

export function ingressDestination(
  manifests: Manifests,
  ingress: IngressObject,
  backend: IngressBackend | undefined,
  field: string,
): DestinationRead {
  const refused = (part: string, reason: string): DestinationRead => ({
    problems: [problemOf(Ingress, ingress, `${field}${part}`, reason)],
  });
  if (backend?.service) return serviceDestination(manifests, ingress, backend.service, refused);
  if (backend?.resource) return policyDestination(manifests, ingress, backend.resource, refused);
  return refused("", "names neither a service nor a resource: write one of the two");
}

type Refused = (part: string, reason: string) => DestinationRead;

function serviceDestination(
  manifests: Manifests,
  ingress: IngressObject,
  wanted: NonNullable<IngressBackend["service"]>,
  refused: Refused,
): DestinationRead {
  const namespace = ingress.metadata.namespace ?? "";
  const found = findServicePort(manifests, { namespace, name: wanted.name }, wanted.port ?? {});
  if ("reason" in found) return refused(".service", found.reason);
  const { scheme, problem } = upstreamScheme(found, "http://");
  const protocol = upstreamProtocol(found.port);
  const service = {
    uid: found.service.metadata.uid ?? "",
    namespace,
    name: wanted.name,
    port: found.port.port,
    scheme,
    clientCertRefs: [],
    ...(protocol !== undefined && { protocol }),
  };
  return {
    destination: { upstream: { service }, trafficPolicies: [] },
    problems: [problem, passedOver(found)].flatMap((one) => one ?? []),
  };
}

function policyDestination(
  manifests: Manifests,
  ingress: IngressObject,
  { apiGroup, kind, name }: NonNullable<IngressBackend["resource"]>,
  refused: Refused,
): DestinationRead {
  const isPolicy = kind === NgrokTrafficPolicy.kind && (!apiGroup || apiGroup === NgrokTrafficPolicy.group);
  if (!isPolicy)
    return refused(
      ".resource",
      `${apiGroup ?? ""}/${kind} cannot be a backend: name an NgrokTrafficPolicy (${NgrokTrafficPolicy.group}) or a service`,
    );
  const { namespace } = ingress.metadata;
  const found = manifests.get(NgrokTrafficPolicy, { name, namespace });
  if (found === undefined)
    return refused(
      ".resource",
      `NgrokTrafficPolicy ${name} is not in namespace ${namespace}: create it or name another`,
    );
  const read = parsePolicy((found as { spec?: { policy?: unknown } }).spec?.policy);
  if ("reason" in read)
    return refused(
      ".resource",
      `NgrokTrafficPolicy ${namespace}/${name} cannot be used, since its ${read.field} ${read.reason}`,
    );
  if (read.policy.on_tcp_connect.length > 0)
    return refused(
      ".resource",
      `NgrokTrafficPolicy ${namespace}/${name} has on_tcp_connect rules, which come before any path is known: move them to the policy of the whole Ingress (annotation traffic-policy)`,
    );
  return { destination: { trafficPolicies: [read.policy] }, problems: [] };
}
