// Metrics under the names of controller-runtime and client-go, so that dashboards made for them work here; and the drain's.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Condition } from "#api/define-kind.ts";
import type { DrainState } from "#drain/state.ts";
import type { QueueMetrics } from "./queue.ts";

const SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60];

export type ReconcileResult = "success" | "error" | "requeue_after";

/** Hears of each connection of a forwarder: taken on and how it ended, or turned away. */
export interface ConnectionMeter {
  taken(): void;
  ended(result: "served" | "failed"): void;
  /** There was no room for it. */
  refused(): void;
}

export interface Metrics {
  readonly registry: Registry;
  queue(controller: string): QueueMetrics;
  /** Of a process that forwards; asked for once. */
  connections(): ConnectionMeter;
  /** Of a process that keeps a session with ngrok, called once; `isUp` is asked whenever the metrics are read. */
  session(isUp: () => boolean): void;
  reconciled(controller: string, result: ReconcileResult, seconds: number): void;
  /** `status` is undefined when no answer came. */
  called(call: { method: string; status: number | undefined; host: string }): void;
  /** Whether the watch of that kind has failed for a minute. */
  watchFailing(kind: string, failing: boolean): void;
  leads(lease: string, leading: boolean): void;
  phase(state: DrainState["phase"]): void;
  drained(counts: { total: number; drained: number; failed: number }): void;
  /** Undefined when this process does not know, because it does not lead. */
  uninstallReady(now: { readonly reason: string; readonly status: Condition["status"] } | undefined): void;
}

const ofStatus: Readonly<Record<Condition["status"], number>> = { True: 1, False: 0, Unknown: -1 };

const phases: readonly DrainState["phase"][] = ["Unknown", "Open", "Draining", "Drained"];

export function metrics({ processMetrics = true }: { processMetrics?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (processMetrics) collectDefaultMetrics({ register: registry });
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter<L>({ name, help, labelNames, registers: [registry] });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Gauge<L>({ name, help, labelNames, registers: [registry] });
  const histogram = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Histogram<L>({ name, help, labelNames, buckets: SECONDS, registers: [registry] });

  const queue = queueMetrics(counter, gauge, histogram);
  const results = counter("controller_runtime_reconcile_total", "Reconciliations, by result", ["controller", "result"]);
  const errors = counter("controller_runtime_reconcile_errors_total", "Reconciliations that failed", ["controller"]);
  const times = histogram("controller_runtime_reconcile_time_seconds", "Time of a reconciliation", ["controller"]);
  const calls = counter("rest_client_requests_total", "Calls to the API server and to ngrok", [
    "code",
    "method",
    "host",
  ]);
  const failingWatches = gauge(
    "ngrok_operator_watch_failing",
    "1 while the watch of the kind has failed for a minute or longer: what changes is not seen",
    ["kind"],
  );
  const leader = gauge("leader_election_master_status", "1 while this process holds the Lease", ["name"]);
  const phase = gauge("ngrok_operator_drain_phase", "1 for the phase that the drain state is in", ["phase"]);
  const objects = gauge(
    "ngrok_operator_drain_objects",
    "Objects of the drain, whoever drives it, as far as it has shown",
    ["outcome"],
  );
  const uninstall = gauge(
    "ngrok_operator_uninstall_ready",
    "1 when an uninstall would come to its end, 0 when something is in its way, -1 when that is not known",
    ["reason"],
  );
  return {
    registry,
    queue,
    connections: () => connectionMeter(counter, gauge),
    session: (isUp) => sessionGauge(registry, isUp),
    reconciled(controller, result, seconds) {
      results.inc({ controller, result });
      if (result === "error") errors.inc({ controller });
      times.observe({ controller }, seconds);
    },
    called: ({ method, status, host }) =>
      calls.inc({ code: status === undefined ? "<error>" : String(status), method, host }),
    watchFailing: (kind, failing) => failingWatches.set({ kind }, failing ? 1 : 0),
    leads: (lease, leading) => leader.set({ name: lease }, leading ? 1 : 0),
    phase: (now) => {
      for (const one of phases) phase.set({ phase: one }, one === now ? 1 : 0);
    },
    drained: ({ total, drained, failed }) => {
      objects.set({ outcome: "total" }, total);
      objects.set({ outcome: "drained" }, drained);
      objects.set({ outcome: "failed" }, failed);
    },
    uninstallReady(now) {
      uninstall.reset();
      if (now !== undefined) uninstall.set({ reason: now.reason }, ofStatus[now.status]);
    },
  };
}

function sessionGauge(registry: Registry, isUp: () => boolean): void {
  // Nobody tells of a session that has gone silent: it is asked for.
  const up: Gauge = new Gauge({
    name: "ngrok_operator_agent_session",
    help: "1 while the agent is in a session with ngrok that answers",
    registers: [registry],
    collect: () => up.set(isUp() ? 1 : 0),
  });
}

function connectionMeter(counter: Make<Counter>, gauge: Make<Gauge>): ConnectionMeter {
  const open = gauge("ngrok_operator_bound_connections", "Connections that go on", []);
  const all = counter(
    "ngrok_operator_bound_connections_total",
    "Connections that were served, did not reach their endpoint, or found no room",
    ["result"],
  );
  return {
    taken: () => open.inc(),
    ended(result) {
      open.dec();
      all.inc({ result });
    },
    refused: () => all.inc({ result: "refused" }),
  };
}

type Make<K> = <L extends string>(name: string, help: string, labelNames: readonly L[]) => K;

function queueMetrics(
  counter: Make<Counter>,
  gauge: Make<Gauge>,
  histogram: Make<Histogram>,
): (controller: string) => QueueMetrics {
  const adds = counter("workqueue_adds_total", "Keys added to the queue", ["name"]);
  const depth = gauge("workqueue_depth", "Keys waiting in the queue", ["name"]);
  const waited = histogram("workqueue_queue_duration_seconds", "How long a key waited", ["name"]);
  const worked = histogram("workqueue_work_duration_seconds", "How long the work on a key took", ["name"]);
  const retries = counter("workqueue_retries_total", "Keys that came again after a failure", ["name"]);
  const active = gauge("controller_runtime_active_workers", "Keys being worked on", ["controller"]);
  return (controller) => ({
    added: () => adds.inc({ name: controller }),
    depth: (keys) => depth.set({ name: controller }, keys),
    waited: (seconds) => waited.observe({ name: controller }, seconds),
    worked: (seconds) => worked.observe({ name: controller }, seconds),
    retried: () => retries.inc({ name: controller }),
    active: (workers) => active.set({ controller }, workers),
  });
}
