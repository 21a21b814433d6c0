// Following a kind until what was waited for is there, or the time is over: `follow` alone ends only by its signal.
import type { Connection } from "./connection.ts";
import type { Kind, KubeObject } from "./kind.ts";
import { follow, type FollowOptions, type Handlers } from "./watch.ts";

/** What the handlers are given: `end` ends the following, `until` aborts with it, for timers beside it. */
export interface Ending {
  readonly end: () => void;
  readonly until: AbortSignal;
}

/** Resolves when a handler, or a timer of theirs, has called `end`. Throws the signal's reason, and what a handler throws. */
export async function followUntil<T extends KubeObject>(
  connection: Connection,
  kind: Kind<T>,
  options: FollowOptions<T>,
  handlersOf: (ending: Ending) => Handlers<T>,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const end = (): void => over.abort(new Error("the wait is over"));
  try {
    await follow(connection, kind, options, handlersOf({ end, until }), until);
  } catch (error) {
    signal.throwIfAborted();
    if (!over.signal.aborted) throw error;
  } finally {
    end();
  }
}
