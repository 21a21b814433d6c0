// Trouble on demand: which requests it hits, how often, and whether before or after the change was made.

export interface Match {
  /** Absent: any. */
  readonly method?: string;
  /** Tested against the path without the query. Absent: any. */
  readonly path?: RegExp;
}

export type Effect =
  | { readonly kind: "latency"; readonly ms: number }
  /** An error of ngrok's form, or `text` as it is (what a proxy in front of ngrok would say). `retryAfter` in seconds. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly retryAfter?: number;
      readonly code?: number;
      readonly text?: string;
    }
  /** No answer; the connection stays open. */
  | { readonly kind: "hang" }
  /** The connection is reset. */
  | { readonly kind: "reset" }
  /** The change is made and half of the answer sent, then the connection closes. */
  | { readonly kind: "partial" };

export type Fault = Effect & {
  readonly match?: Match;
  /** How many requests it hits; default 1, Infinity for all. */
  readonly times?: number;
  /** How many matching requests it lets pass first; default 0. */
  readonly skip?: number;
  /** The change is made, then the fault hits: an answer that is lost. */
  readonly after?: "commit";
};

export interface AddedFault {
  readonly id: number;
  readonly fault: Fault;
  /** How many requests it has hit. */
  readonly hits: number;
  /** It hits no more, and who waits for its latency waits no longer. */
  remove(): void;
}

/** What hits one request: milliseconds to wait, but not beyond the end of that fault, and at most one other effect. */
export interface Blow {
  ms: number;
  over?: Promise<void>;
  effect?: Effect;
}

/** Before the change and after it. */
export interface Hit {
  readonly before: Blow;
  readonly after: Blow;
}

interface Active {
  readonly id: number;
  readonly fault: Fault;
  skip: number;
  left: number;
  hits: number;
  readonly over: PromiseWithResolvers<void>;
}

export class Faults {
  readonly #active = new Map<number, Active>();
  #lastId = 0;

  add(fault: Fault): AddedFault {
    this.#lastId += 1;
    const id = this.#lastId;
    const active: Active = {
      id,
      fault,
      skip: fault.skip ?? 0,
      left: fault.times ?? 1,
      hits: 0,
      over: Promise.withResolvers(),
    };
    this.#active.set(id, active);
    return {
      id,
      fault,
      get hits() {
        return active.hits;
      },
      remove: () => {
        this.#active.delete(id);
        active.over.resolve();
      },
    };
  }

  /** Those that can still hit. */
  list(): { id: number; kind: string; hits: number; left: number }[] {
    return [...this.#active.values()].map(({ id, fault, hits, left }) => ({ id, kind: fault.kind, hits, left }));
  }

  remove(id: number): boolean {
    this.#active.get(id)?.over.resolve();
    return this.#active.delete(id);
  }

  clear(): void {
    for (const { over } of this.#active.values()) over.resolve();
    this.#active.clear();
  }

  /** What hits this request. Latencies add up; of the other effects the oldest wins, and the rest keep their turn. */
  take(method: string, path: string): Hit | undefined {
    if (this.#active.size === 0) return undefined;
    const hit: Hit = { before: { ms: 0 }, after: { ms: 0 } };
    for (const active of this.#active.values()) {
      const { fault } = active;
      if (!matches(fault.match, method, path)) continue;
      const side = fault.after === "commit" || fault.kind === "partial" ? hit.after : hit.before;
      if (fault.kind !== "latency" && (hit.before.effect ?? hit.after.effect)) continue;
      if (active.skip > 0) {
        active.skip -= 1;
        continue;
      }
      if (fault.kind === "latency") linger(side, fault.ms, active.over.promise);
      else side.effect = fault;
      active.hits += 1;
      active.left -= 1;
      if (active.left <= 0) this.#active.delete(active.id);
    }
    return hit;
  }
}

/** Of several latencies the sum, as long as any of them is there. */
function linger(blow: Blow, ms: number, over: Promise<void>): void {
  blow.ms += ms;
  blow.over = Promise.all([blow.over, over]).then(() => undefined);
}

function matches(match: Match | undefined, method: string, path: string): boolean {
  if (match?.method !== undefined && match.method !== method) return false;
  return match?.path === undefined || path.search(match.path) !== -1;
}
