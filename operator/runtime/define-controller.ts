// A controller as a definition: what it reconciles, what wakes it, what it may do, and the two functions that do it.
// The runtime around it keeps the promises (claim before work, gate, hold, backoff); the definition only decides.
import type { Finding } from "#api/conditions.ts";
import type { CommonStatus } from "#api/define-kind.ts";
import type { Feature, Rule, Scope } from "#api/rbac.ts";
import { claimOf, type OwnClaim } from "#api/keys.ts";
import type { Release } from "#api/release.ts";
import type { Undone, UndoHands } from "#drain/hands.ts";
import type { Kind, KubeObject, Ref } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";
import type { Writer } from "#kube/writer.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import type { Clock } from "#wire/clock.ts";
import type { Dial } from "#wire/dial.ts";
import type { Aside } from "./beside.ts";
import type { AnyIndex } from "./cache.ts";
import type { KeyedController } from "./define-keyed.ts";
import type { Manager } from "./define-manager.ts";
import type { NamedPart } from "./names-in-order.ts";
import type { Options } from "./options.ts";

/** The status of a kind; of one that has none, nothing. */
type StatusOf<T> = T extends { status?: infer S } ? NonNullable<S> : object;

/**
 * Our part of a status as the controller sees it, whole: what an earlier write held and this one does not is dropped.
 * Times and generations are the runtime's business. A condition type that is not found here goes.
 */
export interface Shown<T extends KubeObject> {
  readonly fields: Omit<StatusOf<T>, keyof CommonStatus>;
  readonly findings: readonly Finding[];
}

export interface Told<T extends KubeObject> {
  /** Written only where it differs from what the cluster shows. */
  readonly shown?: Shown<T>;
  /** In place of `shown`, for a kind that is not ours: these fields of its status as they are to be, and no others. */
  readonly status?: Partial<StatusOf<T>>;
  /** What the remote side holds now, as text; `context.unchanged` compares with it, so that nobody has to look there again. */
  readonly sent?: string;
}

/**
 * - done: nothing more to do until something changes.
 * - wait: come again after `ms`; an ordinary state, no error.
 * - stop: only a person's change helps; a change of the object or of something watched wakes it.
 * - failed: the class of the error decides when to come again.
 */
export type Outcome<T extends KubeObject = KubeObject> = Told<T> &
  (
    | { readonly is: "done" }
    | { readonly is: "wait"; readonly ms: number; readonly reason: string }
    | { readonly is: "stop"; readonly reason: string; readonly hint: string }
    | { readonly is: "failed"; readonly error: unknown }
  );

export function done<T extends KubeObject>(told: Told<T> = {}): Outcome<T> {
  return { is: "done", ...told };
}

export function wait<T extends KubeObject>(ms: number, reason: string, told: Told<T> = {}): Outcome<T> {
  return { is: "wait", ms, reason, ...told };
}

export function stop<T extends KubeObject>(reason: string, hint: string, told: Told<T> = {}): Outcome<T> {
  return { is: "stop", reason, hint, ...told };
}

export function failed<T extends KubeObject>(error: unknown, told: Told<T> = {}): Outcome<T> {
  return { is: "failed", error, ...told };
}

/** What the watches hold in memory; it may lag behind the server. */
export interface Cached {
  get<T extends KubeObject>(kind: Kind<T>, at: Ref): T | undefined;
  /** The objects for which the index function of that name gave this value. */
  by<T extends KubeObject>(kind: Kind<T>, index: string, value: string): readonly T[];
  /** What objects of the kind name together in that group, each part by itself and in order (names-in-order.ts). */
  inOrder(kind: Kind, index: string, group: string): readonly NamedPart[];
  /** All of a kind, in no order. */
  all<T extends KubeObject>(kind: Kind<T>): Iterable<T>;
  /** Whether the store shows a whole list; always, but for a kind that is done without where it may not be read. */
  isWhole(kind: Kind): boolean;
  /** Whether anybody watches the kind, with that index over it; asking for another is a mistake. */
  has(kind: Kind, index?: string): boolean;
}

/** The values under which an object is found. Written as a method, so that controllers of several kinds fit into one list. */
export type Index<T extends KubeObject> = { valuesOf(object: T): readonly string[] }["valuesOf"];

/**
 * An event about the object at hand. Repeats are counted, never sent one by one: a Normal one of a reason that was told
 * already, and a Warning that says the same. With another note it is other news: a person has mended one mistake and made the
 * next, and looks there.
 */
