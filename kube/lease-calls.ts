// The three calls that a Lease needs, past the crowd of other calls: a renewal must not wait for sixty slow ones.
import type { Clock } from "#wire/clock.ts";
import { isClass } from "#wire/errors.ts";
import type { Connection } from "./connection.ts";
import type { Ref } from "./kind.ts";
import { Lease, type LeaseObject } from "./kinds.ts";
import { apiVersionOf, listPath, objectPath } from "./paths.ts";

export const LEASE_VERSION = Lease.versions[0];
const TIMEOUT_MS = 5_000;

/** A consistent GET; undefined when there is none. */
export async function getLease(connection: Connection, at: Ref, signal: AbortSignal): Promise<LeaseObject | undefined> {
  try {
    const path = objectPath(Lease, LEASE_VERSION, at);
    return (await connection.request({
      method: "GET",
      path,
      signal,
      timeoutMs: TIMEOUT_MS,
      urgent: true,
    })) as LeaseObject;
  } catch (error) {
    if (isClass(error, "gone")) return undefined;
    throw error;
  }
}

/** Conflict (AlreadyExists) when another was faster. */
export async function postLease(connection: Connection, lease: LeaseObject, signal: AbortSignal): Promise<LeaseObject> {
  const path = listPath(Lease, LEASE_VERSION, lease.metadata.namespace);
  return (await connection.request({ method: "POST", path, body: typed(lease), signal, urgent: true })) as LeaseObject;
}

/**
 * Compare-and-swap: guarded by the resourceVersion that `lease` carries. So one that is carried out late harms nobody, and the
 * server may take as long as we wait.
 */
export async function putLease(
  connection: Connection,
  lease: LeaseObject,
  signal: AbortSignal,
  timeoutMs: number = TIMEOUT_MS,
): Promise<LeaseObject> {
  const { name, namespace } = lease.metadata;
  const path = objectPath(Lease, LEASE_VERSION, { name, namespace });
  const body = typed(lease);
  const query = { timeout: `${Math.ceil(timeoutMs)}ms` };
  return (await connection.request({
    method: "PUT",
    path,
    query,
    body,
    signal,
    timeoutMs,
    urgent: true,
  })) as LeaseObject;
}

/** Kubernetes' MicroTime, for people; its last digits also tell two writes of one millisecond apart. */
export function microTime(clock: Clock): string {
  const micros = String(Math.floor(Math.random() * 1000)).padStart(3, "0");
  return clock.date().toISOString().replace("Z", `${micros}Z`);
}

function typed(lease: LeaseObject): LeaseObject {
  return { ...lease, apiVersion: apiVersionOf(Lease, LEASE_VERSION), kind: Lease.kind };
}
