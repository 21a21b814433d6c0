// The closed list of what can go wrong in a call to a server, whoever it is. Every failure of a call becomes a
// KnownError; its class alone decides what happens next (wire/backoff.ts), its hint tells a person what to do.

/**
 * - conflict: somebody else changed the thing; read again and decide (409, a guarded patch's 422).
 * - transient: no answer or a server's fault; the same call may work later (5xx, timeout, reset, refused).
 * - throttled: the server asked to wait; `retryAfterMs` says how long when it told.
 * - invalid: the same call will fail again until a person changes something (4xx, 401 and 403 among them).
 * - gone: the thing is not there (404, 410 of an object).
 */
export type ErrorClass = "conflict" | "transient" | "throttled" | "invalid" | "gone";

export interface KnownErrorParts {
  /** HTTP status when a server answered. */
  status?: number;
  /** The server's own machine-readable code: Kubernetes' `reason` or ngrok's `ERR_NGROK_n`. */
  code?: string;
  /** How long the server asked to wait, in milliseconds. */
  retryAfterMs?: number;
  /** What a person can do, one sentence. */
  hint?: string;
  cause?: unknown;
}

/** A failure of a call to a server, sorted into the closed list. The message never contains a credential. */
export class KnownError extends Error {
  override readonly name = "KnownError";
  readonly class: ErrorClass;
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly hint: string | undefined;

  constructor(errorClass: ErrorClass, message: string, parts: KnownErrorParts = {}) {
    super(message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.class = errorClass;
    this.status = parts.status;
    this.code = parts.code;
    this.retryAfterMs = parts.retryAfterMs;
    this.hint = parts.hint;
  }
}

/** The write token is lost: whoever sees this stops writing at once and exits or starts over. Never retried. */
export class FenceLost extends Error {
  override readonly name = "FenceLost";
}

export function isClass(error: unknown, ...classes: readonly ErrorClass[]): error is KnownError {
  return error instanceof KnownError && classes.includes(error.class);
}

/** Any thrown value as a KnownError; what is not known is a bug or a broken connection, and is retried as transient. */
export function known(error: unknown): KnownError {
  if (error instanceof KnownError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new KnownError("transient", message, { cause: error });
}

/** What an AbortSignal or a rejection carries, as an Error that can be thrown. */
export function asError(reason: unknown): Error {
  if (reason instanceof Error) return reason;
  return new Error(typeof reason === "string" ? reason : "aborted", { cause: reason });
}
