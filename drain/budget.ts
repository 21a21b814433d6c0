// All limits of time in one place, and the order that they must keep: one call < the run < Helm's timeout < the Job.

/** The share of Helm's timeout that the hook's own run may take; the rest is for its pod to start and to say goodbye. */
const SHARE = 0.9;
/** Seconds that the Job lives beyond Helm's timeout: while its pod is there, a person can ask it why. */
const AFTER_HELM = 600;

export interface Budget {
  /** Milliseconds for the whole run inside the process. */
  readonly runMs: number;
  /** Helm's own wait for the hook, in seconds. */
  readonly helmSeconds: number;
  /** activeDeadlineSeconds of the Job. */
  readonly jobSeconds: number;
}

/** Milliseconds of the longest single call that a driver makes (wire and ngrok deadlines). */
export const LONGEST_CALL_MS = 30_000;
/** RBAC of a hook may reach the API server late: that long a 403 is a wait, later it is an answer. */
export const RBAC_SETTLES_MS = 30_000;

/**
 * The budget that follows from `cleanupHook.timeout` (seconds, Helm's timeout as the hook reckons with it).
 * Throws when it leaves no room for a single call.
 */
export function budgetOf(helmSeconds: number): Budget {
  const runMs = Math.floor(helmSeconds * 1000 * SHARE);
  if (!Number.isFinite(helmSeconds) || runMs < LONGEST_CALL_MS * 0.9) {
    throw new Error(`cleanupHook.timeout ${helmSeconds}: needs at least 30 seconds`);
  }
  return { runMs, helmSeconds, jobSeconds: Math.max(900, helmSeconds + AFTER_HELM) };
}

/** Milliseconds for a run that begins when Helm has waited for so many already: the same share of what it still waits. */
export function runAfter({ helmSeconds }: Budget, waitedMs: number): number {
  return Math.floor((helmSeconds * 1000 - waitedMs) * SHARE);
}

/** Helm's timeout, in seconds, for a run of so many: whole minutes, with one to spare. */
export function helmSecondsFor(runSeconds: number): number {
  return (Math.ceil(runSeconds / SHARE / 60) + 1) * 60;
}
