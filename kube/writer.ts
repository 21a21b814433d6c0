// Every write that needs the write token: creations, deletions, patches, finalizers. Nothing else in the product writes
// objects (statuses, events, the mark and the Lease itself have files of their own).
import type { Claim } from "./finalizer.ts";
import type { Kind, KubeObject, Ref, Target } from "./kind.ts";

export interface JsonPatchOperation {
  readonly op: "test" | "add" | "remove" | "replace";
  readonly path: string;
  readonly value?: unknown;
}

export interface Writer {
  /** Creates and returns what the server stored. AlreadyExists is a KnownError of class conflict, code "AlreadyExists". */
  create<T extends KubeObject>(kind: Kind<T>, object: T, signal: AbortSignal): Promise<T>;
  /** DELETE with the uid as precondition. "gone" when it (or a namesake with another uid) is not ours to delete any more. */
  remove(at: Target, signal: AbortSignal): Promise<"deleted" | "gone">;
  /** A JSON patch guarded by a test of the uid; conflicts (409, 422 of a test) throw class conflict. */
  patch<T extends KubeObject>(
    kind: Kind<T>,
    at: Ref,
    uid: string,
    operations: readonly JsonPatchOperation[],
    signal: AbortSignal,
  ): Promise<T>;
  /** Finalizer and stamp in one guarded patch; returns the object with both, unchanged when both were there. */
  addFinalizer<T extends KubeObject>(kind: Kind<T>, object: T, claim: Claim, signal: AbortSignal): Promise<T>;
  /**
   * Takes every finalizer of the claim off; the stamp goes or stays. "gone" when the object is not there any more
   * (a namesake with another uid counts as gone), "absent" when no entry of ours was on it.
   */
  removeFinalizer(
    at: Target,
    claim: Claim,
    stamp: "off" | "stays",
    signal: AbortSignal,
  ): Promise<"removed" | "absent" | "gone">;
}
