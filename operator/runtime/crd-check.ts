// Before anything at ngrok is deleted because an object is being deleted: is it this object that somebody wants gone, or
// the whole kind? A CRD that goes takes every object with it, and then nothing remote may be lost (drain excepted).
import type { Kind } from "#kube/kind.ts";
import { resourceName } from "#kube/kind.ts";
import { type Flight, shareNext } from "./share-next.ts";

/** there: the kind's CRD stands and is not being deleted. Anything else holds every cleanup of the kind. */
export type Standing = { readonly is: "there" } | { readonly is: "terminating" | "unknown"; readonly why: string };

/** A consistent read of one kind's CRD; never throws, since what cannot be told is "unknown". */
export type ReadStanding = (kind: Kind, signal: AbortSignal) => Promise<Standing>;

export interface CrdCheck {
  /** The answer comes from a read that began after this call. */
  standing(kind: Kind, signal: AbortSignal): Promise<Standing>;
}

/** 2,000 deletions at once cost a handful of reads. */
export function crdCheck(read: ReadStanding): CrdCheck {
  const flights = new Map<string, Flight<Standing>>();
  return {
    standing: async (kind, signal) =>
      await shareNext(flights, resourceName(kind), async () => await read(kind, signal)),
  };
}
