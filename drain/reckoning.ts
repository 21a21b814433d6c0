// How many calls to ngrok and how much time a drain takes, reckoned in one place: the condition UninstallReady,
// `ngrok-drain plan`, the rehearsal and the hook say the same of the same cluster. Pure.
import type { DrainPolicy } from "#api/schema.ts";

/** Objects freed a second, as the benchmark measures them with room to spare. */
const OBJECTS_PER_SECOND = 100;
/** Take-over from a living operator, the pass that proves, the farewell. */
const AROUND_SECONDS = 2;

/** What is there to be drained. */
export interface Load {
  readonly objects: number;
  /** To ngrok for all of them, under Delete, at most. */
  readonly calls: number;
  /** Whether the install is registered at ngrok: one call more. */
  readonly registered: boolean;
}

/** Calls to ngrok at most. Delete asks before all others whether the key is good. */
export function callsUnder(policy: DrainPolicy, { calls, registered }: Omit<Load, "objects">): number {
  const farewell = registered ? 1 : 0;
  return policy === "Retain" ? farewell : 1 + calls + farewell;
}

/**
 * Seconds that a drain of `objects` takes with so many calls to ngrok; a forecast, rounded up. Without a limit of our own
 * calls take no time beside their objects: how fast ngrok lets an account go on is not known then.
 */
export function secondsOf(objects: number, calls: number, callsPerMinute: number | undefined): number {
  const waits = callsPerMinute === undefined ? 0 : (calls * 60) / callsPerMinute;
  return Math.ceil(AROUND_SECONDS + objects / OBJECTS_PER_SECOND + waits);
}
