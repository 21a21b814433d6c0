// Every write that needs the write token: creations, deletions, patches, finalizers. Nothing else in the product writes
// objects (statuses, events, the mark and the Lease itself have files of their own).
import { isClass, KnownError } from "#wire/errors.ts";
import type { Fence } from "#wire/fence.ts";
import type { Connection } from "./connection.ts";
import { ABSENT } from "./discovery.ts";
import { addFinalizer, guardedPatch, removeFinalizer, type Claim } from "./finalizer.ts";
import { resourceName, type Kind, type KubeObject, type Ref, type Target } from "./kind.ts";
import { apiVersionOf, listPath, objectPath } from "./paths.ts";
import { versionFor } from "./reader.ts";

export interface JsonPatchOperation {
  readonly op: "test" | "add" | "remove" | "replace";
  readonly path: string;
  readonly value?: unknown;
}

export interface Writer {
  /** Creates and returns what the server stored. AlreadyExists is a KnownError of class conflict, code "AlreadyExists". */
  create<T extends KubeObject>(kind: Kind<T>, object: T, signal: AbortSignal): Promise<T>;
  /**
   * DELETE with the uid as precondition. "gone" when it (or a namesake with another uid) is not ours to delete any more.
   * With a resourceVersion that one must be right too; "changed" when something is not, and nothing is deleted then.
   */
  remove(at: Target, signal: AbortSignal, resourceVersion?: string): Promise<"deleted" | "gone" | "changed">;
  /** A JSON patch guarded by a test of the uid; conflicts (409, 422 of a test) throw class conflict. */
  patch<T extends KubeObject>(
    kind: Kind<T>,
    at: Ref,
    uid: string,
    operations: readonly JsonPatchOperation[],
    signal: AbortSignal,
  ): Promise<T>;
  /** The same of the status, for what nobody else takes out of it any more. */
  patchStatus<T extends KubeObject>(
    kind: Kind<T>,
    at: Ref,
    uid: string,
    operations: readonly JsonPatchOperation[],
    signal: AbortSignal,
  ): Promise<T>;
  /**
   * Finalizer and stamp in one guarded patch; returns the object with both, unchanged when both were there. Throws
   * KnownError gone (code "Deleting") when it is being deleted, invalid (code "Claimed") when another install holds it.
   */
  addFinalizer<T extends KubeObject>(kind: Kind<T>, object: T, claim: Claim, signal: AbortSignal): Promise<T>;
  /**
   * Takes every finalizer of the claim off; the stamp goes or stays. One PATCH when the Target carries what was `seen`.
   * "gone" when the object is not there any more (a namesake with another uid counts as gone), "absent" when no entry of
   * ours was on it, or its stamp names another install.
   */
  removeFinalizer(
    at: Target,
    claim: Claim,
    stamp: "off" | "stays",
    signal: AbortSignal,
  ): Promise<"removed" | "absent" | "gone">;
}

/** The fence is asked for each write as its bytes leave. */
export function writer(connection: Connection, fence: Fence): Writer {
  return {
    create: async (kind, object, signal) => await create(connection, fence, kind, object, signal),
    remove: async (at, signal, resourceVersion) => await remove(connection, fence, at, signal, resourceVersion),
    patch: async (kind, at, uid, operations, signal) => {
      const version = await servedVersion(connection, kind, signal);
      return await guardedPatch(connection, fence, kind, version, { ref: at, uid }, operations, signal);
    },
    patchStatus: async (kind, at, uid, operations, signal) => {
      const version = await servedVersion(connection, kind, signal);
      return await guardedPatch(connection, fence, kind, version, { ref: at, uid, part: "status" }, operations, signal);
    },
    addFinalizer: async (kind, object, claim, signal) =>
      await addFinalizer(connection, fence, kind, object, claim, signal),
    removeFinalizer: async (at, claim, stamp, signal) =>
      await removeFinalizer(connection, fence, at, claim, stamp, signal),
  };
}

async function create<T extends KubeObject>(
  connection: Connection,
  fence: Fence,
  kind: Kind<T>,
  object: T,
  signal: AbortSignal,
): Promise<T> {
  const version = await servedVersion(connection, kind, signal);
  return (await connection.request({
    method: "POST",
    path: listPath(kind, version, object.metadata.namespace),
    body: { ...object, apiVersion: apiVersionOf(kind, version), kind: kind.kind },
    signal,
    fence,
  })) as T;
}

async function remove(
  connection: Connection,
  fence: Fence,
  at: Target,
  signal: AbortSignal,
  resourceVersion?: string,
): Promise<"deleted" | "gone" | "changed"> {
  const version = await versionFor(connection, at.kind, signal);
  if (version === ABSENT) return "gone";
  try {
    await connection.request({
      method: "DELETE",
      path: objectPath(at.kind, version, at.ref),
      body: {
        apiVersion: "v1",
        kind: "DeleteOptions",
        preconditions: { uid: at.uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
        propagationPolicy: "Background",
      },
      signal,
      fence,
      discard: true,
    });
    return "deleted";
  } catch (error) {
    if (isClass(error, "conflict") && resourceVersion !== undefined) return "changed";
    // Where the only precondition is the uid, a conflict means that a namesake took the place.
    if (isClass(error, "gone", "conflict")) return "gone";
    throw error;
  }
}

async function servedVersion(connection: Connection, kind: Kind, signal: AbortSignal): Promise<string> {
  const version = await versionFor(connection, kind, signal);
  if (version !== ABSENT) return version;
  throw new KnownError("gone", `the server does not serve ${resourceName(kind)}`, { status: 404, code: "NotFound" });
}