export interface ObjectEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly note: string;
  readonly action?: string;
  /** A Warning that is a repeat with any note: what passes by itself is worded in many ways. */
  readonly byReason?: true;
}

/** What a process knows of its install from its start. */
export interface Install {
  readonly release: Release;
  /** Whether there are rights outside the namespaces (`rbac.cluster`): what is known to be refused is not asked. */
  readonly clusterWide: boolean;
  readonly options: Options;
}

/** What decides whose an object is, where that is not in the object alone. */
export interface Surroundings extends Install {
  readonly cached: Cached;
}

export interface Context extends Surroundings {
  /** Ends with the write token and on SIGTERM. */
  readonly signal: AbortSignal;
  readonly reader: Reader;
  readonly writer: Writer;
  /** Undefined without an API key. */
  readonly ngrok: NgrokPort | undefined;
  readonly clock: Clock;
  /**
   * now: finalizer and stamp were put on in this hold of the Lease, which has begun nothing since, so nothing of ours can be at
   * ngrok yet; or the manifest brought them along, and nothing was ever said of the object.
   * before: they stood there already, or something was begun; without an id in the status a create may have been lost, so look
   * before creating.
   */
  readonly claimed: "now" | "before";
  /** On `clock`, when this hold of the Lease first came to the object: what passes in a moment need not be told in it. */
  readonly metAt: number;
  /** Of this instant or later a list at ngrok has to be, to show what was made for the object and then forgotten. */
  readonly asOf: number;
  /**
   * Whether the last outcome said that it had sent just this; never after a start, so the remote side is read once then, nor
   * when somebody has annotated the object since, where its kind is ours.
   */
  readonly unchanged: (sent: string) => boolean;
  /** Said right before the remote side is changed; of a kind of ours the runtime tells how it ended (Created, UpdateError, ...). */
  readonly begin: (action: "create" | "update") => Promise<void>;
  readonly event: (event: ObjectEvent) => void;
  /** Into the cluster, from this pod. */
  readonly dial: Dial;
  /**
   * What slow work has come to, undefined until it has: it is done beside the queue, and the object comes again when there
   * is something new. One piece of work an object.
   */
  readonly beside: <R>(aside: Aside<R>) => R | undefined;
}

/** An undo's hands, and what the watches hold. */
export type CleanupHands = UndoHands & Pick<Surroundings, "cached" | "clusterWide">;

/** Of a kind that is large and mostly of no use: the objects to watch, and what of each to keep in memory. */
export interface Part<T extends KubeObject = KubeObject> {
  /** In which namespaces, default `watch`; `cluster` is all of them, as far as there are rights. */
  readonly within?: Scope;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  /** Where it may not be read it is done without; `isWhole` of the cache tells. */
  readonly dispensable?: true;
  readonly keeps?: (object: T) => T;
}

export interface WatchOptions<T extends KubeObject = KubeObject> extends Part<T> {
  /** Over the watched kind, beside those of its own controller: a name means one function a kind. */
  readonly indexes?: Readonly<Record<string, AnyIndex<T>>>;
  /** A change of nothing else concerns nobody. */
  readonly ignores?: "status";
  /** Whether a change concerns anybody, where less than the whole is looked at; default: always. */
  isNews?(before: T, after: T): boolean;
}

export interface Watch<T extends KubeObject = KubeObject> extends WatchOptions<T> {
  readonly kind: Kind<T>;
  /** The objects of the controller that the object concerns; asked for both states of a changed one. */
  keys(object: T, cached: Cached): readonly Ref[];
}

/** Keeps the type of the watched kind while the list holds watches of several kinds. */
export function watching<T extends KubeObject>(
  kind: Kind<T>,
  keys: Watch<T>["keys"],
  indexes: Readonly<Record<string, AnyIndex<T>>> = {},
  more: Omit<WatchOptions<T>, "indexes"> = {},
): Watch {
  return { ...more, kind, keys, indexes } as unknown as Watch;
}

