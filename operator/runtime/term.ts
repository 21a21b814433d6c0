// One term of leadership: the controllers at work under one hold of the Lease. A term is started when the duty is to
// reconcile and stopped when it is anything else; nothing of it outlives the Lease.
import type { Release } from "#api/release.ts";
import type { Connection } from "#kube/connection.ts";
import type { Kind } from "#kube/kind.ts";
import { keyOf, refOf } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";
import type { Writer } from "#kube/writer.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import { reconcileBackoff, waitInLoop } from "#wire/backoff.ts";
import type { Clock } from "#wire/clock.ts";
import type { Dial } from "#wire/dial.ts";
import { known } from "#wire/errors.ts";
import { Beside } from "./beside.ts";
import { claiming } from "./birth.ts";
import type { Change } from "./cache.ts";
import { type CrdCheck, crdCheck } from "./crd-check.ts";
import { readStanding } from "./crd-standing.ts";
import type { Controller, LeaderController } from "./define-controller.ts";
import { clusterEvents, type Events } from "./events.ts";
import type { Gate } from "./gate.ts";
import type { KeyCheck } from "./key.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { resultOf } from "./next.ts";
import type { Options } from "./options.ts";
import { startKeyed } from "./keyed.ts";
import { remembering } from "./pen.ts";
import { Queue } from "./queue.ts";
import { Reconciler } from "./reconcile.ts";
import { resync } from "./resync.ts";
import { keepUninstallReady } from "./uninstall-ready.ts";
import { Strangers } from "./strangers.ts";
import { concerns, wakeByOthers } from "./wake.ts";
import { kindsReadBy, type Watches } from "./watches.ts";
import { writeOver, writeStatus } from "./write-status.ts";

/** How long what has begun may take to end when the term ends; the Lease is freed after it. */
const ENDING_MS = 8_000;

export interface TermParts {
  readonly controllers: readonly Controller[];
  readonly connection: Connection;
  readonly watches: Watches;
  readonly gate: Gate;
  readonly reader: Reader;
  readonly writer: Writer;
  readonly ngrok: NgrokPort | undefined;
  readonly dial: Dial;
  readonly clock: Clock;
  readonly release: Release;
  readonly options: Options;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly key: KeyCheck;
  /** Whether there are rights outside the namespaces. */
  readonly clusterWide: boolean;
  /** The pod, for events. */
  readonly instance: string;
  readonly heldSince: number;
  /** Of the write token. */
  readonly signal: AbortSignal;
  /** A whole kind of ours is being deleted. */
  onTerminating(why: string): void;
}

export interface Term {
  /** Every object is looked at again: something that all of them need has changed. */
  again(): void;
  /** Nothing more is begun; resolves when what had begun has ended, or after its time is over. */
  stop(): Promise<void>;
}

export function startTerm(given: TermParts): Term {
  const around = { ...given, cached: given.watches.cache };
  const writer = claiming(given.writer, given.controllers, around);
  const parts = { ...given, writer: remembering(writer, given.watches.cache) };
  const ending = new AbortController();
  const free = parts.watches.use();
  const events = clusterEvents(parts, ending.signal);
  const namespace = parts.release.watchNamespace ?? parts.release.namespace;
  const crds = crdCheck(async (kind, signal) => await readStanding({ ...parts, namespace }, kind, signal));
  const strangers = new Strangers({ ...parts, signal: ending.signal });
  const shared = { crds, events, strangers, ending: ending.signal };
  const works = parts.controllers.map((controller) =>
    "sources" in controller
      ? startKeyed(controller, { ...parts, ...shared, tell: (kind, object, event) => events.tell(kind, object, event) })
      : startController(controller, parts, shared),
  );
  const telling = keepUninstallReady(parts, AbortSignal.any([ending.signal, parts.signal])).catch((error: unknown) => {
    if (!ending.signal.aborted && !parts.signal.aborted)
      parts.log.error({ err: known(error).message }, "UninstallReady is not kept any more");
  });
  let stopped: Promise<void> | undefined;
  return {
    again() {
      for (const work of works) work.again();
    },
    stop: async () => {
      stopped ??= stopAll();
      await stopped;
    },
  };

  async function stopAll(): Promise<void> {
    ending.abort(new Error("the term has ended"));
    events.stop();
    const over = new AbortController();
    const late = parts.clock.sleep(ENDING_MS, over.signal).catch(() => undefined);
    // Let go of as they stop: what they remember of each object would outlive the term with it.
    const ended = Promise.all([telling, ...works.splice(0).map(async (work) => await work.stop())]);
    // Whoever is late still reads the stores.
    void ended.then(free);
    await Promise.race([ended, late]);
    over.abort(new Error("stopped"));
  }
}

