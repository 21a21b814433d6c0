// What goes wrong in a story of the model, and when: requests that meet a fault, watches that are late.
import type { Fault } from "./network.ts";

export type Role = "leader" | "drain" | "cleanup" | "cli";

export interface MishapOptions {
  /** At the n-th request of all processes of a role, or at the n-th of its writes under the token. */
  readonly faults: readonly {
    readonly role: Role;
    readonly at: number;
    readonly of?: "writes";
    readonly fault: Fault;
  }[];
  /** Milliseconds by which the events of a watch are late, taken in turn. */
  readonly lags: readonly number[];
}

export class Mishaps {
  /** Nothing goes wrong any more. */
  calm = false;
  readonly #options: MishapOptions;
  readonly #requests = new Map<string, number>();
  readonly #lags = new Map<string, number>();

  constructor(options: MishapOptions) {
    this.#options = options;
  }

  /** Counts a request; what it meets. */
  faultOf(role: string, fenced: boolean): Fault | undefined {
    const requests = this.#count(role);
    const writes = fenced ? this.#count(`${role} writes`) : undefined;
    if (this.calm) return undefined;
    return this.#options.faults.find((one) => one.role === role && one.at === (one.of === "writes" ? writes : requests))
      ?.fault;
  }

  /** A watch is late all the time, not with one event. */
  lagOf(watch: string): number {
    const { lags } = this.#options;
    if (this.calm || lags.length === 0) return 0;
    const lag = this.#lags.get(watch) ?? lags[this.#lags.size % lags.length] ?? 0;
    this.#lags.set(watch, lag);
    return lag;
  }

  #count(what: string): number {
    const n = (this.#requests.get(what) ?? 0) + 1;
    this.#requests.set(what, n);
    return n;
  }
}
