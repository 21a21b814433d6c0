// A replica controller at work, from the start of its process to the end: what the watches bring is applied while the drain
// state is Open, and closed at any time once the object is being deleted, gone, or another's. What is neither stays as it was.
import { isDeepStrictEqual } from "node:util";
import { claimOf, generatorNamespace } from "#api/keys.ts";
import type { Release } from "#api/release.ts";
import type { Connection } from "#kube/connection.ts";
import { keyOf, type KubeObject, refOf, refOfKey } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";
import { applyStatus } from "#kube/status.ts";
import { reconcileBackoff, waitInLoop } from "#wire/backoff.ts";
import type { Clock } from "#wire/clock.ts";
import { isClass, known } from "#wire/errors.ts";
import { hasSpec, type Store } from "./cache.ts";
import type { ObjectEvent } from "./define-controller.ts";
import type { ReplicaContext, ReplicaOutcome, ReplicaWork } from "./define-replica.ts";
import type { Events } from "./events.ts";
import type { Gate } from "./gate.ts";
import type { Check } from "./health.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { type Facts, News } from "./news.ts";
import { nextOf, resultOf } from "./next.ts";
import { type Next, Queue } from "./queue.ts";
import { withoutUndefined } from "./status.ts";
import type { Recent } from "./recent.ts";
import { concerns, wakeByOthers } from "./wake.ts";
import { kindsReadBy, type Watches } from "./watches.ts";

/** Where the drain state cannot be read, it is asked for again after this long. */
const UNREADABLE_MS = 5_000;

export interface ReplicaParts {
  readonly connection: Connection;
  readonly watches: Pick<Watches, "cache" | "ready">;
  readonly gate: Gate;
  readonly recent: Recent;
  readonly reader: Reader;
  readonly clock: Clock;
  readonly release: Release;
  /** Name of the pod. */
  readonly pod: string;
  readonly events: Pick<Events, "tell">;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Ends with the process. */
  readonly signal: AbortSignal;
}

export interface ReplicaAtWork {
  /** Not ready until everything that was there at the start has been looked at once. */
  readonly ready: Check;
  /** Nothing more is begun; resolves when what had begun has ended. Nothing is closed by that. */
  stop(): Promise<void>;
}

export function startReplica(work: ReplicaWork, given: ReplicaParts): ReplicaAtWork {
  const { controller, hands } = work;
  const { watches, gate, clock, release, signal } = given;
  const parts = { ...given, log: given.log.child({ controller: controller.name }) };
  const store = watches.cache.store(controller.kind);
  const keeper = new Keeper(work, store, parts);
  let unseen: Set<string> | undefined;
  const queue = new Queue({
    clock,
    concurrency: controller.concurrency ?? 1,
    metrics: parts.metrics.queue(controller.name),
    backoff: (error, failures) => waitInLoop(error, failures - 1, reconcileBackoff, Math.random),
    async work(key) {
      const began = clock.now();
      const worked = await keeper.work(key);
      if (worked.is !== "closed") unseen?.delete(key);
      const next = worked.is === "closed" ? (worked.again ?? whileClosed(gate)) : worked;
      parts.metrics.reconciled(controller.name, resultOf(next), (clock.now() - began) / 1000);
      return next;
    },
  });
  const all = (): void => {
    for (const key of store.keys()) queue.add(key);
  };
  const stampOn = ({ metadata }: KubeObject) => metadata.annotations?.[claimOf(release).stamp];
  // The stamp comes after the object, and says that it is for others.
  const isNews = (before: KubeObject, after: KubeObject): boolean =>
    concerns(before, after, release) || stampOn(before) !== stampOn(after);
  const listening: (() => void)[] = [];
  const start = async (): Promise<void> => {
    await watches.ready(kindsReadBy(controller), signal);
    unseen = new Set(store.keys());
    listening.push(
      store.onChange(({ before, after }) => {
        const object = after ?? before;
        const isChange = before !== undefined && after !== undefined;
        if (object !== undefined && (!isChange || isNews(before, after))) queue.add(keyOf(refOf(object)));
      }),
      gate.onChange(() => {
        if (!gate.open) return;
        if (unseen !== undefined && unseen.size > 0) unseen = new Set(store.keys());
        all();
      }),
      ...wakeByOthers(controller, { cache: watches.cache, release }, queue),
      controller.listens?.(hands, (at) => (at === undefined ? all() : queue.add(keyOf(at)))) ?? (() => {}),
    );
    all();
  };
  start().catch((error: unknown) => {
    if (!signal.aborted) parts.log.error({ err: known(error).message }, "the controller has stopped");
  });
  return {
    ready: {
      name: controller.name,
      ask() {
        // While the drain state is closed nothing is looked at, and the gate says so by itself.
        if (!gate.open || unseen?.size === 0) return undefined;
        return unseen === undefined
          ? "nothing has been looked at yet"
          : `${unseen.size} of kind ${controller.kind.kind} have not been looked at yet`;
      },
    },
    async stop() {
      for (const end of listening) end();
      await queue.stop();
    },
  };
}

/** The object was not looked at, since the drain state is not Open; `again` is for what was open and has been lost. */
interface Closed {
  readonly is: "closed";
  readonly again?: Next;
}

/** Whoever sees the state become Open asks for all again; one that cannot be read is asked for by the objects. */
function whileClosed({ state }: Gate): Next {
  return state.phase === "Unknown" ? { is: "later", ms: UNREADABLE_MS } : { is: "done" };
}

