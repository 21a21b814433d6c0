// Which hosts send to a Service, and in which order the translator comes to them: of thousands the first few are found
// without a look at the rest.
import { isOurGatewayClass } from "#api/classes.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { keyOf, refOf, refOfKey } from "#kube/kind.ts";
import {
  Gateway,
  GatewayClass,
  Ingress,
  type IngressClassObject,
  type IngressObject,
  Service,
  type ServiceObject,
} from "#kube/kinds.ts";
import type { Cached } from "../../runtime/define-controller.ts";
import type { FirstNamed } from "../../runtime/names-in-order.ts";
import { wayTo } from "../../translate/endpoints.ts";
import { byName, heldBy } from "../../translate/held.ts";
import { isOurs, isUsable } from "../../translate/ingress.ts";
import { byKey, compareText } from "../../translate/manifests.ts";
import type { Options } from "../../translate/model.ts";
import { BY_HOST, HOSTS_IN_ORDER, SERVED_IN_ORDER } from "./indexes.ts";
import { hostsOfIngress, partOf } from "./keys.ts";
import { servedPart } from "./served.ts";
import type { Group } from "./slice.ts";

/** For one look: what it has found it remembers. */
export class ServiceUsers {
  readonly #cached: Cached;
  readonly #classes: readonly IngressClassObject[];
  readonly #options: Options;
  readonly #taken = new Map<string, boolean>();
  readonly #places = new Map<string, ReadonlyMap<string, number>>();

  constructor(cached: Cached, classes: readonly IngressClassObject[], options: Options) {
    this.#cached = cached;
    this.#classes = classes;
    this.#options = options;
  }

  /** @param service `namespace/name` */
  of(service: string): readonly Group[] {
    // Of thousands that name a Service, or a port of it, that is not there each would be looked at only to be refused.
    const ports = portsOf(this.#cached.get(Service, refOfKey(service)));
    const ofIngresses = this.#cached.has(Ingress, HOSTS_IN_ORDER)
      ? this.#cached.inOrder(Ingress, HOSTS_IN_ORDER, service)
      : [];
    return [
      ...ofIngresses.flatMap(({ part, names }): Group[] => {
        const { port: written, ingressClassName, stamp } = partOf(part);
        const port = ports.get(written);
        if (port === undefined || !this.#isOurs(ingressClassName, stamp)) return [];
        // A Gateway has a way of its own to the same port.
        const leads: Group["leads"] = (host, target) => host.namePrefix === undefined && target.port === port;
        return [{ leads, names: this.#inOrderTaken(names) }];
      }),
      ...this.#byGateways(service),
    ];
  }

  /** The translator comes to them after the Ingresses, and in this order. */
  #byGateways(service: string): Group[] {
    if (!this.#cached.has(Gateway, SERVED_IN_ORDER)) return [];
    return this.#cached.inOrder(Gateway, SERVED_IN_ORDER, service).flatMap(({ part, names }): Group[] => {
      const { gatewayClassName, ungranted, way } = servedPart(part);
      if ((ungranted && this.#options.referenceGrants) || !this.#isOurGateways(gatewayClassName)) return [];
      return [{ leads: (host, target) => wayTo(host, target) === way, names: namesOf(names) }];
    });
  }

  #isOurGateways(gatewayClassName: string): boolean {
    const found = this.#cached.has(GatewayClass)
      ? this.#cached.get(GatewayClass, { name: gatewayClassName })
      : undefined;
    return found !== undefined && isOurGatewayClass(found, this.#options.gatewayControllerName);
  }

  /**
   * In the order in which the translator comes to them, from that in which they are named first: it comes to a host no sooner
   * than that, and later only if it does not take that Ingress, so few have to wait for those after them.
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
    const named = heldBy(this.#cached, Ingress, BY_HOST, host);
    // One that is not taken has no host by an Ingress, so where it stands does not matter.
    const first = named.length === 1 ? named[0] : byKey(named).find((ingress) => this.#isTaken(ingress));
    if (first !== undefined) return { host, at: `0 ${keyOf(refOf(first))}`, place: this.#placeIn(first, host) };
    return { host, at: "1", place: 0 };
  }

  #placeIn(ingress: IngressObject, host: string): number {
    const name = keyOf(refOf(ingress));
    const places = this.#places.get(name) ?? new Map(hostsOfIngress(ingress).map((one, place) => [one, place]));
    this.#places.set(name, places);
    return places.get(host) ?? -1;
  }

  /** Whether the translator takes the Ingress: then its hosts have their place by it. */
  #isTaken(ingress: IngressObject): boolean {
    const name = keyOf(refOf(ingress));
    const known =
      this.#taken.get(name) ??
      (isOurs(ingress, this.#classes, this.#options) && isUsable(ingress, byName(this.#cached)));
    this.#taken.set(name, known);
    return known;
  }

  /** Whether an Ingress of that class and stamp is ours; "": the default class. */
  #isOurs(ingressClassName: string, stamp: string): boolean {
    const spec = ingressClassName === "" ? {} : { ingressClassName };
    const held = stamp === "" ? {} : { finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: stamp } };
    return isOurs({ metadata: { name: "", ...held }, spec }, this.#classes, this.#options);
  }
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

/** Where the translator comes to a host. */
interface Rank {
  readonly host: string;
  readonly at: string;
  readonly place: number;
}

function inOrder(a: Rank, b: Rank): number {
  return compareText(a.at, b.at) || a.place - b.place;
}
