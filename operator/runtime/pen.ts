// The writer as controllers get it: what the server answered is in the cache before the next look at it, and whoever writes
// many objects in one piece of work stops in the middle once nothing may be begun any more.
import type { KubeObject } from "#kube/kind.ts";
import type { Writer } from "#kube/writer.ts";
import { KnownError } from "#wire/errors.ts";
import type { Cache } from "./cache.ts";

/** Code of a write that was not begun: the drain state is not Open, or the term ends. */
export const CLOSED = "Closed";

/** Creations and patches show in the cache at once, as their watch event would show them later. */
export function remembering(writer: Writer, cache: Cache): Writer {
  const put = <T extends KubeObject>(kind: Parameters<typeof cache.has>[0], stored: T): T => {
    if (cache.has(kind)) cache.store(kind).put(stored);
    return stored;
  };
  return {
    ...writer,
    create: async (kind, object, signal) => put(kind, await writer.create(kind, object, signal)),
    patch: async (kind, at, uid, operations, signal) =>
      put(kind, await writer.patch(kind, at, uid, operations, signal)),
    patchStatus: async (kind, at, uid, operations, signal) =>
      put(kind, await writer.patchStatus(kind, at, uid, operations, signal)),
  };
}

/** Throws KnownError gone, code Closed. */
export function refuseUnless(mayBegin: boolean): void {
  if (!mayBegin) throw new KnownError("gone", "nothing is begun any more", { code: CLOSED });
}

/** Asks before each write whether it may be begun; throws KnownError gone, code Closed, when not. */
export function stopping(writer: Writer, mayBegin: () => boolean): Writer {
  const ask = (): void => refuseUnless(mayBegin());
  return {
    create: async (kind, object, signal) => (ask(), await writer.create(kind, object, signal)),
    remove: async (at, signal) => (ask(), await writer.remove(at, signal)),
    patch: async (...args) => (ask(), await writer.patch(...args)),
    patchStatus: async (...args) => (ask(), await writer.patchStatus(...args)),
    addFinalizer: async (...args) => (ask(), await writer.addFinalizer(...args)),
    removeFinalizer: async (...args) => (ask(), await writer.removeFinalizer(...args)),
  };
}
