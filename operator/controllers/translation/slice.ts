// Which hosts have to be looked at together so that what comes out for each of them is what a look at the whole cluster
// would give. A host depends on others only through the Services that both use: a Service of one host alone may be
// collapsed into it, one of several gets an internal endpoint, made as its first host has it. So two hosts a Service are
// enough, however many use it, and a change among thousands of hosts touches a handful.
import { servicesOf } from "../../translate/mapping.ts";
import { serviceKey, type ServiceTarget, type VirtualHost } from "../../translate/model.ts";

/** How the hosts of the cluster are found. */
export interface Look {
  /** What asks for this host name, as the translator understands it; nothing when nobody does. */
  hostsNamed(host: string): readonly VirtualHost[];
  /** What the objects that ask for this host name besides it: host names, and Services, be they of use or not. */
  together(host: string): Seed;
  /**
   * The host names whose objects name the Service (`namespace/name`), those first that the translator comes to first; in
   * groups by the port as it is written, since each port is an endpoint of its own.
   */
  usersOf(service: string): readonly (readonly string[])[];
}

export interface Seed {
  readonly hosts: readonly string[];
  /** `namespace/name` */
  readonly services: readonly string[];
}

export interface Slice {
  /** The host names that come out right, whether or not anybody asks for them. */
  readonly hosts: ReadonlySet<string>;
  /** The Services, `namespace/name`, of which all internal endpoints come out right. */
  readonly services: ReadonlySet<string>;
}

/** Hosts of one Service and port that say all: one that uses it, and whether there is another. */
const ENOUGH = 2;

export function sliceOf(seed: Seed, look: Look): Slice {
  const found = new Map<string, readonly VirtualHost[]>();
  const hosts = new Set<string>();
  const services = new Set<string>();
  const hostsOf = (name: string): readonly VirtualHost[] => {
    const known = found.get(name) ?? look.hostsNamed(name);
    found.set(name, known);
    return known;
  };
  const waiting = { hosts: [...seed.hosts], services: [...seed.services] };
  for (;;) {
    const host = waiting.hosts.pop();
    const service = host === undefined ? waiting.services.pop() : undefined;
    if (host !== undefined && !hosts.has(host)) {
      hosts.add(host);
      const together = look.together(host);
      waiting.hosts.push(...together.hosts);
      waiting.services.push(...together.services);
      waiting.services.push(...hostsOf(host).flatMap(servicesOf).map(nameOf));
    } else if (service !== undefined && !services.has(service)) {
      services.add(service);
      for (const group of look.usersOf(service)) waiting.hosts.push(...firstUsers(service, group, hostsOf));
    } else if (host === undefined && service === undefined) break;
  }
  return { hosts, services };
}

/** The first hosts of the group that do use the Service: one may have been refused, or use it in a path that was. */
function firstUsers(
  service: string,
  group: readonly string[],
  hostsOf: (name: string) => readonly VirtualHost[],
): readonly string[] {
  const users: string[] = [];
  const counts = new Map<string, number>();
  for (const name of group) {
    const keys = hostsOf(name).flatMap((host) => [
      ...new Set(
        servicesOf(host)
          .filter((target) => nameOf(target) === service)
          .map(serviceKey),
      ),
    ]);
    if (keys.length === 0) continue;
    users.push(name);
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
    if ([...counts.values()].every((count) => count >= ENOUGH)) break;
  }
  return users;
}

function nameOf({ namespace, name }: ServiceTarget): string {
  return `${namespace}/${name}`;
}
