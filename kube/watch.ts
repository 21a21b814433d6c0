// Follows a kind for as long as the process lives: one paged list, then a watch with bookmarks that is resumed where it
// broke off, and a new list only when the server has forgotten that place. What happened meanwhile is told as the
// difference, deletions included; nothing is told twice with the same resourceVersion, unless the server counts anew.
import { systemClock, type Clock } from "#wire/clock.ts";
import { asError, KnownError } from "#wire/errors.ts";
import { waitInLoop, watchBackoff, type Backoff } from "#wire/backoff.ts";
import { turnDue } from "#wire/turn.ts";
import type { Connection, WatchEvent } from "./connection.ts";
import { ABSENT } from "./discovery.ts";
import { isNewer, keyOf, refOf, type Kind, type KubeObject } from "./kind.ts";
import { listPath } from "./paths.ts";
import { reader, versionFor, type ListOptions, type Page } from "./reader.ts";

/** What the follower asks of a store that the handlers fill; the follower itself then remembers nothing. */
export interface StoreView<T extends KubeObject> {
  /** By `namespace/name`. Only its uid and resourceVersion are looked at; it is handed on to `removed`. */
  at(key: string): T | undefined;
  /** Read on while objects come and go. */
  keys(): Iterable<string>;
}

export interface FollowOptions<T extends KubeObject> extends ListOptions {
  /** The one store of this kind; without it the follower keeps the objects itself. */
  readonly store?: StoreView<T>;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly backoff?: Backoff;
  /** How often an absent kind (an optional CRD) is looked for, default 15,000. */
  readonly absentMs?: number;
  /** See Connection.watch. */
  readonly silenceMs?: number;
}

/** Called one after the other, never at the same time. A handler that throws ends the following: it is a bug. */
export interface Handlers<T extends KubeObject> {
  /** New, or changed. */
  changed(object: T): void;
  /** Gone; as the watch saw it last, or as the store holds it when a new list did not show it any more. */
  removed(last: T): void;
  /** All that has happened to the kind up to this resourceVersion has been told. */
  told?(resourceVersion: string): void;
  /** After each whole list: the store now shows what the cluster had at one moment. */
  synced?(): void;
  /** Before synced: the list's resourceVersion is lower than one that was told before, and does not compare with it. */
  wentBack?(): void;
  /** The kind is not served (all its objects were told as removed); told once until it is there again. */
  absent?(): void;
  /** Something failed, of a watch after it had stood for `lastedMs`; the next try comes after `waitMs`. */
  trouble?(error: KnownError, waitMs: number, lastedMs: number): void;
}

/** Ends only by the signal: throws its reason. */
export async function follow<T extends KubeObject>(
  connection: Connection,
  kind: Kind<T>,
  options: FollowOptions<T>,
  handlers: Handlers<T>,
  signal: AbortSignal,
): Promise<never> {
  return await new Follower(connection, kind, options, handlers, signal).run();
}

class Follower<T extends KubeObject> {
  readonly #connection: Connection;
  readonly #kind: Kind<T>;
  readonly #options: FollowOptions<T>;
  readonly #handlers: Handlers<T>;
  readonly #signal: AbortSignal;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #store: StoreView<T>;
  /** Only without a store of the caller's. */
  readonly #own: Map<string, T> | undefined;
  /** Where the next watch starts; undefined when a list is due. */
  #from: string | undefined;
  /** Up to where all was told. */
  #told: string | undefined;
  #wasSilent = false;
  /** When the server accepted the watch that stands. */
  #watchedFrom: number | undefined;
  #failures = 0;
  #isAbsent = false;

  constructor(
    connection: Connection,
    kind: Kind<T>,
    options: FollowOptions<T>,
    handlers: Handlers<T>,
    signal: AbortSignal,
  ) {
    this.#connection = connection;
    this.#kind = kind;
    this.#options = options;
    this.#handlers = handlers;
    this.#signal = signal;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    const own = new Map<string, T>();
    this.#own = options.store === undefined ? own : undefined;
    this.#store = options.store ?? { at: (key) => own.get(key), keys: () => own.keys() };
  }

