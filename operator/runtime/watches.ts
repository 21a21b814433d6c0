// The watches of a process: each kind that a controller reconciles or is woken by, followed into its store whoever leads.
// During a drain all of them but the install's own object rest, with empty stores, and list again when it is cancelled.
import { isOwnKind } from "#api/define-kind.ts";
import type { Release } from "#api/release.ts";
import type { Connection } from "#kube/connection.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { resourceName } from "#kube/kind.ts";
import { follow } from "#kube/watch.ts";
import type { Clock } from "#wire/clock.ts";
import { type AnyIndex, Cache } from "./cache.ts";
import type { Controller, LeaderController, Part } from "./define-controller.ts";
import type { ReplicaController } from "./define-replica.ts";
import { Failing } from "./failing.ts";
import type { Gate } from "./gate.ts";
import type { Check } from "./health.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Options } from "./options.ts";
import { Rest } from "./rest.ts";
import { tellStumbled } from "./stumbled.ts";
import { until } from "./until.ts";

/** Whoever reads from the stores. */
export type Following = Controller | ReplicaController;

/** One kind as it is followed. */
interface Followed {
  readonly kind: Kind;
  readonly namespace: string | undefined;
  readonly fieldSelector: string | undefined;
  readonly labelSelector: string | undefined;
  readonly dispensable: boolean;
  readonly indexes: Readonly<Record<string, AnyIndex<KubeObject>>>;
  /** What of each object is kept in memory. */
  readonly keeps: (object: KubeObject) => KubeObject;
  /** Not the one object that we make: its deletion is what sets off a drain, and its end is what ends one. */
  readonly rests: boolean;
}

interface Standing {
  synced: boolean;
  /** Not served: an optional CRD; counts as synced, since there is nothing to see. */
  absent: boolean;
  /** It may not be read, and is done without. */
  refused: boolean;
  /** Why the last try failed; undefined once it works. */
  trouble: string | undefined;
}

export interface Watches {
  readonly cache: Cache;
  /** Kinds whose list has not come yet, each with what is in the way; those that rest are not waited for. */
  unsynced(): readonly string[];
  /** Kinds that the server does not serve. */
  absent(): readonly string[];
  /** Resolves when the stores of these kinds show a whole list; with all of them at rest, not before that is over. */
  ready(kinds: readonly Kind[], signal: AbortSignal): Promise<void>;
  /** Nothing rests while somebody works from the stores; returns the end of that. */
  use(): () => void;
  /** Follows all kinds until the signal; throws its reason, or what a handler threw (a bug). */
  run(signal: AbortSignal): Promise<void>;
}

export interface WatchesOptions {
  readonly connection: Connection;
  readonly controllers: readonly Following[];
  readonly release: Release;
  /** Without rights outside the namespaces, kinds that stand outside of them are not looked at. */
  readonly clusterWide: boolean;
  /** For those who work out whose an object is: no replica does. */
  readonly options?: Options;
  readonly gate: Pick<Gate, "onChange">;
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, "watchFailing">;
  readonly log: Log;
}

const unlisted: Standing = { synced: false, absent: false, refused: false, trouble: undefined };

