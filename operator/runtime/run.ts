// A manager at work: watches, gate, leadership, probes and metrics, from the start to SIGTERM. Everything of the process
// (environment, arguments, signals, exit) stays with main.ts.
import type { Release } from "#api/release.ts";
import { type StateObject, stateReader, stateRef } from "#drain/state.ts";
import type { Connection } from "#kube/connection.ts";
import { ConfigMap } from "#kube/kinds.ts";
import { reader } from "#kube/reader.ts";
import { follow } from "#kube/watch.ts";
import type { LeaseTiming } from "#kube/write-token.ts";
import type { NgrokClient } from "#ngrok/client.ts";
import type { Clock } from "#wire/clock.ts";
import { known } from "#wire/errors.ts";
import { Bell } from "./bell.ts";
import { type Controller, enabled } from "./define-controller.ts";
import { CLOSED_IS_LOUD_MS, type Gate, gate as openGate } from "./gate.ts";
import { type Check, healthPage, type Listening, serve } from "./health.ts";
import type { KeyCheck } from "./key.ts";
import { lead, type LeaderParts } from "./leader.ts";
import { leave } from "./leave.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Options } from "./options.ts";
import { startTerm, type Term } from "./term.ts";
import { watches as openWatches, type Watches } from "./watches.ts";

export interface RunOptions {
  readonly controllers: readonly Controller[];
  readonly connection: Connection;
  /** Or why there is no way to ngrok: a matter of readiness, not of a crash. */
  readonly ngrok: NgrokClient | { readonly problem: string };
  /** Hears every call that `ngrok` makes. */
  readonly key: KeyCheck;
  readonly release: Release;
  readonly options: Options;
  /** Name of the Lease, in the release namespace. */
  readonly lease: string;
  /** `pod/<name>/<uid>` */
  readonly identity: string;
  readonly clusterWide: boolean;
  /** `host:port`, `:port`, or 0 for nowhere. */
  readonly bind: { readonly health: string; readonly metrics: string };
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly timing?: LeaseTiming;
  /** SIGTERM. */
  readonly signal: AbortSignal;
}

/** Runs until the signal, or until the Lease is lost. Returns the exit code. */
export async function run(given: RunOptions): Promise<number> {
  const options = { ...given, controllers: enabled(given.controllers, given.options.features) };
  const { connection, release, clock, log, metrics, key, signal } = options;
  const read = reader(connection);
  const state = stateReader(read, release);
  const gate = openGate(state, clock);
  const watches = openWatches({ ...options, gate });
  const bell = new Bell();
  const stop = new AbortController();
  const all = AbortSignal.any([signal, stop.signal]);
  const pulse = new Pulse(all);
  let term: Term | undefined;
  let isGoing = false;

  metrics.phase(gate.state.phase);
  // What was never open does not change, so nobody would hear of it.
  clock.sleep(CLOSED_IS_LOUD_MS, all).then(
    () => gate.loud !== undefined && log.error({ phase: gate.state.phase, why: gate.loud }, "closed since the start"),
    () => {},
  );
  gate.onChange((now) => {
    metrics.phase(now.phase);
    if (now.phase !== "Open") log.warn({ phase: now.phase, why: gate.why }, "closed: nothing is written");
    bell.ring();
  });
  ringOnDeletion(watches, options, bell);
  await using _health = await serveHealth(options, { gate, watches, key, pulse });
  await using _metrics = await serve(options.bind.metrics, {
    "/metrics": async () => ({
      status: 200,
      type: metrics.registry.contentType,
      body: await metrics.registry.metrics(),
    }),
  });

  const background = [
    pulse.keep("watches", watches.run(all)),
    pulse.keep("drain state", followState(options, gate, all)),
    key.run({ ngrok: options.ngrok, clock, log, signal: all, onAccepted: () => term?.again() }).catch(() => undefined),
  ];
  const parts: LeaderParts = {
    ...options,
    ngrok: "problem" in options.ngrok ? undefined : options.ngrok,
    reader: read,
    state,
    gate,
    bell,
    signal: all,
    sawTerminating: () => isGoing,
    startTerm(hands, heldSince) {
      term = startTerm({
        ...options,
        reader: read,
        writer: hands.write,
        ngrok: hands.ngrok,
        watches,
        gate,
        instance: options.identity,
        heldSince,
        signal: hands.fence.signal,
        onTerminating() {
          isGoing = true;
          bell.ring();
        },
      });
      return term;
    },
  };
  const leading = lead(parts).then(async (how) => {
    if (how === "stopped" && signal.aborted) await leave(parts);
    return how;
  });
  const ended = await Promise.race([pulse.keep("leader", leading), pulse.broken]);
  stop.abort(new Error("the manager ends"));
  await Promise.allSettled([leading, ...background]);
  if (ended === "stopped") log.info("stopped, the Lease is free");
  else log.error({ why: pulse.why ?? "the Lease was lost" }, "ends, to start anew");
  return ended === "stopped" ? 0 : 1;
}

/** Which loops of the process are alive: one that ends by itself is a bug, and the process starts anew. */
class Pulse {
  why: string | undefined;
  readonly #broken = Promise.withResolvers<"broken">();
  readonly #ending: AbortSignal;

  /** After `ending` a loop may end as it likes. */
  constructor(ending: AbortSignal) {
    this.#ending = ending;
  }

  get broken(): Promise<"broken"> {
    return this.#broken.promise;
  }

  async keep<T>(name: string, loop: Promise<T>): Promise<T | "stopped"> {
    try {
      return await loop;
    } catch (error) {
      if (!this.#ending.aborted) {
        this.why ??= `${name}: ${known(error).message}`;
        this.#broken.resolve("broken");
      }
      return "stopped";
    }
  }
}

/** The drain state is watched for speed alone: the leader reads it anew before each renewal. */
async function followState(
  { connection, release, clock, log }: RunOptions,
  gate: Gate,
  signal: AbortSignal,
): Promise<void> {
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
        trouble: (error, waitMs) => log.debug({ err: error.message, waitMs }, "the drain state's watch begins again"),
      },
      signal,
    );
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The deletion of the install's own object is a trigger of the drain. */
function ringOnDeletion({ cache }: Watches, { controllers, release }: RunOptions, bell: Bell): void {
  for (const controller of controllers) {
    if ("sources" in controller) continue;
    const at = controller.makes?.at(release);
    if (at === undefined) continue;
    cache.store(controller.kind).onChange(({ after }) => {
      if (after?.metadata.name === at.name && after.metadata.deletionTimestamp !== undefined) bell.ring();
    });
  }
}

interface Parts {
  readonly gate: Gate;
  readonly watches: Watches;
  readonly key: KeyCheck;
  readonly pulse: Pulse;
}

async function serveHealth({ bind }: RunOptions, { gate, watches, key, pulse }: Parts): Promise<Listening> {
  const alive: Check = { name: "loops", ask: () => pulse.why };
  const ready: readonly Check[] = [
    alive,
    {
      name: "caches",
      ask: () => {
        const missing = watches.unsynced();
        return missing.length === 0 ? undefined : `not listed yet: ${missing.join(", ")}`;
      },
    },
    { name: "drain state", ask: () => gate.loud },
    { name: "ngrok API key", ask: () => key.reason },
  ];
  return await serve(bind.health, {
    "/healthz": () => healthPage([alive]),
    "/readyz": () => healthPage(ready),
  });
}
