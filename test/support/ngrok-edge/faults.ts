// Trouble on demand, call by call: which calls of an agent it hits and how often. What hits whole connections is at the session.
import type { Refusal } from "./refusals.ts";

/** Where a fault can hit: a call of the agent, a beat of its heart, or a visitor who is about to be passed on to it. */
export type Spot = "auth" | "bind" | "unbind" | "heartbeat" | "proxy";

export type Effect =
  /** Refused with ngrok's words; a visitor is turned away, a beat is not answered. */
  | ({ readonly kind: "refuse" } & Refusal)
  /** Never answered. */
  | { readonly kind: "hang" }
  /** The agent's connection is reset instead of an answer. */
  | { readonly kind: "drop" }
  /** Answered with what no agent understands. */
  | { readonly kind: "garbage" }
  /** Answered `ms` later. */
  | { readonly kind: "latency"; readonly ms: number };

/** Whom a fault hits. */
export interface Aim {
  /** Tested against the endpoint's id or wished place (bind: `https://host`); absent: any. */
  readonly match?: RegExp;
  /** How many it hits; default 1, Infinity for all. */
  readonly times?: number;
  /** How many it lets pass first; default 0. */
  readonly skip?: number;
}

export type Fault = Effect & Aim & { readonly on: Spot };

export interface AddedFault {
  /** How many it has hit. */
  readonly hits: number;
  remove(): void;
}

interface Active<F extends Aim> {
  readonly fault: F;
  skip: number;
  left: number;
  hits: number;
}

/** Faults that wait for somebody whom they fit. */
export class FaultList<F extends Aim> {
  readonly #active = new Set<Active<F>>();

  add(fault: F): AddedFault {
    const active: Active<F> = { fault, skip: fault.skip ?? 0, left: fault.times ?? 1, hits: 0 };
    this.#active.add(active);
    return {
      get hits() {
        return active.hits;
      },
      remove: () => void this.#active.delete(active),
    };
  }

  clear(): void {
    this.#active.clear();
  }

  /** What hits this one: the oldest fault that fits. */
  protected hit(about: string, fits: (fault: F) => boolean): F | undefined {
    for (const active of this.#active) {
      const { fault } = active;
      if (!fits(fault) || (fault.match !== undefined && about.search(fault.match) === -1)) continue;
      if (active.skip > 0) {
        active.skip -= 1;
        continue;
      }
      active.hits += 1;
      active.left -= 1;
      if (active.left <= 0) this.#active.delete(active);
      return fault;
    }
    return undefined;
  }
}

export class EdgeFaults extends FaultList<Fault> {
  /** What hits a call; `about` is what the faults' `match` looks at. */
  take(on: Spot, about: string): Effect | undefined {
    return this.hit(about, (fault) => fault.on === on);
  }
}
