// The one writer of finalizers: guarded JSON patches that never touch a stranger's entry.
//
// What is guaranteed: a patch applies only to the object that was decided about (its uid is tested), removes only an
// entry that is ours and still stands where it was seen (tested at its index), and takes only a stamp that still names us.
// Whatever changed in between makes the server refuse the whole patch; then we read again and decide anew.
import { isClass, KnownError } from "#wire/errors.ts";
import type { Fence } from "#wire/fence.ts";
import type { Connection } from "./connection.ts";
import { ABSENT } from "./discovery.ts";
import { DELETING } from "./errors.ts";
import { keyOf, refOf, resourceName, type Kind, type KubeObject, type Seen, type Target } from "./kind.ts";
import { objectPath, pointerStep } from "./paths.ts";
import { reader, versionFor } from "./reader.ts";
import type { JsonPatchOperation } from "./writer.ts";

/** What marks an object as held by an install: its finalizer, and the owner that the stamp names. */
export interface Claim {
  /** The finalizer to add. */
  readonly finalizer: string;
  /** All entries that are ours: each goes when the claim is taken off. */
  readonly finalizers: readonly string[];
  /** The annotation that names the owner. */
  readonly stamp: string;
  /** Its value, `<release namespace>/<release>`. */
  readonly owner: string;
}

/** Each attempt read the object anew: somebody changes it faster than we can read and write. */
const ATTEMPTS = 8;

/** The patch that takes the claim off, without its test of the uid; undefined when nothing of ours is there. Pure. */
export function planRemoval(seen: Seen, claim: Claim, stamp: "off" | "stays"): JsonPatchOperation[] | undefined {
  const owner = seen.annotations?.[claim.stamp];
  if (owner !== undefined && owner !== claim.owner) return undefined;
  const ours = (seen.finalizers ?? []).flatMap((entry, index) =>
    claim.finalizers.includes(entry) ? [{ entry, index }] : [],
  );
  if (ours.length === 0) return undefined;
  const tests: JsonPatchOperation[] = ours.map(({ entry, index }) => ({
    op: "test",
    path: `/metadata/finalizers/${index}`,
    value: entry,
  }));
  // From the last one backwards, so that the indexes of the rest stay what was tested.
  const removals: JsonPatchOperation[] = ours.toReversed().map(({ index }) => ({
    op: "remove",
    path: `/metadata/finalizers/${index}`,
  }));
  if (owner !== undefined) {
    tests.push({ op: "test", path: stampPath(claim), value: claim.owner });
    if (stamp === "off") removals.push({ op: "remove", path: stampPath(claim) });
  }
  return [...tests, ...removals];
}

/**
 * The patch that adds what the claim lacks, without its test of the uid; undefined when both are there. Pure.
 * Throws KnownError: gone (code "Deleting") for an object that is being deleted, invalid (code "Claimed") for one that
 * another install holds.
 */
export function planClaim(object: KubeObject, claim: Claim): JsonPatchOperation[] | undefined {
  const { finalizers, annotations, deletionTimestamp } = object.metadata;
  const owner = annotations?.[claim.stamp];
  if (owner !== undefined && owner !== claim.owner) throw claimed(object, claim, owner);
  const held = finalizers?.some((entry) => claim.finalizers.includes(entry)) === true;
  if (held && owner === claim.owner) return undefined;
  if (deletionTimestamp !== undefined && !held) throw deleting(object);
  const operations: JsonPatchOperation[] = [];
  if (!held) {
    // A test against null passes only while there are none: `add` would otherwise replace what a stranger just added.
    const seen = finalizers ?? null;
    operations.push({ op: "test", path: "/metadata/finalizers", value: seen });
    operations.push(
      seen === null
        ? { op: "add", path: "/metadata/finalizers", value: [claim.finalizer] }
        : { op: "add", path: "/metadata/finalizers/-", value: claim.finalizer },
    );
  }
  if (owner === undefined) {
    if (annotations === undefined) {
      operations.push({ op: "test", path: "/metadata/annotations", value: null });
      operations.push({ op: "add", path: "/metadata/annotations", value: { [claim.stamp]: claim.owner } });
    } else {
      operations.push({ op: "test", path: stampPath(claim), value: null });
      operations.push({ op: "add", path: stampPath(claim), value: claim.owner });
    }
  }
  return operations;
}

/**
 * The object as it is created by whoever holds it from the first moment. Pure. Throws KnownError invalid (code "Claimed")
 * for one that names another owner already.
 */
export function withClaim<T extends KubeObject>(object: T, claim: Claim): T {
  const { finalizers = [], annotations } = object.metadata;
  const owner = annotations?.[claim.stamp];
  if (owner !== undefined && owner !== claim.owner) throw claimed(object, claim, owner);
  const held = finalizers.some((entry) => claim.finalizers.includes(entry));
  return {
    ...object,
    metadata: {
      ...object.metadata,
      annotations: { ...annotations, [claim.stamp]: claim.owner },
      finalizers: held ? finalizers : [...finalizers, claim.finalizer],
    },
  };
}