export function watches(options: WatchesOptions): Watches {
  const { connection, controllers, release, clusterWide, gate, clock, log, options: flags } = options;
  const install = flags && { release, clusterWide, options: flags };
  const cache = new Cache({ install, stumbled: tellStumbled(log) });
  const followed = kindsOf(controllers, release, clusterWide);
  const isWatched = (kind: Kind): boolean => clusterWide || kind.namespaced;
  const standings = new Map<string, Standing>();
  const waiting = new Set<() => void>();
  for (const { kind, indexes } of followed) {
    cache.add(kind, indexes);
    standings.set(resourceName(kind), { ...unlisted, absent: !isWatched(kind) });
  }
  const standingOf = (kind: Kind): Standing => standings.get(resourceName(kind)) ?? { ...unlisted, absent: true };
  const isReady = (kind: Kind): boolean => {
    const { synced, absent, refused } = standingOf(kind);
    return synced || absent || refused;
  };
  const wake = (): void => {
    for (const resolve of waiting) resolve();
  };
  const rest = new Rest(() => {
    // At once, before a store is cleared: nobody may take what is left of it for the whole.
    for (const { kind, rests } of followed)
      if (rests && rest.isResting && isWatched(kind)) Object.assign(standingOf(kind), unlisted);
    wake();
  });
  gate.onChange((state) => rest.hear(state));

  const followOne = async (one: Followed, signal: AbortSignal): Promise<void> => {
    const { kind, namespace, fieldSelector, labelSelector, keeps } = one;
    const store = cache.store(kind);
    const name = resourceName(kind);
    const standing = standingOf(kind);
    const failing = new Failing(options, name);
    const settled = (absent: boolean): void => {
      // The last page of a list may come after its end was called for.
      if (signal.aborted) return;
      const wasRefused = standing.refused;
      Object.assign(standing, { synced: !absent, absent, refused: false, trouble: undefined });
      store.isWhole = !absent;
      if (wasRefused) store.tellWhole();
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
        ...(labelSelector === undefined ? {} : { labelSelector }),
      },
      {
        changed: (object) => cache.spare(kind, object, () => store.take(keeps(object))),
        removed: (last) => store.remove(last),
        told: (resourceVersion) => {
          store.toldUpTo = resourceVersion;
          failing.works();
        },
        synced: () => settled(false),
        absent: () => {
          // Others' kinds may be missing as they like: Gateway API is not in every cluster.
          log[isOwnKind(kind) ? "warn" : "info"](
            { kind: name },
            "the server does not serve this kind: its CustomResourceDefinition is missing; it is picked up once it is there",
          );
          settled(true);
          failing.works();
        },
        trouble: (error, waitMs, lastedMs) => {
          standing.trouble = error.message;
          if (one.dispensable && error.status === 403 && !standing.synced && !standing.refused) {
            log.warn({ kind: name, err: error.message }, "the kind may not be read, and is done without");
            standing.refused = true;
            wake();
          }
          // What is done without, or is not there, was told of by that.
          if (!standing.refused && !standing.absent) failing.failed(error, lastedMs);
          log.debug({ kind: name, err: error.message, code: error.code, waitMs }, "the watch begins again");
        },
      },
      signal,
    ).finally(() => failing.ends());
  };

  const followBetweenRests = async (one: Followed, signal: AbortSignal): Promise<never> => {
    for (;;) {
      await until(() => !rest.isResting, waiting, signal);
      const begins = rest.begins;
      await followOne(one, AbortSignal.any([signal, begins])).catch((error: unknown) => {
        if (signal.aborted || !begins.aborted) throw error;
      });
      const store = cache.store(one.kind);
      log.debug({ kind: resourceName(one.kind), objects: store.size }, "the watch rests until the drain state is Open");
      store.clear();
    }
  };

  return {
    cache,
    unsynced: () =>
      followed
        .filter(({ kind, rests }) => !isReady(kind) && !(rests && rest.isResting))
        .map(({ kind }) => {
          const { trouble } = standingOf(kind);
          return trouble === undefined ? resourceName(kind) : `${resourceName(kind)} (${trouble})`;
        }),
    absent: () => [...standings].filter(([, { absent }]) => absent).map(([name]) => name),
    ready: async (kinds, signal) => await until(() => kinds.every(isReady), waiting, signal),
    use: () => rest.use(),
    async run(signal) {
      await Promise.all(
        followed
          .filter(({ kind }) => isWatched(kind))
          .map(async (one) => await (one.rests ? followBetweenRests(one, signal) : followOne(one, signal))),
      );
    },
  };
}

