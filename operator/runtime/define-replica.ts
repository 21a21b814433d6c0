// A controller of which every replica of a pod has one: it opens things in its own process (tunnels, listeners) for what
// the cluster holds. It writes neither a finalizer nor an object, so it needs no Lease; all that it writes is its own entry
// in a status. The runtime asks the drain state for it and tells it what is gone.
import type { Rule } from "#api/rbac.ts";
import type { Release } from "#api/release.ts";
import type { Kind, KubeObject, Ref } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";
import type { Clock } from "#wire/clock.ts";
import type { Cached, Index, ObjectEvent, Watch } from "./define-controller.ts";
import type { Manager } from "./define-manager.ts";

/** What a replica says of an object in `status.replicas`; the runtime adds whose word it is, and of which generation. */
export type EntryOf<T> = T extends { status?: { replicas?: readonly (infer E)[] } }
  ? Omit<E, "pod" | "observedGeneration">
  : never;

/** As for other controllers (define-controller.ts). The entry is written only where it differs from what the cluster shows. */
export type ReplicaOutcome<T extends KubeObject = KubeObject> = { readonly entry?: EntryOf<T> } & (
  | { readonly is: "done" }
  | { readonly is: "wait"; readonly ms: number; readonly reason: string }
  | { readonly is: "stop"; readonly reason: string; readonly hint: string }
  | { readonly is: "failed"; readonly error: unknown }
);

export interface ReplicaContext<H = unknown> {
  /** What this process has open, and that with which it opens more; made by the process's main. */
  readonly hands: H;
  /** Ends with the process. */
  readonly signal: AbortSignal;
  readonly reader: Reader;
  readonly cached: Cached;
  readonly clock: Clock;
  readonly release: Release;
  /** Name of the pod: the key of its entries. */
  readonly pod: string;
  readonly event: (event: ObjectEvent) => void;
}

export interface ReplicaController<T extends KubeObject = KubeObject, H = unknown> {
  /** Also the name in metrics and logs. */
  readonly name: string;
  readonly manager: Manager["name"];
  readonly role: "replica";
  readonly kind: Kind<T>;
  /** Where its objects are looked for; default: in the watched namespace, or in all. */
  readonly within?: Watch["within"];
  readonly watches?: readonly Watch[];
  /** Index functions over the controller's own kind, by name. */
  readonly indexes?: Readonly<Record<string, Index<T>>>;
  readonly rbac: readonly Rule[];
  /** Objects worked on at once, default 1. */
  readonly concurrency?: number;
  /** Under which the entry of this pod is applied, so that no replica's word is another's. */
  fieldManager(pod: string): string;
  /**
   * Makes what is open for the object what its spec wants. Called only while the drain state is Open, never for an object
   * that is being deleted, and never twice at once for one object. What it throws is as `failed`.
   */
  apply(object: T, context: ReplicaContext<H>): Promise<ReplicaOutcome<T>>;
  /**
   * Closes whatever is open for the object: it is being deleted, or gone, or a namesake has taken its place. Called
   * whatever the drain state says, also for objects of which this process knows nothing. Throws to be called again.
   */
  close(at: Ref, context: ReplicaContext<H>): Promise<void>;
  /**
   * Opens again, as it was, what this process had open for the object and has lost since, and nothing else. Called while the
   * drain state is not Open, never for an object that is known to be deleted, never twice at once for one object. Nothing
   * is written, also no entry. What it throws is as `failed`.
   */
  restore?(at: Ref, context: ReplicaContext<H>): Promise<ReplicaOutcome<T>>;
  /** Hears of what the hands find out by themselves (a session is new, a port is free): `again` has one object looked at once more, or all. Returns the end of the listening. */
  listens?(hands: H, again: (at?: Ref) => void): () => void;
}

/** A controller with its hands, as the runtime takes several of different kinds. */
export interface ReplicaWork {
  readonly controller: ReplicaController;
  readonly hands: unknown;
}

export function withHands<T extends KubeObject, H>(controller: ReplicaController<T, H>, hands: H): ReplicaWork {
  // Sound: the runtime hands a controller objects of its own kind, and just these hands.
  return { controller: controller as unknown as ReplicaController, hands };
}

/** Checks what must hold at import, so that a wrong definition never gets as far as a cluster. */
export function defineReplicaController<T extends KubeObject, H>(
  controller: ReplicaController<T, H>,
): ReplicaController<T, H> {
  if (!/^[a-z][a-z-]*$/.test(controller.name))
    throw new Error(`controller ${controller.name}: a name is lower case and -`);
  if (controller.concurrency !== undefined && controller.concurrency < 1)
    throw new Error(`controller ${controller.name}: concurrency is at least 1`);
  const writes = controller.rbac.find(
    ({ part, verbs }) => part === undefined && verbs.some((verb) => !["get", "list", "watch"].includes(verb)),
  );
  if (writes !== undefined)
    throw new Error(`controller ${controller.name}: a replica writes statuses alone, not ${writes.kind.kind}`);
  return controller;
}