/** Keeps what is open in step with the store, one object at a time. */
class Keeper {
  readonly #work: ReplicaWork;
  readonly #store: Store;
  readonly #parts: ReplicaParts;
  /** Whose is what is open under a key: a namesake must not inherit it. */
  readonly #uids = new Map<string, string | undefined>();
  readonly #news: News;

  constructor(work: ReplicaWork, store: Store, parts: ReplicaParts) {
    this.#work = work;
    this.#store = store;
    this.#parts = parts;
    this.#news = new News(parts.log, parts.clock);
  }

  async work(key: string): Promise<Next | Closed> {
    const { recent, signal } = this.#parts;
    if (signal.aborted) return { is: "done" };
    const object = this.#store.at(key);
    if (object === undefined || !this.#isWanted(object)) return await this.#close(key);
    if (this.#uids.has(key) && this.#uids.get(key) !== object.metadata.uid) {
      const closed = await this.#close(key);
      if (closed.is === "retry") return closed;
    }
    const isOpen = await recent.isOpen(signal);
    // It may have gone while the drain state was read; its event has added the key again.
    const again: Next = { is: "later", ms: 0 };
    if (this.#store.at(key) !== object) return isOpen ? again : { is: "closed", again };
    return isOpen ? await this.#apply(key, object) : await this.#restore(key);
  }

  #isWanted(object: KubeObject): boolean {
    const { release } = this.#parts;
    const { stamp, owner } = claimOf(release);
    const { annotations, labels, deletionTimestamp } = object.metadata;
    const stampedBy = annotations?.[stamp];
    // Until the stamp is there, the labels of what another install generates say that it is not for us.
    const madeIn = generatorNamespace(labels) ?? release.namespace;
    const isOurs = stampedBy === undefined ? madeIn === release.namespace : stampedBy === owner;
    return deletionTimestamp === undefined && hasSpec(object) && isOurs;
  }

  async #apply(key: string, object: KubeObject): Promise<Next> {
    const { controller } = this.#work;
    const { signal } = this.#parts;
    this.#uids.set(key, object.metadata.uid);
    const outcome = await controller
      .apply(object, this.#context(object))
      .catch((error: unknown): ReplicaOutcome => ({ is: "failed", error }));
    if (signal.aborted) return { is: "done" };
    this.#tell(key, outcome);
    try {
      await this.#show(object, outcome);
    } catch (error) {
      if (isClass(error, "gone", "conflict") || signal.aborted) return { is: "done" };
      this.#warn(key, { err: known(error).message }, "cannot write the status");
      return { is: "retry", error: known(error) };
    }
    if (outcome.is === "done") this.#news.forget(key);
    return nextOf(outcome);
  }

  /** Nobody may read what a controller says while the state is not Open: it goes into the log alone. */
  async #restore(key: string): Promise<Closed> {
    const { controller } = this.#work;
    if (controller.restore === undefined) return { is: "closed" };
    const outcome = await controller
      .restore(refOfKey(key), this.#context(undefined))
      .catch((error: unknown): ReplicaOutcome => ({ is: "failed", error }));
    if (outcome.is === "done" || this.#parts.signal.aborted) return { is: "closed" };
    this.#tell(key, outcome);
    return { is: "closed", again: nextOf(outcome) };
  }

  async #close(key: string): Promise<Next> {
    const { controller } = this.#work;
    try {
      await controller.close(refOfKey(key), this.#context(undefined));
      this.#uids.delete(key);
      this.#news.forget(key);
      return { is: "done" };
    } catch (error) {
      this.#warn(key, { err: known(error).message }, "cannot close");
      return { is: "retry", error: known(error) };
    }
  }

  async #show(object: KubeObject & { readonly status?: Replicas }, { entry }: ReplicaOutcome): Promise<void> {
    if (entry === undefined) return;
    const { connection, pod, signal } = this.#parts;
    const { controller } = this.#work;
    const wanted = withoutUndefined({ ...(entry as object), pod, observedGeneration: object.metadata.generation });
    const shown = object.status?.replicas?.find((one) => one.pod === pod);
    if (isDeepStrictEqual({ ...shown }, wanted)) return;
    const at = { ...refOf(object), uid: object.metadata.uid };
    const status = { replicas: [wanted] };
    this.#store.put(await applyStatus(connection, controller.kind, at, status, controller.fieldManager(pod), signal));
  }

  #tell(key: string, outcome: ReplicaOutcome): void {
    if (outcome.is === "done") return;
    if (outcome.is === "wait") {
      this.#parts.log.debug({ object: this.#name(key), reason: outcome.reason, ms: outcome.ms }, "waits");
    } else if (outcome.is === "stop") {
      const { reason, hint } = outcome;
      this.#warn(key, { reason, hint }, "cannot go on until somebody changes something");
    } else {
      const { message, code, class: errorClass, hint } = known(outcome.error);
      this.#warn(key, { err: message, code, class: errorClass, hint }, "failed");
    }
  }

  #warn(key: string, facts: Facts, msg: string): void {
    this.#news.warn(key, { object: this.#name(key), ...facts }, msg);
  }

  /** `AgentEndpoint shop/web` */
  #name(key: string): string {
    return `${this.#work.controller.kind.kind} ${key}`;
  }

  #context(object: KubeObject | undefined): ReplicaContext {
    const { reader, watches, clock, release, pod, signal, events } = this.#parts;
    const { controller, hands } = this.#work;
    const event = (said: ObjectEvent): void => {
      if (object !== undefined) events.tell(controller.kind, object, said);
    };
    return { hands, signal, reader, cached: watches.cache, clock, release, pod, event };
  }
}

interface Replicas {
  readonly replicas?: readonly { readonly pod: string }[];
}
