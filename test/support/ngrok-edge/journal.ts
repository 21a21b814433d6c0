// What happened at the edge, in order, and a way to wait for something without looking again and again.

export type EdgeEvent =
  | { readonly kind: "connected" | "garbled"; readonly from: string }
  | { readonly kind: "authenticated" | "lost"; readonly session: string; readonly why?: string }
  /** `heard`: the agent has read that its endpoint is bound. */
  | {
      readonly kind: "bound" | "heard" | "unbound";
      readonly session: string;
      readonly endpoint: string;
      readonly url: string;
    }
  | { readonly kind: "refused"; readonly call: "auth" | "bind"; readonly about: string; readonly message: string }
  | { readonly kind: "heartbeat"; readonly session: string }
  /** A fault hits a call of an agent. */
  | { readonly kind: "fault"; readonly on: string; readonly effect: string }
  /** A proxy stream was opened for a visitor. */
  | { readonly kind: "proxied"; readonly endpoint: string; readonly url: string }
  /** A request over HTTP was answered; by the edge itself when it has no endpoint. */
  | { readonly kind: "request"; readonly url: string; readonly endpoint?: string; readonly status: number };

const kept = 50_000;

export class Journal<E extends { readonly kind: string } = EdgeEvent> {
  readonly #events: E[] = [];
  readonly #watchers = new Set<() => void>();
  readonly #told: ((event: E) => void) | undefined;

  constructor(told?: (event: E) => void) {
    this.#told = told;
  }

  /** The newest 50,000, oldest first. */
  get events(): readonly E[] {
    return this.#events;
  }

  add(event: E): void {
    this.#events.push(event);
    if (this.#events.length > kept) this.#events.shift();
    this.#told?.(event);
    for (const look of this.#watchers) look();
  }

  /** How many events have all these fields, e.g. `{ kind: "bound", url: "https://a.test" }`. */
  count(fields: Partial<Record<string, string | number>>): number {
    return this.#events.filter((event) =>
      Object.entries(fields).every(([name, value]) => (event as Record<string, unknown>)[name] === value),
    ).length;
  }

  /** Resolves once `holds` does, asked at every event. Rejects after `ms`, naming `what` and what happened last. */
  async until(what: string, holds: () => boolean, ms = 50_000): Promise<void> {
    if (holds()) return;
    await new Promise<void>((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        this.#watchers.delete(look);
      };
      const look = () => {
        if (!holds()) return;
        end();
        resolve();
      };
      const timer = setTimeout(() => {
        end();
        const last = this.#events.slice(-5).map((event) => JSON.stringify(event));
        reject(new Error(`not within ${ms} ms: ${what}; the last events: ${last.join(" ") || "none"}`));
      }, ms);
      this.#watchers.add(look);
    });
  }
}
