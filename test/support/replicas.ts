// Replicas of a pod in a test's world, each with a wire of its own to the API server, which can be cut.
import type { Connection, KubeRequest, WatchEvent } from "#kube/connection.ts";
import type { ReplicaWork } from "#operator/runtime/define-replica.ts";
import { openLog } from "#operator/runtime/log.ts";
import { metrics as openMetrics } from "#operator/runtime/metrics.ts";
import { runReplicas, type RunReplicasOptions } from "#operator/runtime/run-replicas.ts";
import { systemClock } from "#wire/clock.ts";
import { KnownError } from "#wire/errors.ts";
import { seen } from "./manager-process.ts";
import type { World } from "./world.ts";

export interface Replica extends AsyncDisposable {
  readonly pod: string;
  /** What it wrote to the API server, without events: `PATCH /apis/...`. */
  readonly writes: readonly string[];
  /** Log lines as objects. */
  readonly log: readonly Record<string, unknown>[];
  /** Resolves when it has heard that the drain state is not Open: by a watch of its own, in its own time. */
  closed(): Promise<void>;
  /** Its watches break, and it reaches the API server no more, until `mend`. What it had seen is then too old to go on from. */
  cut(): void;
  /** It may read no ConfigMap any more; the watch of the drain state stays where it is. */
  blind(): void;
  /** Ends both. */
  mend(): void;
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number>;
}

export interface ReplicaOptions extends Partial<Pick<RunReplicasOptions, "checks" | "bind" | "closing">> {
  readonly pod?: string;
}

let started = 0;

export function startReplicaOf(world: World, works: readonly ReplicaWork[], options: ReplicaOptions = {}): Replica {
  started += 1;
  const {
    pod = `replica-${started}`,
    checks = { alive: [], ready: [] },
    bind = { health: "0", metrics: "0" },
  } = options;
  const stop = new AbortController();
  const writes: string[] = [];
  const log: Record<string, unknown>[] = [];
  const wire = cuttable(world.connection, writes);
  const ended = runReplicas({
    works,
    connection: wire.connection,
    release: world.release,
    clusterWide: true,
    pod,
    bind,
    checks,
    clock: systemClock,
    metrics: openMetrics({ processMetrics: false }),
    log: openLog(
      { level: "debug", encoder: "json", secrets: [] },
      { write: (line: string) => log.push(JSON.parse(line) as Record<string, unknown>) },
    ),
    ...(options.closing === undefined ? {} : { closing: options.closing }),
    signal: stop.signal,
  });
  const end = async (): Promise<number> => {
    stop.abort(new Error("SIGTERM"));
    return await ended;
  };
  return {
    pod,
    writes,
    log,
    closed: async () =>
      await seen(
        () => `${pod} has heard of the mark`,
        () => log.some(({ msg }) => msg === "closed: nothing is written"),
      ),
    cut: wire.cut,
    blind: wire.blind,
    mend: wire.mend,
    stop: end,
    [Symbol.asyncDispose]: async () => void (await end()),
  };
}

interface Wire {
  readonly connection: Connection;
  readonly cut: () => void;
  readonly blind: () => void;
  readonly mend: () => void;
}

function cuttable(whole: Connection, writes: string[]): Wire {
  let isCut = false;
  let isBlind = false;
  let lives = new AbortController();
  const offline = () => new KnownError("transient", "the API server is not reached", { code: "ECONNREFUSED" });
  async function* watch(request: Parameters<Connection["watch"]>[0], life: AbortSignal): AsyncGenerator<WatchEvent> {
    const signal = AbortSignal.any([request.signal, life]);
    try {
      yield* whole.watch({ ...request, signal });
    } catch (error) {
      if (!life.aborted || request.signal.aborted) throw error;
      throw new KnownError("gone", "too old resource version", { status: 410, code: "Expired" });
    }
  }
  const connection: Connection = {
    server: whole.server,
    watch(request) {
      if (isCut) throw offline();
      return watch(request, lives.signal);
    },
    async request(request: KubeRequest) {
      if (isCut) throw offline();
      if (isBlind && request.path.includes("/configmaps"))
        throw new KnownError("invalid", "configmaps is forbidden", { status: 403, code: "Forbidden" });
      if (request.method !== "GET" && !request.path.includes("/events"))
        writes.push(`${request.method} ${request.path}`);
      return await whole.request(request);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  return {
    connection,
    cut() {
      isCut = true;
      lives.abort(new Error("the wire is cut"));
    },
    blind: () => (isBlind = true),
    mend() {
      isCut = isBlind = false;
      lives = new AbortController();
    },
  };
}
