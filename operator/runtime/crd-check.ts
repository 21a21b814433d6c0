// Before anything at ngrok is deleted because an object is being deleted: is it this object that somebody wants gone, or
// the whole kind? A CRD that goes takes every object with it, and then nothing remote may be lost (drain excepted).
import type { Kind } from "#kube/kind.ts";
import { resourceName } from "#kube/kind.ts";

/** there: the kind's CRD stands and is not being deleted. Anything else holds every cleanup of the kind. */
export type Standing = { readonly is: "there" } | { readonly is: "terminating" | "unknown"; readonly why: string };

/** A consistent read of one kind's CRD; never throws, since what cannot be told is "unknown". */
export type ReadStanding = (kind: Kind, signal: AbortSignal) => Promise<Standing>;

export interface CrdCheck {
  /** The answer comes from a read that began after this call. */
  standing(kind: Kind, signal: AbortSignal): Promise<Standing>;
}

interface Flight {
  /** Settles when the read that is under way has ended. */
  current: Promise<Standing>;
  /** Shared by all who came while `current` was under way: its read begins after them. */
  next: Promise<Standing> | undefined;
}

/**
 * 2,000 deletions at once cost a handful of reads: who asks while a read is under way shares the next one, never the
 * one that began before.
 */
export function crdCheck(read: ReadStanding): CrdCheck {
  const flights = new Map<string, Flight>();
  const start = (kind: Kind, signal: AbortSignal): Promise<Standing> => {
    const name = resourceName(kind);
    const flight: Flight = { current: read(kind, signal), next: undefined };
    flights.set(name, flight);
    const land = (): void => {
      if (flight.next === undefined) flights.delete(name);
    };
    flight.current.then(land, land);
    return flight.current;
  };
  return {
    standing(kind, signal) {
      const flight = flights.get(resourceName(kind));
      if (flight === undefined) return start(kind, signal);
      const after = (): Promise<Standing> => start(kind, signal);
      flight.next ??= flight.current.then(after, after);
      return flight.next;
    },
  };
}
