// Trouble on demand between pods and API server: which calls it hits, how often, and what becomes of them.
import type { Call, Caller } from "./api-proxy-caller.ts";

/** What is absent matches any. */
export interface Match {
  readonly caller?: Caller;
  /** The uid of a pod. */
  readonly pod?: string;
  readonly method?: string | RegExp;
  /** Tested against the path without the query. */
  readonly path?: RegExp;
  readonly query?: RegExp;
  readonly body?: RegExp;
  readonly watch?: boolean;
}

type Doing =
  /** An answer in the API server's form. `retryAfter` in seconds. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly retryAfter?: number;
      readonly reason?: string;
      readonly message?: string;
    }
  /** No answer; the connection stays open. */
  | { readonly kind: "hang" }
  /** The connection is reset. */
  | { readonly kind: "reset" }
  | { readonly kind: "delay"; readonly ms: number }
  /** Something happens while the call waits; then it passes on, or its connection is reset. */
  | { readonly kind: "do"; readonly run: (call: Call) => Promise<void> | void; readonly drop?: true };

/** `hold`: the call waits until `release()`, and passes on whoever still listens. `stale`: see Line. Both until then. */
type Released = { readonly kind: "hold" } | { readonly kind: "stale" };

export type CallEffect = Doing | (Released & { readonly released: Promise<void> });

export type CallFault = (Doing | Released) & {
  readonly match?: Match;
  /** How many calls it hits; default 1, Infinity for all. */
  readonly times?: number;
  /** How many matching calls it lets pass first; default 0. */
  readonly skip?: number;
  /** Of the matching calls this part, by chance; default all. */
  readonly chance?: number;
  /** The API server has done it, then the fault hits: an answer that is lost. */
  readonly after?: "commit";
};

export interface AddedCallFault {
  /** How many calls it has hit. */
  readonly hits: number;
  /** Resolves to the first call that it hits. */
  readonly hit: Promise<Call>;
  /** Lets go of what it holds, and hits no more. */
  readonly release: () => void;
}

interface Active {
  readonly fault: CallFault;
  readonly effect: CallEffect;
  readonly first: (call: Call) => void;
  readonly release: () => void;
  skip: number;
  left: number;
  hits: number;
}

export class CallFaults {
  readonly #active = new Set<Active>();
  /** For faults that hit by chance. */
  random: () => number = Math.random;

  add(fault: CallFault): AddedCallFault {
    const hit = Promise.withResolvers<Call>();
    const gate = Promise.withResolvers<void>();
    const effect: CallEffect =
      fault.kind === "hold" || fault.kind === "stale" ? { kind: fault.kind, released: gate.promise } : fault;
    const active: Active = {
      fault,
      effect,
      first: hit.resolve,
      release: gate.resolve,
      skip: fault.skip ?? 0,
      left: fault.times ?? 1,
      hits: 0,
    };
    this.#active.add(active);
    return {
      get hits() {
        return active.hits;
      },
      hit: hit.promise,
      release: () => {
        active.left = 0;
        active.release();
        this.#active.delete(active);
      },
    };
  }

  clear(): void {
    for (const active of this.#active) active.release();
    this.#active.clear();
  }

  /** What hits this call: the oldest fault that matches and has its turn. One that held its last call still holds it. */
  take(call: Call): { readonly fault: CallFault; readonly effect: CallEffect } | undefined {
    for (const active of this.#active) {
      const { fault, effect } = active;
      if (active.left <= 0 || !matches(fault.match, call)) continue;
      if (fault.chance !== undefined && this.random() >= fault.chance) continue;
      if (active.skip > 0) {
        active.skip -= 1;
        continue;
      }
      active.hits += 1;
      active.left -= 1;
      if (active.hits === 1) active.first(call);
      return { fault, effect };
    }
    return undefined;
  }
}

function matches(match: Match | undefined, call: Call): boolean {
  if (match === undefined) return true;
  const { caller, pod, method, path, query, body, watch } = match;
  return (
    (caller === undefined || caller === call.caller) &&
    (pod === undefined || pod === call.pod?.uid) &&
    (method === undefined || (typeof method === "string" ? method === call.method : method.test(call.method))) &&
    (path === undefined || call.path.search(path) !== -1) &&
    (query === undefined || call.query.search(query) !== -1) &&
    (body === undefined || call.body.search(body) !== -1) &&
    (watch === undefined || watch === call.watch)
  );
}
