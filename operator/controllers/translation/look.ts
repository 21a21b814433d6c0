// How the translation finds in the caches what belongs together: the Ingresses and Gateways of a host, the hosts of a
// Service.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { distinctDomainName, domainName } from "#api/names.ts";
import { keyOf, type Kind, type KubeObject, type Ref, refOf, refOfKey } from "#kube/kind.ts";
import {
  Gateway,
  GatewayClass,
  type GatewayObject,
  Ingress,
  IngressClass,
  type IngressClassObject,
  type IngressObject,
  ReferenceGrant,
  type RouteObject,
  Service,
  type ServiceObject,
} from "#kube/kinds.ts";
import type { Cached } from "../../runtime/define-controller.ts";
import type { FirstNamed } from "../../runtime/names-in-order.ts";
import { endpointSettings } from "../../translate/annotations.ts";
import { referencesOfGateway, referencesOfRoute } from "../../translate/gateway/references.ts";
import { ROUTE_KINDS } from "../../translate/gateway/routes.ts";
import { virtualHostsOfGateways } from "../../translate/gateway/virtual-hosts.ts";
import { ingressDestination } from "../../translate/ingress-backend.ts";
import { servedIngresses, virtualHostsOfIngresses } from "../../translate/ingress.ts";
import { byKey, compareText } from "../../translate/manifests.ts";
import type { Manifests, Options, VirtualHost } from "../../translate/model.ts";
import { backendsOfRoute, hostOfUrl, hostsOfIngress, servicesOfIngress } from "./keys.ts";
import type { Look, Seed } from "./slice.ts";

/** Names of the indexes over Ingresses, Gateways and routes. */
export const BY_HOST = "translation-host";
export const BY_SERVICE = "translation-service";
export const BY_GATEWAY = "translation-gateway";
/** The hosts of a Service's Ingresses, as the translator comes to them. */
export const HOSTS_IN_ORDER = "translation-hosts";
/** Names of the indexes over the endpoints. */
export const ENDPOINTS_BY_HOST = "translation-host";
export const ENDPOINTS_BY_SERVICE = "translation-service";

/** What asks for hosts. */
export interface Asking {
  readonly ingresses: readonly IngressObject[];
  readonly gateways: readonly GatewayObject[];
}

export class ClusterLook implements Look {
  readonly #cached: Cached;
  readonly #classes: readonly IngressClassObject[];
  readonly #options: Options;
  readonly #taken = new Map<string, boolean>();
  readonly #byGateway = new Map<string, readonly VirtualHost[]>();

  constructor(cached: Cached, classes: readonly IngressClassObject[], options: Options) {
    this.#cached = cached;
    this.#classes = classes;
    this.#options = options;
  }

