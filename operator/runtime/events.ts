// Events about objects, aggregated: the first of its kind goes out at once, repeats are counted and told once a minute.
// They are told beside the work, slowly and from a bounded list, so that no reconcile ever waits for one.
import type { Connection } from "#kube/connection.ts";
import { emit, NOTE_MAX } from "#kube/event.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { apiVersionOf } from "#kube/paths.ts";
import type { Clock } from "#wire/clock.ts";
import type { KnownError } from "#wire/errors.ts";
import type { ObjectEvent } from "./define-controller.ts";

/** One event as it goes out: `count` of them since the first. */
export interface Telling {
  readonly kind: Kind;
  readonly object: KubeObject;
  readonly event: ObjectEvent;
  readonly count: number;
}

export interface EventsOptions {
  readonly clock: Clock;
  /** Writes one; a failure is only logged by it. */
  send(telling: Telling): Promise<void>;
}

interface Heard {
  count: number;
  toldAt: number;
}

const REPEAT_MS = 60_000;
/** Kinds of event remembered; the oldest goes first. */
const REMEMBERED = 4096;
/** Events that may wait; beyond it Normal ones are dropped, and Warnings drop the oldest Normal one. */
const WAITING = 1000;
/** After this many at once, one each PACE_MS. */
const BURST = 50;
const PACE_MS = 100;

export class Events {
  readonly #options: EventsOptions;
  readonly #heard = new Map<string, Heard>();
  readonly #waiting: Telling[] = [];
  readonly #ended = new AbortController();
  #sending = false;

  constructor(options: EventsOptions) {
    this.#options = options;
  }

  /** False when there is no room for it: whoever tells of it once only has to do so again. */
  tell(kind: Kind, object: KubeObject, event: ObjectEvent): boolean {
    if (this.#ended.signal.aborted) return false;
    const what = event.type === "Normal" || event.byReason === true ? "" : event.note.slice(0, NOTE_MAX);
    const key = `${object.metadata.uid ?? ""} ${event.type} ${event.reason} ${what}`;
    const now = this.#options.clock.now();
    const heard = this.#heard.get(key) ?? { count: 0, toldAt: -Infinity };
    heard.count += 1;
    this.#heard.delete(key);
    this.#heard.set(key, heard);
    if (this.#heard.size > REMEMBERED) this.#heard.delete(this.#heard.keys().next().value ?? "");
    if (now - heard.toldAt < REPEAT_MS) return true;
    const isQueued = this.#enqueue({ kind, object, event, count: heard.count });
    if (isQueued) heard.toldAt = now;
    return isQueued;
  }

  /** What waits is dropped. */
  stop(): void {
    this.#ended.abort(new Error("no more events: the process stops"));
    this.#waiting.length = 0;
  }

  #enqueue(telling: Telling): boolean {
    if (this.#waiting.length >= WAITING) {
      const normal = this.#waiting.findIndex(isNormal);
      if (isNormal(telling) || normal < 0) return false;
      this.#waiting.splice(normal, 1);
    }
    // A person waits for a Warning; nobody waits to hear that all is well.
    const behind = telling.event.type === "Warning" ? this.#waiting.findIndex(isNormal) : -1;
    this.#waiting.splice(behind < 0 ? this.#waiting.length : behind, 0, telling);
    if (!this.#sending) {
      this.#sending = true;
      void this.#drain();
    }
    return true;
  }

  async #drain(): Promise<void> {
    const { signal } = this.#ended;
    let sent = 0;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      await this.#options.send(next).catch(() => undefined);
      sent += 1;
      if (sent >= BURST) await this.#options.clock.sleep(PACE_MS, signal).catch(() => undefined);
    }
    this.#sending = false;
  }
}

function isNormal({ event }: Telling): boolean {
  return event.type === "Normal";
}

/** What came of a call that failed: news by its note where a person has to mend it. */
export function failureEvent(error: KnownError, said: Pick<ObjectEvent, "reason" | "note" | "action">): ObjectEvent {
  return { type: "Warning", ...said, ...(error.class === "invalid" ? {} : { byReason: true }) };
}

/** Who tells of a kind, where that is not `<kind>-controller`: the names of releases so far, which people filter by. */
const TELLERS: Readonly<Record<string, string>> = {
  BoundEndpoint: "bindings-controller",
  CloudEndpoint: "cloud-endpoint-controller",
  GatewayClass: "gateway-class",
  HTTPRoute: "gateway-controller",
  IPPolicy: "ip-policy-controller",
  KubernetesOperator: "kubernetes-operator-controller",
  NgrokTrafficPolicy: "policy-controller",
  TCPRoute: "tcp-route",
  TLSRoute: "tls-route",
};

/** The reportingController of events about the kind. */
export function tellerOf({ kind }: Pick<Kind, "kind">): string {
  return TELLERS[kind] ?? `${kind.toLowerCase()}-controller`;
}

/** Events that go to the API server, told by `instance` (the pod), until the signal. */
export function clusterEvents(
  from: { readonly connection: Connection; readonly clock: Clock; readonly instance: string },
  signal: AbortSignal,
): Events {
  const { connection, clock, instance } = from;
  return new Events({
    clock,
    async send({ kind, object, event, count }) {
      const regarding = { apiVersion: apiVersionOf(kind, kind.versions[0]), kind: kind.kind, ...object };
      const { type, reason, note, action = "Reconcile" } = event;
      const controller = tellerOf(kind);
      await emit(connection, { regarding, type, reason, note, action, controller, instance, count }, signal, clock);
    },
  });
}
