// Which host is reserved and which endpoints use it: what links endpoints to reserved domains and addresses.
import type { Remote } from "./collection.ts";

/** `*.example.com` for `a.example.com`. */
const wildcardOf = (host: string) => `*.${host.slice(host.indexOf(".") + 1)}`;

export class Hosts {
  readonly #reserved = new Map<string, Remote>();
  readonly #users = new Map<string, Set<string>>();
  /** Hosts in use below a wildcard, e.g. `*.example.com` -> `a.example.com`. */
  readonly #below = new Map<string, Set<string>>();

  /** False when it is taken already. */
  reserve(host: string, by: Remote): boolean {
    if (this.#reserved.has(host)) return false;
    this.#reserved.set(host, by);
    return true;
  }

  isReserved(host: string): boolean {
    return this.#reserved.has(host);
  }

  release(host: string): void {
    this.#reserved.delete(host);
  }

  /** The reservation that serves a host: its own, else that of the wildcard above it. */
  reservationOf(host: string): Remote | undefined {
    return this.#reserved.get(host) ?? this.#reserved.get(wildcardOf(host));
  }

  use(host: string, endpointId: string): void {
    add(this.#users, host, endpointId);
    add(this.#below, wildcardOf(host), host);
  }

  leave(host: string, endpointId: string): void {
    if (take(this.#users, host, endpointId)) take(this.#below, wildcardOf(host), host);
  }

  /** Whether an endpoint is served by the reservation of this host. */
  inUse(host: string): boolean {
    if (this.#users.has(host)) return true;
    for (const below of this.#below.get(host) ?? []) if (!this.#reserved.has(below)) return true;
    return false;
  }
}

function add(map: Map<string, Set<string>>, key: string, value: string): void {
  const set = map.get(key);
  if (set) set.add(value);
  else map.set(key, new Set([value]));
}

/** True when it was the last one. */
function take(map: Map<string, Set<string>>, key: string, value: string): boolean {
  const set = map.get(key);
  set?.delete(value);
  return set?.size === 0 && map.delete(key);
}
