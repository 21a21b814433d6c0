// One replica of a manager in a test's world: the runtime itself in this process, over a connection that takes notes.
import { randomUUID } from "node:crypto";
import { namesOf } from "#api/release.ts";
import { type Connection, type KubeRequest } from "#kube/connection.ts";
import { connectNgrok } from "#ngrok/client.ts";
import { KeyCheck } from "#operator/runtime/key.ts";
import { openLog } from "#operator/runtime/log.ts";
import { type Metrics, metrics as openMetrics } from "#operator/runtime/metrics.ts";
import type { Options } from "#operator/runtime/options.ts";
import { run } from "#operator/runtime/run.ts";
import { systemClock } from "#wire/clock.ts";

import type { World, WorldOptions } from "./world.ts";

/** What of the world a replica works on. */
type Ground = Pick<World, "release" | "connection" | "api">;

export interface ManagerOptions {
  /** What is different for this replica, as after an upgrade with other values. */
  readonly options?: Partial<Options>;
  /** Stands between this replica and the API server: answers a request itself, or undefined to let it pass. */
  readonly intercept?: (request: KubeRequest) => Promise<unknown> | undefined;
}

/** One replica. */
export interface TestManager {
  /** What it wrote to the API server, without Lease and events: `PATCH /apis/...`. */
  readonly writes: readonly string[];
  /** It has not begun yet, or a call of its has no answer yet: a busy API server takes a second for one. */
  isBusy(): boolean;
  /** Log lines as objects. */
  readonly log: readonly Record<string, unknown>[];
  readonly metrics: Metrics;
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number>;
  readonly ended: Promise<number>;
}

/** What a replica says once it leads, stands by, or has found that nobody may. */
const BEGUN = ["Lease held", "waits for the Lease", "closed: nothing is written"];

let replicas = 0;

/** Starts a replica in the world; what it writes and logs is kept. */
export function startManager(world: Ground, options: WorldOptions, more: ManagerOptions): TestManager {
  const { intercept } = more;
  const stop = new AbortController();
  const end = new AbortController();
  const writes: string[] = [];
  let asking = 0;
  let isOver = false;
  const lines: Record<string, unknown>[] = [];
  const connection: Connection = {
    server: world.connection.server,
    watch: (request) => world.connection.watch(request),
    async request(request) {
      const aside = /\/(leases|events|selfsubjectaccessreviews)/.test(request.path);
      if (request.method !== "GET" && !aside) writes.push(`${request.method} ${request.path}`);
      asking += 1;
      try {
        return (await intercept?.(request)) ?? (await world.connection.request(request));
      } finally {
        asking -= 1;
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const key = options.keyless === true ? undefined : "test-key";
  const check = new KeyCheck();
  const ngrok =
    key === undefined
      ? { problem: "no ngrok API key" }
      : connectNgrok({
          apiUrl: world.api.url,
          apiKey: key,
          userAgent: "test",
          clock: systemClock,
          observe: ({ status }) => check.heard(status),
          // As in the program: what has begun at ngrok may end.
          signal: end.signal,
        });
  const metrics = openMetrics({ processMetrics: false });
  replicas += 1;
  const ended = run({
    controllers: options.controllers,
    connection,
    ngrok,
    key: check,
    dial: options.dial ?? (() => Promise.resolve()),
    release: world.release,
    options: { ...defaults, ...options.options, ...more.options },
    lease: namesOf(world.release).lease,
    identity: `pod/test-${replicas}/${randomUUID()}`,
    clusterWide: options.clusterWide ?? true,
    bind: { health: "0", metrics: "0" },
    clock: systemClock,
    metrics,
    log: openLog(
      { level: "debug", encoder: "json", secrets: key === undefined ? [] : [key] },
      { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) },
    ),
    ...(options.timing === undefined ? {} : { timing: options.timing }),
    signal: stop.signal,
  }).finally(() => {
    isOver = true;
    end.abort(new Error("the manager has ended"));
  });
  return {
    writes,
    isBusy: () => asking > 0 || !(isOver || lines.some(({ msg }) => BEGUN.includes(String(msg)))),
    log: lines,
    metrics,
    ended,
    async stop() {
      stop.abort(new Error("SIGTERM"));
      return await ended;
    },
  };
}

const defaults: Options = {
  version: "0.1.0",
  description: "Created by the ngrok-operator",
  region: "",
  features: ["ingress", "gateway"],
  managerName: "ngrok-operator-manager",
  clusterDomain: "svc.cluster.local",
  defaultDomainReclaimPolicy: "Delete",
  drainPolicy: "Retain",
  bindings: { endpointSelectors: ["true"], serviceAnnotations: {}, serviceLabels: {}, ingressEndpoint: "" },
  uninstall: { hook: true, helmSeconds: 300, crdsGo: false, callsPerMinute: undefined },
  metadata: {},
};
