// Statuses by server-side apply: each writer owns its own fields and can neither erase nor fight over another's. No write
// token is needed: agents and forwarders patch statuses too.
import { KnownError } from "#wire/errors.ts";
import type { Connection } from "./connection.ts";
import { keyOf, resourceName, type Kind, type KubeObject, type Ref } from "./kind.ts";
import { apiVersionOf, objectPath } from "./paths.ts";
import { versionFor } from "./reader.ts";

/**
 * Makes `status` the whole of what `fieldManager` says in the object's status; fields that it said before and leaves out
 * now go, fields of others stay. Returns the object. Throws KnownError: gone when it is not there, conflict when `uid` was
 * given and a namesake is there, transient, throttled, invalid.
 */
export async function applyStatus<T extends KubeObject>(
  connection: Connection,
  kind: Kind<T>,
  at: Ref & { readonly uid?: string | undefined },
  status: object,
  fieldManager: string,
  signal: AbortSignal,
): Promise<T> {
  const stored = await apply(connection, kind, at, status, fieldManager, signal);
  if (at.uid === undefined || stored.metadata.uid === at.uid) return stored;
  // The API server ignores metadata.uid in a status apply: a namesake got what was meant for the object before it, its
  // remote id perhaps. Taken back; the namesake's own reconcile says what is true of it.
  await apply(connection, kind, at, {}, fieldManager, signal);
  throw new KnownError("conflict", `${resourceName(kind)} ${keyOf(at)} was made anew meanwhile`, { code: "Conflict" });
}

async function apply<T extends KubeObject>(
  connection: Connection,
  kind: Kind<T>,
  at: Ref,
  status: object,
  fieldManager: string,
  signal: AbortSignal,
): Promise<T> {
  const version = await versionFor(connection, kind, signal);
  const { name, namespace } = at;
  return (await connection.request({
    method: "PATCH",
    path: `${objectPath(kind, version, at)}/status`,
    query: { fieldManager, force: true },
    contentType: "application/apply-patch+yaml",
    body: {
      apiVersion: apiVersionOf(kind, version),
      kind: kind.kind,
      metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
      status,
    },
    signal,
  })) as T;
}
