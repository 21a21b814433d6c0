// The watches of a process: each kind that a controller reconciles or is woken by, followed into its store for as long as
// the process lives, whoever leads.
import type { Release } from "#api/release.ts";
import type { Connection } from "#kube/connection.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { resourceName } from "#kube/kind.ts";
import { follow } from "#kube/watch.ts";
import type { Clock } from "#wire/clock.ts";
import { asError } from "#wire/errors.ts";
import { Cache } from "./cache.ts";
import type { Index, LeaderController } from "./define-controller.ts";
import type { Log } from "./log.ts";

/** One kind as it is followed. */
interface Followed {
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly fieldSelector: string | undefined;
  readonly indexes: Readonly<Record<string, Index<KubeObject>>>;
}

interface Standing {
  synced: boolean;
  /** Not served: an optional CRD; counts as synced, since there is nothing to see. */
  absent: boolean;
  /** Why the last try failed; undefined once it works. */
  trouble: string | undefined;
}

export interface Watches {
  readonly cache: Cache;
  /** Kinds whose first list has not come yet, each with what is in the way. */
  unsynced(): readonly string[];
  /** Kinds that the server does not serve. */
  absent(): readonly string[];
  /** Resolves when the first lists of these kinds have come. */
  ready(kinds: readonly Kind[], signal: AbortSignal): Promise<void>;
  /** Follows all kinds until the signal; throws its reason, or what a handler threw (a bug). */
  run(signal: AbortSignal): Promise<void>;
}

export interface WatchesOptions {
  readonly connection: Connection;
  readonly controllers: readonly LeaderController[];
  readonly release: Release;
  readonly clock: Clock;
  readonly log: Log;
}

export function watches({ connection, controllers, release, clock, log }: WatchesOptions): Watches {
  const cache = new Cache();
  const followed = kindsOf(controllers, release);
  const standings = new Map<string, Standing>();
  const waiting = new Set<() => void>();
  for (const { kind, indexes } of followed) {
    cache.add(kind, indexes);
    standings.set(resourceName(kind), { synced: false, absent: false, trouble: undefined });
  }
  const isReady = (kind: Kind): boolean => {
    const standing = standings.get(resourceName(kind));
    return standing === undefined || standing.synced || standing.absent;
  };
  const wake = (): void => {
    for (const resolve of waiting) resolve();
  };

  const followOne = async ({ kind, namespace, fieldSelector }: Followed, signal: AbortSignal): Promise<void> => {
    const store = cache.store(kind);
    const name = resourceName(kind);
    const standing = standings.get(name) ?? { synced: false, absent: false, trouble: undefined };
    const settled = (absent: boolean): void => {
      Object.assign(standing, { synced: !absent, absent, trouble: undefined });
      wake();
    };
    await follow(
      connection,
      kind,
      {
        clock,
        store,
        ...(namespace === undefined ? {} : { namespace }),
        ...(fieldSelector === undefined ? {} : { fieldSelector }),
      },
      {
        changed: (object) => store.put(object),
        removed: (last) => store.remove(last),
        synced: () => settled(false),
        absent: () => {
          log.warn(
            { kind: name },
            "the server does not serve this kind: its CustomResourceDefinition is missing; it is picked up once it is there",
          );
          settled(true);
        },
        trouble: (error, waitMs) => {
          standing.trouble = error.message;
          log.debug({ kind: name, err: error.message, code: error.code, waitMs }, "the watch begins again");
        },
      },
      signal,
    );
  };

  return {
    cache,
    unsynced: () =>
      followed
        .filter(({ kind }) => !isReady(kind))
        .map(({ kind }) => {
          const trouble = standings.get(resourceName(kind))?.trouble;
          return trouble === undefined ? resourceName(kind) : `${resourceName(kind)} (${trouble})`;
        }),
    absent: () => [...standings].filter(([, { absent }]) => absent).map(([name]) => name),
    async ready(kinds, signal) {
      while (!kinds.every(isReady)) {
        signal.throwIfAborted();
        await new Promise<void>((resolve, reject) => {
          const end = (): void => reject(asError(signal.reason));
          const go = (): void => {
            waiting.delete(go);
            signal.removeEventListener("abort", end);
            resolve();
          };
          waiting.add(go);
          signal.addEventListener("abort", end, { once: true });
        });
      }
    },
    async run(signal) {
      await Promise.all(followed.map(async (one) => await followOne(one, signal)));
    },
  };
}

/** The kinds that a controller reads from the cache: its own and those that wake it. */
export function kindsReadBy(controller: LeaderController): readonly Kind[] {
  return [controller.kind, ...(controller.watches ?? []).map(({ kind }) => kind)];
}

function kindsOf(controllers: readonly LeaderController[], release: Release): readonly Followed[] {
  const kinds = new Map(controllers.flatMap(kindsReadBy).map((kind) => [resourceName(kind), kind]));
  return [...kinds.values()].map((kind) => {
    const owner = controllers.find((one) => resourceName(one.kind) === resourceName(kind));
    const single = owner?.makes?.at(release);
    return {
      kind,
      // An object that we make stands in the release namespace, whatever is watched, and only it is of interest.
      namespace: single === undefined ? release.watchNamespace : single.namespace,
      fieldSelector: single === undefined ? undefined : `metadata.name=${single.name}`,
      indexes: (owner?.indexes ?? {}) as Readonly<Record<string, Index<KubeObject>>>,
    };
  });
}
