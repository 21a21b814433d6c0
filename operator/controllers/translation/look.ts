// How the translation finds in the caches what belongs together: the Ingresses and Gateways of a host, the hosts of a
// Service.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { distinctDomainName, domainName } from "#api/names.ts";
import { keyOf, type Kind, type KubeObject, refOf } from "#kube/kind.ts";
import {
  Gateway,
  GatewayClass,
  type GatewayObject,
  Ingress,
  IngressClass,
  type IngressClassObject,
  type IngressObject,
} from "#kube/kinds.ts";
import { hostOfUrl } from "../../endpoint/host.ts";
import type { Cached } from "../../runtime/define-controller.ts";
import { gatewaysBy, routesOn } from "../../translate/gateway/links.ts";
import { referencesOfGateway, referencesOfRoute } from "../../translate/gateway/references.ts";
import { virtualHostsOfGateways } from "../../translate/gateway/virtual-hosts.ts";
import { allHeld, heldBy, withLists } from "../../translate/held.ts";
import { virtualHostsOfIngresses } from "../../translate/ingress.ts";
import { byKey } from "../../translate/manifests.ts";
import type { Manifests, Options, VirtualHost } from "../../translate/model.ts";
import { calledAs } from "./called.ts";
import { servesGateways } from "./concerned.ts";
import { BY_HOST, ENDPOINTS_BY_SERVICE } from "./indexes.ts";
import { hostsOfIngress, namesOfGateway, namesOfIngress, servicesOfIngress } from "./keys.ts";
import type { Group, Look, Seed } from "./slice.ts";
import { usersOf } from "./users.ts";

/** What asks for hosts. */
export interface Asking {
  readonly ingresses: readonly IngressObject[];
  readonly gateways: readonly GatewayObject[];
}

function asksOf(ingress: IngressObject): Seed {
  return { hosts: hostsOfIngress(ingress), services: servicesOfIngress(ingress) };
}

export class ClusterLook implements Look {
  readonly #cached: Cached;
  readonly #classes: readonly IngressClassObject[];
  readonly #options: Options;
  readonly #byIngresses = new Map<string, ReadonlyMap<string, VirtualHost>>();
  readonly #byGateway = new Map<string, readonly VirtualHost[]>();
  readonly #together = new Map<string, Seed>();

  constructor(cached: Cached, classes: readonly IngressClassObject[], options: Options) {
    this.#cached = cached;
    this.#classes = classes;
    this.#options = options;
  }

  hostsNamed(host: string): readonly VirtualHost[] {
    const { ingresses, gateways } = this.askingFor([host]);
    const ofIngresses = this.#hostsOfIngresses(ingresses).get(host);
    return [
      ...(ofIngresses === undefined ? [] : [ofIngresses]),
      ...gateways
        .flatMap((gateway) => this.#hostsOfGateway(gateway))
        .filter(({ listener }) => listener.hostname.toLowerCase() === host),
    ];
  }

  together(host: string): readonly Seed[] {
    const { ingresses, gateways } = this.askingFor([host]);
    return [
      ...ingresses.map((one) =>
        this.#seedOf(Ingress, one, () => ({ ...asksOf(one), hosts: this.#hostsCalledAs(namesOfIngress(one)) })),
      ),
      ...gateways.map((one) =>
        this.#seedOf(Gateway, one, () => {
          const { hosts, services } = this.#asksOfGateway(one);
          return { hosts: [...hosts, ...this.#hostsCalledAs(namesOfGateway(one))], services };
        }),
      ),
    ];
  }

  #asksOfGateway(gateway: GatewayObject): Seed {
    const routes = routesOn(this.#cached, [gateway]).flatMap(([, of]) => of);
    const services = routes.flatMap((route) => referencesOfRoute(route).services);
    return { hosts: referencesOfGateway(gateway).hosts, services };
  }

  /** Hosts of all that ask for one of these names for a CloudEndpoint: who of them gets it shows only when they are together. */
  #hostsCalledAs(names: readonly string[]): string[] {
    const { ingresses, gateways } = calledAs(this.#cached, names);
    return [
      ...[...ingresses].flatMap(hostsOfIngress),
      ...[...gateways].flatMap((one) => referencesOfGateway(one).hosts),
    ];
  }

  #seedOf(kind: Pick<Kind, "kind">, object: KubeObject, read: () => Seed): Seed {
    const name = `${kind.kind} ${keyOf(refOf(object))}`;
    const seed = this.#together.get(name) ?? read();
    this.#together.set(name, seed);
    return seed;
  }

  usersOf(service: string): readonly Group[] {
    return usersOf(service, this.#cached, this.#options);
  }

  ownersOf(service: string): readonly string[] {
    return heldBy(this.#cached, AgentEndpoint, ENDPOINTS_BY_SERVICE, service)
      .flatMap(({ spec }) => hostOfUrl(spec.url))
      .filter((host) => this.#isAskedFor(host));
  }

  #isAskedFor(host: string): boolean {
    return heldBy(this.#cached, Ingress, BY_HOST, host).length > 0 || this.#gatewaysAt(host).length > 0;
  }

  #gatewaysAt(host: string): readonly GatewayObject[] {
    return servesGateways(this.#cached) ? gatewaysBy(this.#cached, "gateway-host", host) : [];
  }

  /** Of all these hosts, sorted, each once. */
  askingFor(hosts: Iterable<string>): Asking {
    const ingresses = new Map<string, IngressObject>();
    const gateways = new Map<string, GatewayObject>();
    for (const host of hosts) {
      for (const one of heldBy(this.#cached, Ingress, BY_HOST, host)) ingresses.set(keyOf(refOf(one)), one);
      for (const one of this.#gatewaysAt(host)) gateways.set(keyOf(refOf(one)), one);
    }
    return { ingresses: byKey(ingresses.values()), gateways: byKey(gateways.values()) };
  }

  /** Those of them that ask for one of these hosts, or lead to one of these Services. */
  among({ ingresses, gateways }: Asking, { hosts, services }: Seed): Asking {
    const meets = (asks: Seed): boolean =>
      asks.hosts.some((one) => hosts.includes(one)) || asks.services.some((one) => services.includes(one));
    return {
      ingresses: ingresses.filter((one) => meets(asksOf(one))),
      gateways: gateways.filter((one) => meets(this.#asksOfGateway(one))),
    };
  }

  /** The cluster as it would be with these alone. */
  view(asking: Asking): Manifests {
    const cached = this.#cached;
    return withLists(cached, [
      [Ingress, asking.ingresses],
      [IngressClass, this.#classes],
      [Domain, this.#domainsOf(asking)],
      [Gateway, asking.gateways],
      ...routesOn(cached, asking.gateways),
      // Few, and of no use where no Gateway is looked at.
      [GatewayClass, asking.gateways.length > 0 ? allHeld(cached, GatewayClass) : []],
    ]);
  }

  /** By host, in lower case. */
  #hostsOfIngresses(ingresses: readonly IngressObject[]): ReadonlyMap<string, VirtualHost> {
    const names = ingresses.map((one) => keyOf(refOf(one))).join(" ");
    const known =
      this.#byIngresses.get(names) ??
      new Map(
        virtualHostsOfIngresses(this.view({ ingresses, gateways: [] }), this.#options).hosts.map((one) => [
          one.listener.hostname,
          one,
        ]),
      );
    this.#byIngresses.set(names, known);
    return known;
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
}
