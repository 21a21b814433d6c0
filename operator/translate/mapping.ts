// Which hosts need no CloudEndpoint, since the AgentEndpoint of one of their Services can be the public one itself.
import { serviceKey, type ServiceTarget, type VirtualHost } from "./model.ts";

/** The Services behind a host, in the order of its routes; the default one comes last. */
export function servicesOf({ routes, defaultDestination }: VirtualHost): ServiceTarget[] {
  const destinations = [...routes.flatMap((route) => route.destinations), defaultDestination];
  return destinations.flatMap((one) => one?.upstream?.service ?? []);
}

/**
 * The key of the Service whose endpoint becomes the host's, for each host that has one: its last Service that no other
 * host uses. The default one counts as the last. `hosts`: all of them, their routes sorted.
 */
export function collapsed(hosts: readonly VirtualHost[]): ReadonlyMap<VirtualHost, string> {
  const keys = new Map(hosts.map((host) => [host, servicesOf(host).map(serviceKey)]));
  const users = new Map<string, number>();
  for (const used of keys.values()) for (const key of new Set(used)) users.set(key, (users.get(key) ?? 0) + 1);
  const into = new Map<VirtualHost, string>();
  for (const [host, used] of keys) {
    const key = host.mappingStrategy === "endpoints" ? used.findLast((one) => users.get(one) === 1) : undefined;
    if (key !== undefined) into.set(host, key);
  }
  return into;
}
