// What a driver works with, handed in: whoever drives (hook, leader, cleanup, CLI) brings its own hands.
import type { DomainStatus } from "#api/domain.ts";
import type { Release } from "#api/release.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import type { Connection } from "#kube/connection.ts";
import type { KubeObject, ObjectMeta } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";
import type { Writer } from "#kube/writer.ts";
import type { Clock } from "#wire/clock.ts";
import { isClass, KnownError } from "#wire/errors.ts";
import type { Fence } from "#wire/fence.ts";

export interface Hands {
  readonly connection: Connection;
  readonly read: Reader;
  readonly write: Writer;
  /** Undefined without an API key: what needs ngrok then keeps its finalizer. */
  readonly ngrok: NgrokPort | undefined;
  readonly fence: Fence;
  readonly clock: Clock;
}

/** The part of the hands that an undo may use. */
export interface UndoHands extends Pick<Hands, "read" | "write" | "ngrok"> {
  /**
   * Domains that may stand for one reservation, as they were last seen and in no order; the one that asks may be among
   * them. Without it there are no others.
   */
  domainsAt?(reservation: Reservation, signal: AbortSignal): Promise<readonly SeenDomain[]>;
  /** Whether a CloudEndpoint records the endpoint of this id at ngrok, but for the one of this uid. Without it none does. */
  recordsEndpoint?(id: string, but: string | undefined, signal: AbortSignal): Promise<boolean>;
}

/** A domain at ngrok: its id there, and its host in lower case where that is known. */
export interface Reservation {
  readonly id: string;
  readonly host: string | undefined;
}

/** As much of a Domain as tells whether it stands for a reservation. */
export interface SeenDomain {
  readonly metadata: ObjectMeta;
  readonly status?: Pick<DomainStatus, "id">;
  /** One that goes with the same drain, and what it wants to become of the reservation. Absent: it stays. */
  readonly goes?: "released" | "kept";
}

/**
 * What became of what we made for an object. Anything else is thrown: without an answer nothing is stripped.
 * `id` is the remote id, for the report.
 */
export type Undone =
  | { readonly remote: "deleted" | "gone"; readonly id?: string }
  | { readonly remote: "none" }
  | { readonly remote: "kept"; readonly id?: string; readonly why: string };

/**
 * Whether ngrok does not accept the key, or not for this: asking again changes nothing until a person acts. Kubernetes
 * answers with the same statuses, but always under a reason of its own.
 */
export function ngrokRefuses(error: unknown): error is KnownError {
  if (!isClass(error, "invalid") || (error.status !== 401 && error.status !== 403)) return false;
  return error.code === undefined || error.code.startsWith("ERR_NGROK_");
}

/** Unmakes what we made for one object; safe to run again after any failure. */
export type Undo = (object: KubeObject, hands: UndoHands, release: Release, signal: AbortSignal) => Promise<Undone>;

/** ngrok, or the error that says how to bring it: what is at ngrok is never stripped of its object unasked. */
export function ngrokOf(hands: UndoHands): NgrokPort {
  if (hands.ngrok !== undefined) return hands.ngrok;
  throw new KnownError("invalid", "there is no ngrok API key", {
    status: 401,
    hint: "put a valid key into the credentials Secret under API_KEY, then run the same command again",
  });
}
