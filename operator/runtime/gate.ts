// The one word that every reconcile asks first: does the drain state allow us to write? Only Open does.
import type { DrainState, StateObject, StateReader } from "#drain/state.ts";
import type { Clock } from "#wire/clock.ts";

export interface Gate {
  readonly open: boolean;
  /** Why it is closed, for people; "" when open. */
  readonly why: string;
  /** Milliseconds since it closed, 0 when open. */
  readonly closedFor: number;
  /** Why it is closed, once that has lasted: a reason not to be ready. */
  readonly loud: string | undefined;
  readonly state: DrainState;
  /** Fed by the watch of the drain state's ConfigMap; undefined when it was deleted. */
  observe(object: StateObject | undefined): void;
  /** A consistent read past the watch. */
  fresh(signal: AbortSignal): Promise<DrainState>;
  /** Called with every change of the phase, the driver or the wish for the next drain. Returns the end of the listening. */
  onChange(listener: (state: DrainState) => void): () => void;
}

/** A closed state is loud, but not at once: at an install the ConfigMap and the pods come together. */
export const CLOSED_IS_LOUD_MS = 60_000;

export function gate(reader: StateReader, clock: Clock): Gate {
  let closedSince = clock.now();
  let last = wordsOf(reader.now);
  const listeners = new Set<(state: DrainState) => void>();
  const settle = (state: DrainState): DrainState => {
    const words = wordsOf(state);
    if (words !== last) {
      if (last.startsWith("Open")) closedSince = clock.now();
      last = words;
      for (const listener of listeners) listener(state);
    }
    return state;
  };
  return {
    get open() {
      return reader.now.phase === "Open";
    },
    get why() {
      return whyClosed(reader.now);
    },
    get closedFor() {
      return reader.now.phase === "Open" ? 0 : clock.now() - closedSince;
    },
    get loud() {
      return this.closedFor < CLOSED_IS_LOUD_MS ? undefined : this.why;
    },
    get state() {
      return reader.now;
    },
    observe(object) {
      settle(reader.observe(object));
    },
    fresh: async (signal) => settle(await reader.fresh(signal)),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** What somebody may have to act on: the phase, who drives, what a person wishes for the next drain. */
function wordsOf(state: DrainState): string {
  if (state.phase === "Open") return `Open ${state.wish ?? ""}`;
  return "driver" in state ? `${state.phase} ${state.driver} ${state.by}` : state.phase;
}

function whyClosed(state: DrainState): string {
  switch (state.phase) {
    case "Open":
      return "";
    case "Unknown":
      return state.why;
    case "Draining":
      return `a drain (${state.policy}) is under way since ${state.since}, started by ${state.by}`;
    case "Drained":
      return `this install was drained (${state.policy}) at ${state.since}; it opens again with an install or when data.phase is set to Open`;
  }
}
