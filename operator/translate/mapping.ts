// Which hosts need no CloudEndpoint, since the AgentEndpoint of one of their Services can be the public one itself.
import { serviceKey, type ServiceTarget, type VirtualHost } from "./model.ts";

/** The Services behind a host, in the order of its routes; the default one comes last. */
export function servicesOf({ routes, defaultDestination }: VirtualHost): ServiceTarget[] {
  const destinations = [...routes.flatMap((route) => route.destinations), defaultDestination];
  return destinations.flatMap((one) => one?.upstream?.service ?? []);
}

/**
 * The key of the Service whose endpoint becomes the host's, for each host that has one: its last Service that no other
 * host uses, and that may hold its policy. The default one counts as the last. `hosts`: all of them, their routes sorted.
 */
export function collapsed(hosts: readonly VirtualHost[]): ReadonlyMap<VirtualHost, string> {
  const services = new Map(hosts.map((host) => [host, servicesOf(host)]));
  const users = new Map<string, number>();
  for (const used of services.values())
    for (const key of new Set(used.map(serviceKey))) users.set(key, (users.get(key) ?? 0) + 1);
  const into = new Map<VirtualHost, string>();
  for (const [host, used] of services) {
    if (host.mappingStrategy !== "endpoints") continue;
    const service = used.findLast((one) => users.get(serviceKey(one)) === 1 && mayHoldPolicy(host, one));
    if (service !== undefined) into.set(host, serviceKey(service));
  }
  return into;
}

/** A private key stands in the policy as it is, for all to read who may read the Service's endpoint. */
function mayHoldPolicy({ tlsTermination, namespace }: VirtualHost, service: ServiceTarget): boolean {
  return tlsTermination?.serverPrivateKey === undefined || service.namespace === namespace;
}