interface Shared {
  readonly crds: CrdCheck;
  readonly events: Events;
  readonly strangers: Strangers;
  readonly ending: AbortSignal;
}

/** Returns how to stop it. */
function startController(
  controller: LeaderController,
  parts: TermParts,
  { crds, events, strangers, ending }: Shared,
): Term {
  const { watches, gate, metrics, clock, release, connection } = parts;
  const log = parts.log.child({ controller: controller.name });
  const store = watches.cache.store(controller.kind);
  const beside = new Beside({
    clock,
    signal: AbortSignal.any([ending, parts.signal]),
    mayBegin: () => gate.open,
  });
  const reconciler = new Reconciler({
    ...parts,
    controller,
    store,
    cached: watches.cache,
    crds,
    log,
    stopping: () => ending.aborted,
    writeStatus: async (object, status, signal) =>
      controller.statusIsShared === true
        ? await writeOver(connection, controller.kind, object, status, signal)
        : await writeStatus(connection, controller.kind, object, status, controller.leaves, signal),
    event: (object, event) => events.tell(controller.kind, object, event),
    beside: (object, aside) => beside.ask(object.metadata.uid ?? "", aside, () => queue.add(keyOf(refOf(object)))),
    stranger: async (object, owner) =>
      await strangers.met(controller.kind, object, owner, (event) => events.tell(controller.kind, object, event)),
    held(kind, why, terminating) {
      log.warn(
        { kind: kind.kind, why },
        "nothing at ngrok is deleted for objects of this kind: their CustomResourceDefinition is not seen to stay",
      );
      if (terminating) parts.onTerminating(why);
    },
  });
  const queue = new Queue({
    clock,
    concurrency: controller.concurrency ?? 1,
    metrics: metrics.queue(controller.name),
    backoff: (error, failures) => waitInLoop(error, failures - 1, reconcileBackoff, Math.random),
    async work(key) {
      const began = clock.now();
      const next = await reconciler.work(key);
      metrics.reconciled(controller.name, resultOf(next), (clock.now() - began) / 1000);
      return next;
    },
  });
  const made = controller.makes === undefined ? [] : [keyOf(controller.makes.at(release))];
  const keys = (): readonly string[] => [...store.keys(), ...made];
  const all = (): void => {
    for (const key of keys()) queue.add(key);
  };
  const again = (key: string): void => {
    reconciler.distrust(key);
    queue.add(key);
  };
  const listening: (() => void)[] = [];
  const start = async (): Promise<void> => {
    // What an earlier process recorded has to be seen first: who looks for lost creations asks which ids are known.
    await watches.ready(kindsReadBy(controller), ending);
    listening.push(
      store.onChange((change) => {
        if (change.after === undefined) {
          beside.forget(change.before?.metadata.uid ?? "");
          strangers.forget(change.before?.metadata.uid);
        }
        wakeOwn(change, controller, release, queue, reconciler);
      }),
      gate.onChange(() => {
        if (gate.open) all();
      }),
      ...wakeByOthers(controller, { cache: watches.cache, release }, queue),
      ...(controller.watches ?? []).map(({ kind }) => watches.cache.store(kind).onWhole(all)),
    );
    all();
    await resync({ clock, random: Math.random, keys, again }, ending);
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

function wakeOwn(
  { before, after }: Change,
  controller: LeaderController,
  release: Release,
  queue: Queue,
  reconciler: Reconciler<LeaderController["kind"] extends Kind<infer T> ? T : never>,
): void {
  const object = after ?? before;
  if (object === undefined) return;
  const key = keyOf(refOf(object));
  if (after === undefined) {
    reconciler.forget(before?.metadata.uid);
    queue.forget(key);
    if (controller.makes !== undefined && key === keyOf(controller.makes.at(release))) queue.add(key);
  } else if (before === undefined || concerns(before, after, release, controller.claim?.(release))) queue.add(key);
  else if (controller.hears?.(before, after) === true) queue.add(key);
}
