// A pod of which every replica works, from the start to SIGTERM: watches, gate, probes and metrics. It holds no Lease; what
// it has open stays open when it ends, until its main closes it or the process is gone.
import type { Release } from "#api/release.ts";
import { stateReader } from "#drain/state.ts";
import type { Connection } from "#kube/connection.ts";
import { reader } from "#kube/reader.ts";
import { unlessAborted } from "#wire/abort.ts";
import type { Clock } from "#wire/clock.ts";
import type { ReplicaWork } from "./define-replica.ts";
import { clusterEvents } from "./events.ts";
import { followState, tellState } from "./follow-state.ts";
import { gate as openGate } from "./gate.ts";
import { type Check, healthPage, metricsRoutes, serve } from "./health.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { Pulse } from "./pulse.ts";
import { Recent } from "./recent.ts";
import { type ReplicaAtWork, startReplica } from "./replica.ts";
import { cachesCheck, watches as openWatches } from "./watches.ts";

export interface RunReplicasOptions {
  readonly works: readonly ReplicaWork[];
  readonly connection: Connection;
  readonly release: Release;
  /** Whether there are rights outside the namespaces. */
  readonly clusterWide: boolean;
  /** Name of the pod. */
  readonly pod: string;
  /** `host:port`, `:port`, or 0 for nowhere. */
  readonly bind: { readonly health: string; readonly metrics: string };
  /** What must hold beside loops, caches and drain state: without `alive` the pod is started anew. */
  readonly checks: { readonly alive: readonly Check[]; readonly ready: readonly Check[] };
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Called after the signal, when nothing is begun any more, while the probes still answer. */
  readonly closing?: () => Promise<void>;
  /** SIGTERM. */
  readonly signal: AbortSignal;
}

/** Runs until the signal, or until a loop breaks. Returns the exit code. */
export async function runReplicas(options: RunReplicasOptions): Promise<number> {
  const { works, connection, release, pod, clock, log, metrics, checks, signal } = options;
  const read = reader(connection);
  const gate = openGate(stateReader(read, release), clock);
  const controllers = works.map(({ controller }) => controller);
  const watches = openWatches({ ...options, controllers, gate });
  const stop = new AbortController();
  const all = AbortSignal.any([signal, stop.signal]);
  const pulse = new Pulse(all);
  const loops: Check = { name: "loops", ask: () => pulse.why };
  const stopping: Check = { name: "stopping", ask: () => (signal.aborted ? "the pod is stopping" : undefined) };
  let wasOpen = gate.open;
  gate.onChange(() => (wasOpen ||= gate.open));
  // Once it has been Open it is no reason any more: what is open is served on. A pod that has come since has nothing open,
  // and as one that is ready it would take the place of one that serves.
  const drainState: Check = { name: "drain state", ask: () => (wasOpen ? undefined : gate.why) };
  const alive = [loops, ...checks.alive];
  let atWork: readonly ReplicaAtWork[] = [];
  const firstPass = (): readonly Check[] => atWork.map(({ ready }) => ready);

  tellState(options, gate, all);
  await using _health = await serve(options.bind.health, {
    "/healthz": () => healthPage(alive),
    "/readyz": () =>
      healthPage([...alive, stopping, cachesCheck(watches), drainState, ...firstPass(), ...checks.ready]),
  });
  await using _metrics = await serve(options.bind.metrics, metricsRoutes(metrics.registry));
  // A drain is no rest for a replica: what is deleted then is closed then.
  const free = watches.use();
  const events = clusterEvents({ connection, clock, instance: pod }, all);
  const parts = { ...options, watches, gate, reader: read, recent: new Recent(gate, clock), events, signal: all };
  atWork = works.map((work) => startReplica(work, parts));
  const background = [
    pulse.keep("watches", watches.run(all)),
    pulse.keep("drain state", followState(options, gate, all)),
  ];
  await unlessAborted(all, pulse.broken).catch(() => undefined);
  stop.abort(new Error("the manager ends"));
  events.stop();
  await Promise.all(atWork.map(async (one) => await one.stop()));
  free();
  if (signal.aborted) await options.closing?.();
  await Promise.allSettled(background);
  if (pulse.why === undefined) log.info("stopped");
  else log.error({ why: pulse.why }, "ends, to start anew");
  return pulse.why === undefined ? 0 : 1;
}
