// A keyed controller at work for one term: keys from what its sources hold and from every change of them, each worked on
// by one worker at a time.
import type { Release } from "#api/release.ts";
import type { Connection } from "#kube/connection.ts";
import { keyOf, type Kind, type KubeObject, refOf, resourceName } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";
import { applyStatus } from "#kube/status.ts";
import type { Writer } from "#kube/writer.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import { reconcileBackoff, waitInLoop } from "#wire/backoff.ts";
import type { Clock } from "#wire/clock.ts";
import { known } from "#wire/errors.ts";
import type { Change } from "./cache.ts";
import type { CrdCheck } from "./crd-check.ts";
import type { ObjectEvent } from "./define-controller.ts";
import type { KeyContext, KeyedController, KeyOutcome, Source } from "./define-keyed.ts";
import type { Gate } from "./gate.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { News } from "./news.ts";
import { nextOf, resultOf } from "./next.ts";
import type { Options } from "./options.ts";
import { CLOSED, refuseUnless, stopping } from "./pen.ts";
import { Queue } from "./queue.ts";
import type { Watches } from "./watches.ts";
import { FIELD_MANAGER } from "./write-status.ts";

export interface KeyedParts {
  readonly watches: Pick<Watches, "cache" | "ready">;
  readonly gate: Gate;
  readonly connection: Connection;
  readonly reader: Reader;
  readonly writer: Writer;
  readonly ngrok: NgrokPort | undefined;
  readonly crds: CrdCheck;
  readonly clock: Clock;
  readonly release: Release;
  readonly options: Options;
  readonly clusterWide: boolean;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Of the write token. */
  readonly signal: AbortSignal;
  /** The term ends: nothing is begun any more. */
  readonly ending: AbortSignal;
  readonly tell: (kind: Kind, object: KubeObject, event: ObjectEvent) => void;
}

export interface KeyedWork {
  /** Every key is looked at again. */
  again(): void;
  /** Nothing more is begun; resolves when what had begun has ended. */
  stop(): Promise<void>;
}

export function startKeyed(controller: KeyedController, parts: KeyedParts): KeyedWork {
  const { watches, gate, clock, release, options, ending, signal } = parts;
  const log = parts.log.child({ controller: controller.name });
  const mayBegin = (): boolean => gate.open && !ending.aborted && !signal.aborted;
  const context: KeyContext = {
    signal,
    clock,
    reader: parts.reader,
    writer: stopping(parts.writer, mayBegin),
    ngrok: parts.ngrok,
    async show(kind, object, status) {
      refuseUnless(mayBegin());
      const at = { ...refOf(object), uid: object.metadata.uid };
      const manager = `${FIELD_MANAGER}-${controller.name}`;
      watches.cache.store(kind).put(await applyStatus(parts.connection, kind, at, status, manager, signal));
    },
    release,
    clusterWide: parts.clusterWide,
    options,
    cached: watches.cache,
    mayRemove: async (kinds) => await stand(kinds, parts, log),
    event: parts.tell,
    inTurn: turns(),
  };
  const news = new News(log, clock);
  const queue = new Queue({
    clock,
    concurrency: controller.concurrency ?? 1,
    metrics: parts.metrics.queue(controller.name),
    backoff: (error, failures) => waitInLoop(error, failures - 1, reconcileBackoff, Math.random),
    async work(key) {
      if (!mayBegin()) return { is: "done" };
      const began = clock.now();
      const outcome = await applied(controller, key, context);
      tell(key, outcome, { log, news });
      const next = nextOf(outcome);
      parts.metrics.reconciled(controller.name, resultOf(next), (clock.now() - began) / 1000);
      return next;
    },
  });
  const add = (from: Source, change: Change, first: boolean): void => {
    for (const key of from.keys({ ...change, first }, watches.cache)) queue.add(key);
  };
  const all = (): void => {
    for (const one of controller.sources)
      for (const after of watches.cache.store(one.kind).values())
        watches.cache.spare(one.kind, after, () => add(one, { before: undefined, after }, true));
  };
  const listening: (() => void)[] = [];
  const start = async (): Promise<void> => {
    await watches.ready(
      controller.sources.map(({ kind }) => kind),
      ending,
    );
    for (const one of controller.sources)
      listening.push(watches.cache.store(one.kind).onChange((change) => add(one, change, false)));
    listening.push(gate.onChange(() => gate.open && all()));
    all();
  };
  start().catch((error: unknown) => {
    if (!ending.aborted) log.error({ err: known(error).message }, "the controller has stopped");
  });
  return {
    again: all,
    async stop() {
      for (const end of listening) end();
      await queue.stop();
    },
  };
}

/** One piece of work at a time for each object. */
function turns(): KeyContext["inTurn"] {
  const last = new Map<string, Promise<void>>();
  return async (kind, at, work) => {
    const name = `${resourceName(kind)} ${keyOf(at)}`;
    const turn = (last.get(name) ?? Promise.resolve()).then(work);
    const ended = turn.catch(() => undefined);
    last.set(name, ended);
    try {
      await turn;
    } finally {
      if (last.get(name) === ended) last.delete(name);
    }
  };
}

async function applied(controller: KeyedController, key: string, context: KeyContext): Promise<KeyOutcome> {
  try {
    return await controller.apply(key, context);
  } catch (error) {
    return { is: "failed", error };
  }
}

/** Whether every kind's CRD is seen to stay. */
async function stand(kinds: readonly Kind[], { crds, signal }: KeyedParts, log: Log): Promise<boolean> {
  const standings = await Promise.all(kinds.map(async (kind) => ({ kind, is: await crds.standing(kind, signal) })));
  const gone = standings.find(({ is }) => is.is !== "there");
  if (gone === undefined || gone.is.is === "there") return true;
  log.warn(
    { kind: gone.kind.kind, why: gone.is.why },
    "nothing is removed: the CustomResourceDefinition is not seen to stay",
  );
  return false;
}

function tell(key: string, outcome: KeyOutcome, { log, news }: { log: Log; news: News }): void {
  if (outcome.is === "done") {
    news.forget(key);
    return;
  }
  if (outcome.is === "wait") {
    log.debug({ key, reason: outcome.reason, ms: outcome.ms }, "waits");
    return;
  }
  const error = known(outcome.error);
  if (error.class === "conflict" || error.code === CLOSED) return;
  news.warn(key, { key, err: error.message, code: error.code, class: error.class, hint: error.hint }, "failed");
}
