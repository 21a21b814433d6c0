// A controller of what several objects make together, a host for instance: it works on keys, not on objects, and holds
// none of them. What it makes is claimed by the controllers of those kinds. Everything else is promised as for any other:
// no key is worked on while the drain state is not Open, and no write leaves once it is not.
import type { Feature, Rule } from "#api/rbac.ts";
import type { Release } from "#api/release.ts";
import type { Kind, KubeObject, Ref } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";
import type { Writer } from "#kube/writer.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import type { Clock } from "#wire/clock.ts";
import type { AnyIndex, Change } from "./cache.ts";
import type { Cached, ObjectEvent, Part } from "./define-controller.ts";
import type { Manager } from "./define-manager.ts";
import type { Options } from "./options.ts";

/** What a key came to. `failed`: the class of the error decides when it comes again. */
export type KeyOutcome =
  | { readonly is: "done" }
  | { readonly is: "wait"; readonly ms: number; readonly reason: string }
  | { readonly is: "failed"; readonly error: unknown };

export interface KeyContext {
  /** Ends with the write token. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly reader: Reader;
  /** Refuses (KnownError gone, code "Closed") once the drain state is not Open or the term ends; the work is then over. */
  readonly writer: Writer;
  /** Undefined without an API key. */
  readonly ngrok: NgrokPort | undefined;
  /**
   * Makes `status` the controller's whole part of the object's status, beside what others say in it; refuses as the writer
   * does.
   */
  readonly show: (kind: Kind, object: KubeObject, status: object) => Promise<void>;
  readonly release: Release;
  readonly clusterWide: boolean;
  readonly options: Options;
  readonly cached: Cached;
  /**
   * Whether objects of these kinds may be removed because they are not wanted any more: not while one of the kinds is
   * going as a whole, since then what is missing is missing for another reason.
   */
  readonly mayRemove: (kinds: readonly Kind[]) => Promise<boolean>;
  readonly event: (kind: Kind, object: KubeObject, event: ObjectEvent) => void;
  /**
   * Does the work when nobody else is at the object: several keys may come to write one, and who comes second has to see
   * what the first has written.
   */
  readonly inTurn: (kind: Kind, at: Ref, work: () => Promise<void>) => Promise<void>;
}

export interface Seen<T extends KubeObject = KubeObject> extends Change<T> {
  /** Nothing has changed: it is one of the objects that are there at the start. */
  readonly first: boolean;
}

/** A kind that is read from the cache, and the keys that a change of it concerns. */
export interface Source<T extends KubeObject = KubeObject> extends Part<T> {
  readonly kind: Kind<T>;
  /** Watched only while this feature is on; `cached.has` tells whether it is. */
  readonly when?: Feature;
  readonly indexes?: Readonly<Record<string, AnyIndex<T>>>;
  keys(seen: Seen<T>, cached: Cached): readonly string[];
}

/** Keeps the type of the kind while the list holds sources of several kinds. */
export function source<T extends KubeObject>(from: Source<T>): Source {
  return from as unknown as Source;
}

export interface KeyedController {
  /** Also the name in metrics and logs. */
  readonly name: string;
  readonly manager: Manager["name"];
  readonly role: "leader";
  /** Runs while one of these features is on; default: always. */
  readonly when?: readonly Feature[];
  readonly sources: readonly Source[];
  readonly rbac: readonly Rule[];
  /** Keys worked on at once, default 1. */
  readonly concurrency?: number;
  apply(key: string, context: KeyContext): Promise<KeyOutcome>;
}

/** Checks what must hold at import, so that a wrong definition never gets as far as a cluster. */
export function defineKeyed(controller: KeyedController): KeyedController {
  if (!/^[a-z][a-z-]*$/.test(controller.name))
    throw new Error(`controller ${controller.name}: a name is lower case and -`);
  return controller;
}
