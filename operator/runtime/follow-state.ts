// The drain state as a process hears of it: by a watch of its ConfigMap, which feeds the gate. For speed alone; who writes
// by it reads it anew.
import type { Release } from "#api/release.ts";
import { type StateObject, stateRef } from "#drain/state.ts";
import type { Connection } from "#kube/connection.ts";
import { ConfigMap } from "#kube/kinds.ts";
import { follow } from "#kube/watch.ts";
import type { Clock } from "#wire/clock.ts";
import { Failing } from "./failing.ts";
import { CLOSED_IS_LOUD_MS, type Gate } from "./gate.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";

export interface FollowStateParts {
  readonly connection: Connection;
  readonly release: Release;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Follows until the signal; throws only for a bug. */
export async function followState(
  { connection, release, clock, metrics, log }: FollowStateParts,
  gate: Gate,
  signal: AbortSignal,
): Promise<void> {
  // By this name: other ConfigMaps are watched too.
  const failing = new Failing({ clock, metrics, log }, "drain state");
  const { name, namespace } = stateRef(release);
  let seen: StateObject | undefined;
  try {
    await follow<StateObject>(
      connection,
      ConfigMap,
      { clock, namespace, fieldSelector: `metadata.name=${name}` },
      {
        changed: (object) => gate.observe((seen = object)),
        removed: () => gate.observe((seen = undefined)),
        synced: () => gate.observe(seen),
        // What the watch tells is then older than what was known; a read counts all the same.
        wentBack: () => void gate.fresh(signal),
        told: () => failing.works(),
        trouble(error, waitMs, lastedMs) {
          failing.failed(error, lastedMs);
          log.debug({ err: error.message, waitMs }, "the drain state's watch begins again");
        },
      },
      signal,
    );
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Timers may be early by a part of a millisecond. */
const LATER_MS = 1_000;

/**
 * Phases get into metrics and, closed ones, into the log; one that nobody can read, or that a process has found closed at its
 * start, once more and louder when that has lasted.
 */
export function tellState({ clock, metrics, log }: FollowStateParts, gate: Gate, signal: AbortSignal): void {
  const shoutWhenItLasts = (): void => {
    clock.sleep(CLOSED_IS_LOUD_MS + LATER_MS, signal).then(
      () => gate.loud !== undefined && log.error({ phase: gate.state.phase, why: gate.loud }, "closed for a minute"),
      () => {},
    );
  };
  metrics.phase(gate.state.phase);
  // What was never open does not change, so nobody would hear of it.
  shoutWhenItLasts();
  gate.onChange((now) => {
    metrics.phase(now.phase);
    if (now.phase !== "Open") log.warn({ phase: now.phase, why: gate.why }, "closed: nothing is written");
    if (now.phase === "Unknown") shoutWhenItLasts();
  });
}