  async run(): Promise<never> {
    while (true) {
      this.#signal.throwIfAborted();
      try {
        await this.#round();
      } catch (error) {
        if (this.#signal.aborted) throw asError(this.#signal.reason);
        if (!(error instanceof KnownError)) throw error;
        // 410: the place is forgotten. 404: the kind went away, and may come back as another.
        if (error.class === "gone") this.#from = undefined;
        // Until a look has been answered: one that fails leaves the question open.
        if (error.code === "Silent") this.#wasSilent = true;
        await this.#pause(error);
      }
    }
  }

  async #round(): Promise<void> {
    this.#watchedFrom = undefined;
    if (this.#wasSilent && (await this.#isAhead())) this.#from = undefined;
    this.#wasSilent = false;
    if (this.#from === undefined) {
      this.#from = await this.#list();
      if (this.#from === undefined) {
        await this.#clock.sleep(this.#options.absentMs ?? 15_000, this.#signal);
        return;
      }
    }
    let events = 0;
    for await (const event of await this.#watch(this.#from)) {
      events += 1;
      // Not after the list: where a list takes longer than the server remembers, each is followed by the next.
      this.#failures = 0;
      this.#take(event);
    }
    // The server ends each watch after minutes. One that ends before it said anything is a server going down.
    if (events === 0) await this.#pause(new KnownError("transient", "the watch ended at once", { code: "Ended" }));
  }

  async #pause(error: KnownError): Promise<void> {
    const waitMs = waitInLoop(error, this.#failures, this.#options.backoff ?? watchBackoff, this.#random);
    this.#failures += 1;
    const lastedMs = this.#watchedFrom === undefined ? 0 : this.#clock.now() - this.#watchedFrom;
    this.#handlers.trouble?.(error, waitMs, lastedMs);
    await this.#clock.sleep(waitMs, this.#signal);
  }

  #pages(more: ListOptions = {}): AsyncIterable<Page<T>> {
    const { namespace, labelSelector, fieldSelector, limit } = this.#options;
    const options: ListOptions = {
      namespace,
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
      ...(limit === undefined ? {} : { limit }),
      ...more,
    };
    return reader(this.#connection).pages(this.#kind, options, this.#signal);
  }

  /** A consistent list is never older than what was told before it, unless the count was set back: by a restored backup. */
  #wentBack(listVersion: string): boolean {
    return this.#told !== undefined && isNewer(this.#told, listVersion);
  }

  /** A watch from where the server has not come yet is not refused: it says nothing, not even bookmarks, until that is reached. */
  async #isAhead(): Promise<boolean> {
    for await (const { resourceVersion } of this.#pages({ limit: 1 })) return this.#wentBack(resourceVersion);
    return false;
  }

  /** The list's resourceVersion, or undefined when the kind is not served. */
  async #list(): Promise<string | undefined> {
    const listed = new Set<string>();
    let resourceVersion: string | undefined;
    let wentBack = false;
    for await (const page of this.#pages()) {
      resourceVersion = page.resourceVersion;
      wentBack = this.#wentBack(resourceVersion);
      for (const item of page.items) listed.add(this.#changed(item, wentBack));
    }
    // The store is read as it becomes, not as it was: where others have a turn, the late answer to a call of ours may bring
    // back what is gone. Nobody has one between the last of them and `told`, by which the store knows such answers.
    for (const key of this.#store.keys()) {
      if (listed.has(key)) continue;
      const turn = turnDue();
      if (turn !== undefined) {
        await turn;
        this.#signal.throwIfAborted();
      }
      this.#drop(key, wentBack ? undefined : resourceVersion);
    }
    if (resourceVersion !== undefined) {
      this.#isAbsent = false;
      this.#tell(resourceVersion);
      if (wentBack) this.#handlers.wentBack?.();
      this.#handlers.synced?.();
    } else if (!this.#isAbsent) {
      this.#isAbsent = true;
      this.#handlers.absent?.();
    }
    return resourceVersion;
  }

  /** What the list does not show is gone, unless the store holds a newer word than the list (our own create). */
  #drop(key: string, listVersion: string | undefined): void {
    const last = this.#store.at(key);
    if (last === undefined) return;
    const { resourceVersion } = last.metadata;
    if (listVersion !== undefined && resourceVersion !== undefined && isNewer(resourceVersion, listVersion)) return;
    this.#removed(key, last);
  }

  async #watch(from: string): Promise<AsyncIterable<WatchEvent>> {
    const { namespace, labelSelector, fieldSelector, silenceMs } = this.#options;
    const version = await versionFor(this.#connection, this.#kind, this.#signal);
    if (version === ABSENT)
      throw new KnownError("gone", `${this.#kind.plural} are not served any more`, { status: 404 });
    return this.#connection.watch({
      path: listPath(this.#kind, version, namespace),
      query: {
        resourceVersion: from,
        labelSelector,
        fieldSelector,
        // Spread, so that the watches of many kinds do not all end at once.
        timeoutSeconds: Math.round(300 + 300 * this.#random()),
      },
      signal: this.#signal,
      opened: () => (this.#watchedFrom = this.#clock.now()),
      ...(silenceMs === undefined ? {} : { silenceMs }),
    });
  }

  #take(event: WatchEvent): void {
    const object = event.object as T;
    const { resourceVersion } = object.metadata;
    this.#from = resourceVersion ?? this.#from;
    if (event.type === "DELETED") this.#removed(keyOf(refOf(object)), object);
    else if (event.type !== "BOOKMARK") this.#changed(object);
    if (resourceVersion !== undefined) this.#tell(resourceVersion);
  }

  #tell(resourceVersion: string): void {
    this.#told = resourceVersion;
    this.#handlers.told?.(resourceVersion);
  }

  /** Returns the key. */
  #changed(object: T, wentBack = false): string {
    const key = keyOf(refOf(object));
    const known = this.#store.at(key);
    if (known !== undefined) {
      const isOther = known.metadata.uid !== object.metadata.uid;
      // A store of the caller's keeps what looks newer, so that it has to let go of it first.
      if (isOther || (wentBack && this.#own === undefined)) this.#removed(key, known);
      else if (!wentBack && known.metadata.resourceVersion === object.metadata.resourceVersion) return key;
    }
    this.#own?.set(key, object);
    this.#handlers.changed(object);
    return key;
  }

  #removed(key: string, last: T): void {
    this.#own?.delete(key);
    this.#handlers.removed(last);
  }
}
