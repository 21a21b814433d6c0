// The write of a status: server-side apply of our own fields, and once, after an upgrade from a release that wrote statuses
// whole, the removal of what that release left and nobody would ever take away.
import { type CommonStatus, isOwnKind, type OwnObject } from "#api/define-kind.ts";
import type { Connection } from "#kube/connection.ts";
import { type Kind, type KubeObject, type Ref, refOf } from "#kube/kind.ts";
import { objectPath } from "#kube/paths.ts";
import { versionFor } from "#kube/reader.ts";
import { applyStatus } from "#kube/status.ts";
import type { LeaderController } from "./define-controller.ts";

/** Who writes the statuses: the controllers' fields, apart from the drain's. */
export const FIELD_MANAGER = "ngrok-operator";

/** Makes `status` our whole part of the object's status; returns the object as stored. */
export async function writeStatus<T extends KubeObject>(
  connection: Connection,
  kind: Kind<T>,
  object: T,
  status: object,
  leaves: LeaderController["leaves"],
  signal: AbortSignal,
): Promise<T> {
  const at = { ...refOf(object), uid: object.metadata.uid };
  const stored = await applyStatus(connection, kind, at, status, FIELD_MANAGER, signal);
  if (!isOwnKind(kind)) return stored;
  const left = leftovers((stored as OwnObject).status, status, leaves);
  if (left === undefined) return stored;
  const { uid, resourceVersion } = stored.metadata;
  return await mergeStatus(connection, kind, at, { metadata: { uid, resourceVersion }, status: left }, signal);
}

async function mergeStatus<T extends KubeObject>(
  connection: Connection,
  kind: Kind<T>,
  at: Ref,
  body: object,
  signal: AbortSignal,
): Promise<T> {
  const version = await versionFor(connection, kind, signal);
  return (await connection.request({
    method: "PATCH",
    path: `${objectPath(kind, version, at)}/status`,
    query: { fieldManager: FIELD_MANAGER },
    contentType: "application/merge-patch+json",
    body,
    signal,
  })) as T;
}

/**
 * Sets these fields of a status whose lists other controllers write as well: refused (class conflict) when anybody has
 * written the object since it was read. Returns the object as stored.
 */
export async function writeOver<T extends KubeObject>(
  connection: Connection,
  kind: Kind<T>,
  object: T,
  status: object,
  signal: AbortSignal,
): Promise<T> {
  const { uid, resourceVersion } = object.metadata;
  return await mergeStatus(connection, kind, refOf(object), { metadata: { uid, resourceVersion }, status }, signal);
}

/**
 * The merge patch of a status that takes away what is neither in `ours` nor left to another; undefined when nothing is.
 * Pure.
 */
export function leftovers(
  stored: CommonStatus | undefined,
  ours: CommonStatus,
  leaves: LeaderController["leaves"],
): object | undefined {
  const stays = (type: string): boolean =>
    leaves?.conditions.includes(type) === true || ours.conditions?.some((one) => one.type === type) === true;
  const fields = Object.keys(stored ?? {}).filter(
    (name) => !(name in ours) && !(leaves?.fields.includes(name) ?? false),
  );
  const conditions = stored?.conditions ?? [];
  const kept = conditions.filter(({ type }) => stays(type));
  if (fields.length === 0 && kept.length === conditions.length) return undefined;
  return {
    ...Object.fromEntries(fields.map((name) => [name, null])),
    ...(kept.length === conditions.length ? {} : { conditions: kept }),
  };
}