/** See Writer.removeFinalizer. */
export async function removeFinalizer(
  connection: Connection,
  fence: Fence,
  at: Target,
  claim: Claim,
  stamp: "off" | "stays",
  signal: AbortSignal,
): Promise<"removed" | "absent" | "gone"> {
  const version = await versionFor(connection, at.kind, signal);
  if (version === ABSENT) return "gone";
  let seen: Seen | undefined = at.seen;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (seen === undefined) {
      const object: KubeObject | undefined = await reader(connection).get(at.kind, at.ref, signal);
      if (object === undefined || object.metadata.uid !== at.uid) return "gone";
      seen = object.metadata;
    }
    const operations = planRemoval(seen, claim, stamp);
    if (operations === undefined) {
      // What was seen in a list may be old: nothing is called absent that was not just read.
      if (seen !== at.seen) return "absent";
      seen = undefined;
      continue;
    }
    try {
      await sendPatch(connection, fence, at.kind, version, at, operations, signal, { discard: true });
      return "removed";
    } catch (error) {
      if (isClass(error, "gone") && error.status === 404) return "gone";
      if (!isClass(error, "conflict")) throw error;
      seen = undefined;
    }
  }
  throw contended(at);
}

/** See Writer.addFinalizer. */
export async function addFinalizer<T extends KubeObject>(
  connection: Connection,
  fence: Fence,
  kind: Kind<T>,
  object: T,
  claim: Claim,
  signal: AbortSignal,
): Promise<T> {
  const version = await versionFor(connection, kind, signal);
  const uid = object.metadata.uid ?? "";
  const at = { kind, ref: refOf(object), uid };
  let current = object;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const operations = planClaim(current, claim);
    if (operations === undefined) return current;
    try {
      return await guardedPatch(connection, fence, kind, version, at, operations, signal);
    } catch (error) {
      if (!isClass(error, "conflict")) throw error;
    }
    const read = await reader(connection).get(kind, at.ref, signal);
    if (read === undefined || read.metadata.uid !== uid) throw vanished(at);
    current = read;
  }
  throw contended(at);
}

/** An object, or only its status. */
type Patched = Pick<Target, "ref" | "uid"> & { readonly part?: "status" };

/** A JSON patch that applies to the object with this uid and to no namesake. Conflicts throw class conflict. */
export async function guardedPatch<T extends KubeObject>(
  connection: Connection,
  fence: Fence,
  kind: Kind<T>,
  version: string,
  at: Patched,
  operations: readonly JsonPatchOperation[],
  signal: AbortSignal,
): Promise<T> {
  return (await sendPatch(connection, fence, kind, version, at, operations, signal, { discard: false })) as T;
}

/** Thousands of finalizers go in a drain, and nobody looks at the objects that the server answers with. */
async function sendPatch(
  connection: Connection,
  fence: Fence,
  kind: Kind,
  version: string,
  at: Patched,
  operations: readonly JsonPatchOperation[],
  signal: AbortSignal,
  { discard }: { readonly discard: boolean },
): Promise<unknown> {
  const uid: JsonPatchOperation = { op: "test", path: "/metadata/uid", value: at.uid };
  return await connection.request({
    method: "PATCH",
    path: `${objectPath(kind, version, at.ref)}${at.part === undefined ? "" : `/${at.part}`}`,
    contentType: "application/json-patch+json",
    body: [uid, ...operations],
    signal,
    fence,
    discard,
  });
}

function stampPath(claim: Claim): string {
  return `/metadata/annotations/${pointerStep(claim.stamp)}`;
}

function claimed(object: KubeObject, claim: Claim, owner: string): KnownError {
  const name = `${object.kind ?? "object"} ${keyOf(refOf(object))}`;
  return new KnownError("invalid", `${name} belongs to the install ${owner}`, {
    code: "Claimed",
    hint: `If that install is gone for good, remove the annotation ${claim.stamp}.`,
  });
}

function deleting(object: KubeObject): KnownError {
  return new KnownError("gone", `${object.kind ?? "object"} ${keyOf(refOf(object))} is being deleted`, {
    code: DELETING,
  });
}

function vanished(at: Target): KnownError {
  return new KnownError("gone", `${resourceName(at.kind)} ${keyOf(at.ref)} is not there any more`, {
    code: "NotFound",
    status: 404,
  });
}

function contended(at: Target): KnownError {
  return new KnownError(
    "conflict",
    `${resourceName(at.kind)} ${keyOf(at.ref)} changed ${ATTEMPTS} times while we decided`,
    {
      code: "Conflict",
      hint: "Some controller or GitOps tool rewrites this object all the time: see its managedFields.",
    },
  );
}
