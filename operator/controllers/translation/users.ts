// Which hosts send to a Service, and in which order the translator comes to them: of thousands the first few are found
// without a look at the rest.
import { isOurGatewayClass } from "#api/classes.ts";
import { refOfKey } from "#kube/kind.ts";
import { Gateway, GatewayClass, Ingress, Service, type ServiceObject } from "#kube/kinds.ts";
import type { Cached } from "../../runtime/define-controller.ts";
import type { FirstNamed } from "../../runtime/names-in-order.ts";
import { wayTo } from "../../translate/endpoints.ts";
import type { Options } from "../../translate/model.ts";
import { HOSTS_IN_ORDER, SERVED_IN_ORDER } from "./indexes.ts";
import { servedPart } from "./served.ts";
import type { Group } from "./slice.ts";

/** @param service `namespace/name` */
export function usersOf(service: string, cached: Cached, options: Options): readonly Group[] {
  // The translator comes to the Ingresses first.
  return [...byIngresses(service, cached), ...byGateways(service, cached, options)];
}

function byIngresses(service: string, cached: Cached): Group[] {
  if (!cached.has(Ingress, HOSTS_IN_ORDER)) return [];
  // Of thousands that name a Service, or a port of it, that is not there each would be looked at only to be refused.
  const ports = portsOf(cached.get(Service, refOfKey(service)));
  return cached.inOrder(Ingress, HOSTS_IN_ORDER, service).flatMap(({ part, names }): Group[] => {
    const port = ports.get(part);
    if (port === undefined) return [];
    // A Gateway has a way of its own to the same port.
    return [{ leads: (host, target) => host.namePrefix === undefined && target.port === port, names: namesOf(names) }];
  });
}

function byGateways(service: string, cached: Cached, options: Options): Group[] {
  if (!cached.has(Gateway, SERVED_IN_ORDER)) return [];
  return cached.inOrder(Gateway, SERVED_IN_ORDER, service).flatMap(({ part, names }): Group[] => {
    const { gatewayClassName, ungranted, way } = servedPart(part);
    if ((ungranted && options.referenceGrants) || !isOurGateways(gatewayClassName, cached, options)) return [];
    return [{ leads: (host, target) => wayTo(host, target) === way, names: namesOf(names) }];
  });
}

function isOurGateways(gatewayClassName: string, cached: Cached, options: Options): boolean {
  const found = cached.has(GatewayClass) ? cached.get(GatewayClass, { name: gatewayClassName }) : undefined;
  return found !== undefined && isOurGatewayClass(found, options.gatewayControllerName);
}

function* namesOf(firsts: Iterable<FirstNamed>): Generator<string> {
  for (const { name } of firsts) yield name;
}

/** The ports of a Service, by number and by name, as a backend may write them; none of one that is not there. */
function portsOf(service: ServiceObject | undefined): ReadonlyMap<string, number> {
  return new Map(
    (service?.spec?.ports ?? []).flatMap(({ port, name }) => [
      ...(name ? [[name, port] as const] : []),
      [String(port), port] as const,
    ]),
  );
}