/** Not ready until every store has shown a whole list. */
export function cachesCheck(watches: Pick<Watches, "unsynced">): Check {
  return {
    name: "caches",
    ask: () => {
      const missing = watches.unsynced();
      return missing.length === 0 ? undefined : `not listed yet: ${missing.join(", ")}`;
    },
  };
}

/** The kinds that a controller reads from the cache: its own and those that wake it. */
export function kindsReadBy(controller: Following): readonly Kind[] {
  if ("sources" in controller) return controller.sources.map(({ kind }) => kind);
  return [controller.kind, ...(controller.watches ?? []).map(({ kind }) => kind)];
}

function kindsOf(controllers: readonly Following[], release: Release, clusterWide: boolean): readonly Followed[] {
  const kinds = new Map(controllers.flatMap(kindsReadBy).map((kind) => [resourceName(kind), kind]));
  return [...kinds.values()].map((kind) => {
    const part = partOf(controllers, kind);
    const single = makerOf(controllers, kind)?.makes?.at(release);
    return {
      kind,
      // An object that we make stands in the release namespace, whatever is watched, and only it is of interest.
      namespace: single === undefined ? namespaceOf(part, release, clusterWide) : single.namespace,
      fieldSelector: single === undefined ? part.fieldSelector : `metadata.name=${single.name}`,
      labelSelector: part.labelSelector,
      dispensable: part.dispensable === true,
      keeps: part.keeps ?? ((object) => object),
      indexes: indexesOver(controllers, kind),
      rests: single === undefined,
    };
  });
}

/** Undefined for all. */
function namespaceOf({ within }: Part, release: Release, clusterWide: boolean): string | undefined {
  if (within === "release") return release.namespace;
  return within === "cluster" && clusterWide ? undefined : release.watchNamespace;
}

function makerOf(controllers: readonly Following[], kind: Kind): LeaderController | undefined {
  return controllers.find(
    (one): one is LeaderController => "makes" in one && resourceName(one.kind) === resourceName(kind),
  );
}

/** What is left out may be left out only where all who look at the kind say so. */
function partOf(controllers: readonly Following[], kind: Kind): Part {
  const [first, ...others] = controllers
    .flatMap((one): readonly (Part & { readonly kind: Kind })[] =>
      "sources" in one ? one.sources : [ownPart(one), ...(one.watches ?? [])],
    )
    .filter((one) => resourceName(one.kind) === resourceName(kind));
  if (first === undefined) return {};
  const told = ["fieldSelector", "labelSelector", "dispensable", "keeps", "within"] as const;
  if (others.some((one) => told.some((name) => one[name] !== first[name])))
    throw new Error(`${resourceName(kind)} is watched in part by one controller and as a whole by another`);
  return first;
}

function ownPart(controller: LeaderController | ReplicaController): Part & { readonly kind: Kind } {
  const { kind } = controller;
  return controller.within === undefined ? { kind } : { kind, within: controller.within };
}

/** Those of its own controller and of all that watch it. */
function indexesOver(controllers: readonly Following[], kind: Kind): Readonly<Record<string, AnyIndex<KubeObject>>> {
  const indexes: Record<string, AnyIndex<KubeObject>> = {};
  const named = controllers.flatMap((one): readonly Indexed[] =>
    "sources" in one ? one.sources : [{ kind: one.kind, indexes: one.indexes }, ...(one.watches ?? [])],
  );
  for (const one of named.filter((with_) => resourceName(with_.kind) === resourceName(kind))) {
    for (const [name, index] of Object.entries(one.indexes ?? {})) {
      if (indexes[name] !== undefined && indexes[name] !== index)
        throw new Error(`two indexes over ${resourceName(kind)} are called ${name}`);
      indexes[name] = index;
    }
  }
  return indexes;
}

interface Indexed {
  readonly kind: Kind;
  readonly indexes?: Readonly<Record<string, AnyIndex<KubeObject>>> | undefined;
}
