// Where endpoints stand: which share a URL, which host each uses, which are bound to Kubernetes.
import { Collection, type Remote } from "./collection.ts";
import { doesNotPool, notReserved, othersDoNotPool } from "./errors.ts";
import type { Hosts } from "./hosts.ts";
import { bindingOf, keyOf, placeOf, type Place } from "./urls.ts";

/** What a request asks of an endpoint's place. */
export interface Wanted {
  readonly place: Place;
  readonly binding: string;
  readonly pooling: boolean;
}

interface Placed extends Remote {
  readonly url: string;
  readonly bindings: string[];
  readonly pooling_enabled: boolean;
}

export class Placements {
  /** Those with the binding `kubernetes`. */
  readonly bound = new Collection<Remote>();
  /** All endpoints of one URL and binding; more than one means that all of them pool. */
  readonly #pools = new Map<string, Set<Placed>>();
  readonly #hosts: Hosts;
  readonly #demandReservation: boolean;

  constructor(hosts: Hosts, demandReservation: boolean) {
    this.#hosts = hosts;
    this.#demandReservation = demandReservation;
  }

  /** Throws ApiError 400 when an endpoint (other than `selfId`) or a missing reservation is in the way. */
  check({ place, binding, pooling }: Wanted, selfId?: string): void {
    if (this.#demandReservation && binding === "public" && !this.#hosts.reservationOf(place.reservable)) {
      throw notReserved();
    }
    for (const other of this.#pools.get(keyOf(place, binding)) ?? []) {
      if (other.id === selfId) continue;
      if (!pooling) throw doesNotPool();
      if (!other.pooling_enabled) throw othersDoNotPool();
      // Who stands beside others pools: no need to look at all of them.
      return;
    }
  }

  enter(endpoint: Placed, { place, binding }: Wanted): void {
    const key = keyOf(place, binding);
    const pool = this.#pools.get(key);
    if (pool) pool.add(endpoint);
    else this.#pools.set(key, new Set([endpoint]));
    if (binding === "public") this.#hosts.use(place.reservable, endpoint.id);
    if (binding === "kubernetes") this.bound.add(endpoint);
  }

  leave(endpoint: Placed): void {
    const place = placeOf(endpoint.url);
    const binding = bindingOf(endpoint.bindings, place);
    const key = keyOf(place, binding);
    const pool = this.#pools.get(key);
    pool?.delete(endpoint);
    if (pool?.size === 0) this.#pools.delete(key);
    if (binding === "public") this.#hosts.leave(place.reservable, endpoint.id);
    this.bound.delete(endpoint.id);
  }
}
