// A manager at work: watches, gate, leadership, probes and metrics, from the start to SIGTERM. Everything of the process
// (environment, arguments, signals, exit) stays with main.ts.
import type { Release } from "#api/release.ts";
import { stateReader } from "#drain/state.ts";
import type { Connection } from "#kube/connection.ts";
import { reader } from "#kube/reader.ts";
import type { LeaseTiming } from "#kube/write-token.ts";
import type { NgrokClient } from "#ngrok/client.ts";
import type { Clock } from "#wire/clock.ts";
import { type Dial, tcpDial } from "#wire/dial.ts";
import { Bell } from "./bell.ts";
import { type Controller, enabled } from "./define-controller.ts";
import { tellDrain } from "./follow-drain.ts";
import { followState, tellState } from "./follow-state.ts";
import { type Gate, gate as openGate } from "./gate.ts";
import { type Check, healthPage, type Listening, metricsRoutes, serve } from "./health.ts";
import type { KeyCheck } from "./key.ts";
import { lead, type LeaderParts } from "./leader.ts";
import { leave } from "./leave.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import type { Options } from "./options.ts";
import { Pulse } from "./pulse.ts";
import { startTerm, type Term } from "./term.ts";
import { cachesCheck, watches as openWatches, type Watches } from "./watches.ts";

export interface RunOptions {
  readonly controllers: readonly Controller[];
  readonly connection: Connection;
  /** Or why there is no way to ngrok: a matter of readiness, not of a crash. */
  readonly ngrok: NgrokClient | { readonly problem: string };
  /** Hears every call that `ngrok` makes. */
  readonly key: KeyCheck;
  /** Into the cluster, from this pod; default: TCP, DIAL_MS each. */
  readonly dial?: Dial;
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

/** How long a dial into the cluster may take. */
const DIAL_MS = 2000;

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

  tellState(options, gate, all);
  tellDrain(options, gate, all);
  gate.onChange(() => bell.ring());
  ringOnDeletion(watches, options, bell);
  await using _health = await serveHealth(options, { gate, watches, key, pulse });
  await using _metrics = await serve(options.bind.metrics, metricsRoutes(metrics.registry));

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
    heardTerminating() {
      const heard = isGoing;
      isGoing = false;
      return heard;
    },
    startTerm(hands, heldSince) {
      term = startTerm({
        ...options,
        reader: read,
        writer: hands.write,
        ngrok: hands.ngrok,
        dial: options.dial ?? tcpDial(clock, DIAL_MS),
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
    cachesCheck(watches),
    { name: "drain state", ask: () => gate.loud },
    { name: "ngrok API key", ask: () => key.reason },
  ];
  return await serve(bind.health, {
    "/healthz": () => healthPage([alive]),
    "/readyz": () => healthPage(ready),
  });
}