export interface LeaderController<T extends KubeObject = KubeObject> {
  /** Also the name in metrics and logs. */
  readonly name: string;
  readonly manager: Manager["name"];
  readonly role: "leader";
  readonly kind: Kind<T>;
  /** Runs only while this feature is on. */
  readonly when?: Feature;
  /** Where its objects are looked for; default: in the watched namespace, or in all. */
  readonly within?: Scope;
  readonly watches?: readonly Watch[];
  /** Index functions over the controller's own kind, by name. */
  readonly indexes?: Readonly<Record<string, AnyIndex<T>>>;
  readonly rbac: readonly Rule[];
  /** Objects worked on at once, default 1. */
  readonly concurrency?: number;
  /** Whether finalizer and stamp belong on the object; default: when there is a cleanup. One that must not have them loses them. */
  claims?(object: T, around: Surroundings): boolean;
  /**
   * What this install makes of the kind comes with finalizer and stamp, one write less. Not where the claim is the note
   * that something at ngrok may have been begun: an undo without an id would take another's for it.
   */
  readonly bornClaimed?: true;
  /** The one object that has to exist although nobody writes it, and how it is made; undefined: somebody does write it. */
  readonly makes?: { at(release: Release): Ref; object(release: Release, options: Options): T | undefined };
  /** What else of a change of its object it has to hear of: what others write into the status, for one. */
  hears?(before: T, after: T): boolean;
  /** Which finalizer and stamp; default: those of every object of ours. */
  claim?(release: Release): OwnClaim;
  /** Objects of the kind that this install does not reconcile at all; default: all are ours. */
  serves?(object: T, around: Surroundings): boolean;
  apply(object: T, context: Context): Promise<Outcome<T>>;
  /** What we made for the object is unmade. Throws when it cannot know: then the finalizer stays. */
  cleanup?(object: T, hands: CleanupHands, release: Release, signal: AbortSignal): Promise<Undone>;
  /** A user's object may stay and ask for nothing of ours any more: then it is cleaned up as if it went. */
  readonly letsGo?: boolean;
  /**
   * What is left of our part of the status on one that is let go and stays; none: it stands as it is. Written before the claim
   * goes: of one that is free nobody can tell which install's word it is.
   */
  takesBack?(object: T): Pick<Outcome<T>, "status">;
  /** Its status holds a list that several controllers write whole: written only over the very state that was looked at. */
  readonly statusIsShared?: boolean;
  /** Parts of the status that somebody else writes (the drain its own): never applied, never compared. */
  readonly leaves?: { readonly fields: readonly string[]; readonly conditions: readonly string[] };
}

/** Whatever works under the write token. */
export type Controller = LeaderController | KeyedController;

/** Those of the features that are on, and of what they watch the same; of the others what keeps objects from being stuck. */
export function enabled(controllers: readonly Controller[], features: readonly Feature[]): readonly Controller[] {
  const isOn = (when: Feature | readonly Feature[] | undefined): boolean =>
    when === undefined || [when].flat().some((one) => features.includes(one));
  return controllers.flatMap((one): readonly Controller[] => {
    if (!isOn(one.when)) return "sources" in one ? [] : lettingGo(one);
    return ["sources" in one ? { ...one, sources: one.sources.filter(({ when }) => isOn(when)) } : one];
  });
}

/**
 * A user's object that was held while the feature was on is let go, where its kind may be watched: at once where our stamp
 * says who holds it; where nothing does, as it is deleted, unless others write the same finalizer.
 */
function lettingGo(controller: LeaderController): readonly LeaderController[] {
  const mayWatch = controller.rbac.some(
    ({ kind, verbs, when }) => kind === controller.kind && verbs.includes("watch") && when === undefined,
  );
  if (controller.letsGo !== true || !mayWatch) return [];
  const isOursAlone = controller.claim === undefined;
  return [
    {
      ...controller,
      watches: [],
      claims: () => false,
      serves({ metadata: { annotations, deletionTimestamp } }, { release }) {
        const { stamp, owner } = controller.claim?.(release) ?? claimOf(release);
        const holder = annotations?.[stamp];
        return holder === owner || (isOursAlone && deletionTimestamp !== undefined);
      },
      // There is nothing to say of an object of which nothing is ours any more, nor the right to: it went with the feature.
      apply: () => Promise.resolve(done()),
      takesBack: () => ({}),
    },
  ];
}

/** Checks what must hold at import, so that a wrong definition never gets as far as a cluster. */
export function defineController<T extends KubeObject>(controller: LeaderController<T>): LeaderController<T> {
  if (!/^[a-z][a-z-]*$/.test(controller.name))
    throw new Error(`controller ${controller.name}: a name is lower case and -`);
  if (controller.concurrency !== undefined && controller.concurrency < 1) {
    throw new Error(`controller ${controller.name}: concurrency is at least 1`);
  }
  return controller;
}

/** Whether finalizer and stamp belong on the object. */
export function claims<T extends KubeObject>(
  controller: LeaderController<T>,
  object: T,
  around: Surroundings,
): boolean {
  return controller.claims?.(object, around) ?? controller.cleanup !== undefined;
}