  hostsNamed(host: string): readonly VirtualHost[] {
    const { ingresses, gateways } = this.askingFor([host]);
    const hosts = [
      ...virtualHostsOfIngresses(this.view({ ingresses, gateways: [] }), this.#options).hosts,
      ...gateways.flatMap((gateway) => this.#hostsOfGateway(gateway)),
    ];
    return hosts.filter(({ listener }) => listener.hostname.toLowerCase() === host);
  }

  together(host: string): Seed {
    const { ingresses, gateways } = this.askingFor([host]);
    const routes = this.#routesOf(gateways).flatMap((of) => of.routes);
    return {
      hosts: [...ingresses.flatMap(hostsOfIngress), ...gateways.flatMap((one) => referencesOfGateway(one).hosts)],
      services: [...ingresses.flatMap(servicesOfIngress), ...routes.flatMap((one) => referencesOfRoute(one).services)],
    };
  }

  usersOf(service: string): readonly Iterable<string>[] {
    // Of thousands that name a Service, or a port of it, that is not there each would be looked at only to be refused.
    const ports = portNames(this.#cached.get(Service, refOfKey(service)));
    const ofIngresses = this.#cached.has(Ingress, HOSTS_IN_ORDER)
      ? this.#cached.inOrder(Ingress, HOSTS_IN_ORDER, service).filter(({ part }) => ports.has(part))
      : [];
    return [...ofIngresses.map(({ names }) => this.#inOrderTaken(names)), ...this.#usersByGateways(service, ports)];
  }

  #usersByGateways(service: string, ports: ReadonlySet<string>): readonly (readonly string[])[] {
    const groups = new Groups();
    if (ports.size === 0) return [];
    for (const kind of ROUTE_KINDS) {
      for (const route of this.#by(kind, BY_SERVICE, service)) {
        for (const { port } of backendsOfRoute(route).filter((one) => one.service === service && ports.has(one.port))) {
          // The certificate that a Gateway shows makes endpoints of its own.
          for (const gateway of this.#gatewaysOf(route))
            groups.add(`${port} ${kind.kind} ${keyOf(refOf(gateway))}`, referencesOfGateway(gateway).hosts);
        }
      }
    }
    return groups.all().map((group) => this.#ranked(group));
  }

  ownersOf(service: string): readonly string[] {
    return this.#by(AgentEndpoint, ENDPOINTS_BY_SERVICE, service)
      .flatMap(({ spec }) => hostOfUrl(spec.url))
      .filter((host) => [Ingress, Gateway].some((kind: Kind) => this.#by(kind, BY_HOST, host).length > 0));
  }

  /** Of all these hosts, sorted, each once. */
  askingFor(hosts: Iterable<string>): Asking {
    const ingresses = new Map<string, IngressObject>();
    const gateways = new Map<string, GatewayObject>();
    for (const host of hosts) {
      for (const one of this.#by(Ingress, BY_HOST, host)) ingresses.set(keyOf(refOf(one)), one);
      for (const one of this.#by(Gateway, BY_HOST, host)) gateways.set(keyOf(refOf(one)), one);
    }
    return { ingresses: byKey(ingresses.values()), gateways: byKey(gateways.values()) };
  }

  /** The cluster as it would be with these alone. */
  view(asking: Asking): Manifests {
    const cached = this.#cached;
    const lists = new Map<string, readonly KubeObject[]>([
      [Ingress.plural, asking.ingresses],
      [IngressClass.plural, this.#classes],
      [Domain.plural, this.#domainsOf(asking)],
      [Gateway.plural, asking.gateways],
      ...this.#routesOf(asking.gateways).map(({ kind, routes }) => [kind.plural, routes] as const),
      // Few, and of no use where no Gateway is looked at.
      ...[GatewayClass, ReferenceGrant].map(
        (kind: Kind) => [kind.plural, asking.gateways.length > 0 ? this.#all(kind) : []] as const,
      ),
    ]);
    return {
      get: <T extends KubeObject>(kind: Kind<T>, at: Ref) => (cached.has(kind) ? cached.get(kind, at) : undefined),
      list: <T extends KubeObject>(kind: Kind<T>) => (lists.get(kind.plural) ?? []) as readonly T[],
    };
  }

  /** What another object has no part in. */
  #hostsOfGateway(gateway: GatewayObject): readonly VirtualHost[] {
    const name = keyOf(refOf(gateway));
    const known =
      this.#byGateway.get(name) ??
      virtualHostsOfGateways(this.view({ ingresses: [], gateways: [gateway] }), this.#options).hosts;
    this.#byGateway.set(name, known);
    return known;
  }

  #routesOf(
    gateways: readonly GatewayObject[],
  ): readonly { kind: Kind<RouteObject>; routes: readonly RouteObject[] }[] {
    return ROUTE_KINDS.map((kind) => {
      const routes = new Map<string, RouteObject>();
      for (const gateway of gateways)
        for (const route of this.#by(kind, BY_GATEWAY, keyOf(refOf(gateway)))) routes.set(keyOf(refOf(route)), route);
      return { kind, routes: byKey(routes.values()) };
    });
  }

  #gatewaysOf(route: RouteObject): readonly GatewayObject[] {
    return referencesOfRoute(route).gateways.flatMap((name) => {
      const at = name.indexOf("/");
      return this.#cached.get(Gateway, { namespace: name.slice(0, at), name: name.slice(at + 1) }) ?? [];
    });
  }

  /** Whether the translator takes the Ingress, be its paths of use or not: then its hosts have their place by it. */
  #isTaken(ingress: IngressObject): boolean {
    const name = keyOf(refOf(ingress));
    const known = this.#taken.get(name);
    if (known !== undefined) return known;
    const manifests = this.view({ ingresses: [ingress], gateways: [] });
    const context = { manifests, options: this.#options, ownedBy: "ngrok-operator" as const };
    const fallback = ingress.spec?.defaultBackend;
    const isTaken =
      servedIngresses(manifests, this.#options).ingresses.length > 0 &&
      endpointSettings(Ingress, ingress, context).settings !== undefined &&
      (!fallback || ingressDestination(manifests, ingress, fallback, "").destination !== undefined);
    this.#taken.set(name, isTaken);
    return isTaken;
  }

  /** Those that have, or stand under, a name that a host of these would get. */
  #domainsOf({ ingresses, gateways }: Asking): readonly Domain[] {
    const wishes = [
      ...ingresses.map((one) => ({ namespace: one.metadata.namespace, hosts: hostsOfIngress(one) })),
      ...gateways.map((one) => ({ namespace: one.metadata.namespace, hosts: referencesOfGateway(one).hosts })),
    ];
    return wishes.flatMap(({ namespace, hosts }) =>
      hosts.flatMap((host) =>
        [domainName(host), distinctDomainName(host)].flatMap(
          (name) => this.#cached.get(Domain, { name, namespace }) ?? [],
        ),
      ),
    );
  }

  /** In the order in which the translator comes to them: that of the first Ingress that names each, then the Gateways. */
  #ranked(hosts: readonly string[]): readonly string[] {
    if (hosts.length < 2) return hosts;
    return hosts
      .map((host) => this.#rankOf(host))
      .toSorted(inOrder)
      .map(({ host }) => host);
  }

  /**
   * The same order for hosts in the order in which they are named first. The translator comes to a host no sooner than
   * that, and later only if it does not take that Ingress, so few have to wait for those after them.
   */
  *#inOrderTaken(firsts: Iterable<FirstNamed>): Generator<string> {
    const later: Rank[] = [];
    for (const { name, by, place } of firsts) {
      const named = { host: name, at: `0 ${by}`, place };
      while (later[0] !== undefined && inOrder(later[0], named) < 0) yield (later.shift() as Rank).host;
      const rank = this.#rankOf(name);
      if (inOrder(rank, named) === 0) yield name;
      else later.splice(later.filter((one) => inOrder(one, rank) < 0).length, 0, rank);
    }
    for (const { host } of later) yield host;
  }

  #rankOf(host: string): Rank {
    const named = this.#by(Ingress, BY_HOST, host);
    // One that is not taken has no host, so where it stands does not matter.
    const first = named.length === 1 ? named[0] : byKey(named).find((ingress) => this.#isTaken(ingress));
    if (first !== undefined)
      return { host, at: `0 ${keyOf(refOf(first))}`, place: hostsOfIngress(first).indexOf(host) };
    const [gateway] = byKey(this.#by(Gateway, BY_HOST, host));
    if (gateway === undefined) return { host, at: "2", place: 0 };
    return { host, at: `1 ${keyOf(refOf(gateway))}`, place: referencesOfGateway(gateway).hosts.indexOf(host) };
  }

  /** Of a kind that is not watched, since its feature is off, there is nothing. */
  #by<T extends KubeObject>(kind: Kind<T>, name: string, value: string): readonly T[] {
    return this.#cached.has(kind, name) ? this.#cached.by(kind, name, value) : [];
  }

  #all<T extends KubeObject>(kind: Kind<T>): readonly T[] {
    return this.#cached.has(kind) ? byKey(this.#cached.all(kind)) : [];
  }
}

/** The ports of a Service, by number and by name, as a backend may write them; none of one that is not there. */
function portNames(service: ServiceObject | undefined): ReadonlySet<string> {
  return new Set((service?.spec?.ports ?? []).flatMap(({ port, name }) => [String(port), ...(name ? [name] : [])]));
}

/** Where the translator comes to a host. */
interface Rank {
  readonly host: string;
  readonly at: string;
  readonly place: number;
}

function inOrder(a: Rank, b: Rank): number {
  return compareText(a.at, b.at) || a.place - b.place;
}

/** Host names by what makes an endpoint of a Service, each once. */
class Groups {
  readonly #hosts = new Map<string, Set<string>>();

  add(name: string, hosts: readonly string[]): void {
    const group = this.#hosts.get(name) ?? new Set();
    this.#hosts.set(name, group);
    for (const host of hosts) group.add(host);
  }

  all(): readonly (readonly string[])[] {
    return [...this.#hosts.values()].map((group) => [...group]);
  }
}
