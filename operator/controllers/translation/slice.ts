// Which hosts have to be looked at together so that what comes out for each of them is what a look at the whole cluster
// would give. A host depends on others only through the Services that both use: a Service of one host alone may be
// collapsed into it, one of several gets an internal endpoint, made as its first host has it. So of a Service that many
// use the first two are enough to know that, and a change among thousands of hosts touches a handful.
import { servicesOf } from "../../translate/mapping.ts";
import { serviceKey, type ServiceTarget, type VirtualHost } from "../../translate/model.ts";

/** How the hosts of the cluster are found. */
export interface Look {
  /** What asks for this host name, as the translator understands it; nothing when nobody does. */
  hostsNamed(host: string): readonly VirtualHost[];
  /**
   * What the objects that ask for this host name besides it: host names, and Services, be they of use or not. One for each
   * object, the very same whichever of its hosts is asked for. All its hosts are looked at, since it may be refused on one of
   * them for what another object says there: whichever of them is asked for, the same is told of it.
   */
  together(host: string): readonly Seed[];
  /** The host names that send to the Service (`namespace/name`), in groups that may overlap. */
  usersOf(service: string): readonly Group[];
  /**
   * The host names that have an endpoint of the Service as their own by what was made last. Several may have come to use
   * it since then, so that the users of today alone do not tell whose it was.
   */
  ownersOf(service: string): readonly string[];
}

/** Hosts that may share an endpoint of a Service. */
export interface Group {
  /** Whether a host that sends to the Service does so in the way of this group; others are not looked for in it. */
  readonly leads: (host: VirtualHost, service: ServiceTarget) => boolean;
  /** Those first that the translator comes to first. */
  readonly names: Iterable<string>;
}

export interface Seed {
  readonly hosts: readonly string[];
  /** `namespace/name` */
  readonly services: readonly string[];
}

export interface Slice {
  /** The host names that come out right, whether or not anybody asks for them. */
  readonly hosts: ReadonlySet<string>;
  /** The Services, `namespace/name`, of which all endpoints come out right. */
  readonly services: ReadonlySet<string>;
  /** Host names that are looked at for their Services alone: what comes out for them is nothing to go by. */
  readonly beside: ReadonlySet<string>;
}

/** With that many hosts on it a Service is nobody's own, and one more or less makes no difference to the others. */
const MANY = 3;

export function sliceOf(seed: Seed, look: Look): Slice {
  const found = new Map<string, readonly VirtualHost[]>();
  const hosts = new Set<string>();
  const services = new Set<string>();
  const beside = new Set<string>();
  const met = new Set<Seed>();
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
      for (const together of look.together(host).filter((one) => !met.has(one))) {
        met.add(together);
        waiting.hosts.push(...together.hosts);
        waiting.services.push(...together.services);
      }
      waiting.services.push(...hostsOf(host).flatMap(servicesOf).map(nameOf));
    } else if (service !== undefined && !services.has(service)) {
      services.add(service);
      waiting.hosts.push(...look.ownersOf(service));
      for (const group of look.usersOf(service)) {
        const users = usersIn(service, group, hostsOf);
        waiting.hosts.push(...users.few);
        for (const name of users.first) beside.add(name);
      }
    } else if (host === undefined && service === undefined) break;
  }
  return { hosts, services, beside: new Set([...beside].filter((name) => !hosts.has(name))) };
}

interface Users {
  /** All hosts of an endpoint that few use: it is, or was, or may be one host's own. */
  readonly few: readonly string[];
  /** The first hosts of an endpoint that many use. */
  readonly first: readonly string[];
}

/** Of the group those that do use the Service: one may have been refused, or use it in a path that was. */
function usersIn(
  service: string,
  { leads, names: all }: Group,
  hostsOf: (name: string) => readonly VirtualHost[],
): Users {
  const users = new Map<string, string[]>();
  for (const name of all) {
    // Another port of it that one host uses as well is not looked for among all the hosts of this one.
    const targets = hostsOf(name).flatMap((host) =>
      servicesOf(host).filter((target) => nameOf(target) === service && leads(host, target)),
    );
    const keys = new Set(targets.map(serviceKey));
    if (keys.size === 0) continue;
    for (const key of keys) users.set(key, [...(users.get(key) ?? []), name]);
    if ([...users.values()].every((names) => names.length >= MANY)) break;
  }
  const found = [...users.values()];
  return {
    few: found.filter((names) => names.length < MANY).flat(),
    first: found.filter((names) => names.length >= MANY).flatMap((names) => names.slice(0, MANY - 1)),
  };
}

function nameOf({ namespace, name }: ServiceTarget): string {
  return `${namespace}/${name}`;
}
