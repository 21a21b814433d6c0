// Statuses by server-side apply: each writer owns its own fields and can neither erase nor fight over another's. No write
// token is needed: agents and forwarders patch statuses too.
import type { Connection } from "./connection.ts";
import type { Kind, KubeObject, Ref } from "./kind.ts";
import { apiVersionOf, objectPath } from "./paths.ts";
import { versionFor } from "./reader.ts";

/**
 * Makes `status` the whole of what `fieldManager` says in the object's status; fields that it said before and leaves out
 * now go, fields of others stay. With `uid`, a namesake is not touched (KnownError conflict). Returns the object.
 * Throws KnownError: gone when it is not there, conflict, transient, throttled, invalid.
 */
export async function applyStatus<T extends KubeObject>(
  connection: Connection,
  kind: Kind<T>,
  at: Ref & { readonly uid?: string | undefined },
  status: object,
  fieldManager: string,
  signal: AbortSignal,
): Promise<T> {
  const version = await versionFor(connection, kind, signal);
  const { name, namespace, uid } = at;
  return (await connection.request({
    method: "PATCH",
    path: `${objectPath(kind, version, at)}/status`,
    query: { fieldManager, force: true },
    contentType: "application/apply-patch+yaml",
    body: {
      apiVersion: apiVersionOf(kind, version),
      kind: kind.kind,
      metadata: { name, ...(namespace === undefined ? {} : { namespace }), ...(uid === undefined ? {} : { uid }) },
      status,
    },
    signal,
  })) as T;
}
