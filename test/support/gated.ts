// One controller at work in memory, whichever pod it is of, under a drain state: what it writes, what it asks ngrok, and
// whether its own code is entered at all. Stricter than a pod is with itself: a leader would end its term at the mark and let
// its watches rest; here they go on, so that only the gate is between an event and a write.
import { CustomResourceDefinition, ConfigMap } from "#kube/kinds.ts";
import { stateReader, stateRef } from "#drain/state.ts";
import { isOwnKind } from "#api/define-kind.ts";
import { type Kind, resourceName } from "#kube/kind.ts";
import { reader } from "#kube/reader.ts";
import { writer } from "#kube/writer.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import { type Controller, enabled } from "#operator/runtime/define-controller.ts";
import type { ReplicaController } from "#operator/runtime/define-replica.ts";
import { followState } from "#operator/runtime/follow-state.ts";
import { gate as openGate } from "#operator/runtime/gate.ts";
import { KeyCheck } from "#operator/runtime/key.ts";
import { openLog } from "#operator/runtime/log.ts";
import { metrics as openMetrics } from "#operator/runtime/metrics.ts";
import type { Options } from "#operator/runtime/options.ts";
import { Recent } from "#operator/runtime/recent.ts";
import { startReplica } from "#operator/runtime/replica.ts";
import { startTerm } from "#operator/runtime/term.ts";
import { kindsReadBy, watches as openWatches } from "#operator/runtime/watches.ts";
import { afterUninstall } from "#wire/fence.ts";
import { asError, KnownError } from "#wire/errors.ts";
import { testClock } from "./clock.ts";
import { memoryServer, type MemoryServer } from "./memory-server.ts";
import { everyKind, MANAGER, release } from "./one-of-each.ts";

export type AnyController = Controller | ReplicaController;

/** What has been heard of a controller since the last time. */
export interface Heard {
  /** To the API server, events included. */
  readonly writes: readonly string[];
  /** Of ngrok, or dialled in the cluster. */
  readonly calls: readonly string[];
  /** Which of the controller's functions were entered. */
  readonly entered: readonly string[];
}

export const silence: Heard = { writes: [], calls: [], entered: [] };

export interface Gated extends AsyncDisposable {
  readonly server: MemoryServer;
  /** The kinds whose events it hears; none while its feature is off and it has nothing to let go. */
  readonly kinds: readonly Kind[];
  /** What the drain state's ConfigMap holds; undefined: it is not there. */
  state(data: Readonly<Record<string, string>> | undefined): Promise<void>;
  /** Lets everything happen that does by itself, for half a minute; what was heard since the last time. */
  heard(): Promise<Heard>;
  /** The term ends, as it does before the Lease is freed. */
  stop(): Promise<void>;
  /** Lets time go by. */
  pass(ms: number): Promise<void>;
  /** How often it was told to look at something. */
  readonly woken: number;
  /** How many things it is looking at. */
  readonly busy: number;
}

const options: Options = {
  version: "0",
  description: "",
  region: "",
  features: [],
  managerName: MANAGER,
  clusterDomain: "svc.cluster.local",
  defaultDomainReclaimPolicy: "Delete",
  drainPolicy: "Delete",
  bindings: { endpointSelectors: ["true"], serviceAnnotations: {}, serviceLabels: {}, ingressEndpoint: "" },
  uninstall: { hook: true, helmSeconds: 300, crdsGo: false, callsPerMinute: undefined },
  metadata: {},
};

export async function startGated(
  controller: AnyController,
  { features, crds = "there" }: { features: Options["features"]; crds?: "there" | "going" },
): Promise<Gated> {
  const server = memoryServer([...everyKind, CustomResourceDefinition]);
  const end = new AbortController();
  const [calls, entered] = [[] as string[], [] as string[]];
  const clock = testClock();
  const { connection } = server;
  const read = reader(connection);
  const gate = openGate(stateReader(read, release), clock);
  const metrics = openMetrics({ processMetrics: false });
  const log = openLog({ level: "error", encoder: "json", secrets: [] }, { write: () => undefined });
  let [woken, busy] = [0, 0];
  const counted: typeof metrics = {
    ...metrics,
    queue: (name) => ({ ...metrics.queue(name), added: () => (woken += 1), active: (workers) => (busy = workers) }),
  };
  const seen = watched(controller, entered, features);
  const parts = { connection, release, clusterWide: true, gate, clock, log, metrics: counted };
  const watches = openWatches({ ...parts, controllers: seen, options: { ...options, features } });
  for (const kind of everyKind.filter(isOwnKind)) server.put(CustomResourceDefinition, crd(kind, crds));
  let broken: unknown;
  const running = [watches.run(end.signal), followState(parts, gate, end.signal)].map((one) =>
    one.catch((error: unknown) => (broken = end.signal.aborted ? undefined : error)),
  );
  const works = seen.map((one) => {
    if (one.role === "leader")
      return startTerm({
        ...parts,
        controllers: [one],
        watches,
        reader: read,
        writer: writer(connection, afterUninstall(end.signal)),
        ngrok: recording("ngrok", (name) => unanswered(name, calls, server)) as NgrokPort,
        dial: async () => await unanswered("dial", calls, server),
        options: { ...options, features },
        key: new KeyCheck(),
        instance: "pod",
        heldSince: clock.now(),
        signal: end.signal,
        onTerminating: () => {},
      });
    // As in a pod of replicas: what is deleted during a drain is closed then.
    watches.use();
    const recent = new Recent(gate, clock);
    const events = { tell: () => calls.push("event") > 0 };
    const work = { controller: one, hands: recording("hands", () => undefined) };
    return startReplica(work, { ...parts, watches, recent, reader: read, pod: "pod", events, signal: end.signal });
  });
  const stop = async (): Promise<void> => void (await Promise.all(works.map(async (work) => await work.stop())));
  return {
    server,
    stop,
    kinds: seen.flatMap(kindsReadBy),
    async state(data) {
      const object = { metadata: stateRef(release), ...(data === undefined ? {} : { data }) };
      if (data === undefined) server.remove(ConfigMap, object);
      else server.put(ConfigMap, object);
      await clock.advance(1);
    },
    async heard() {
      await clock.advance(30_000);
      if (broken !== undefined) throw asError(broken);
      return { writes: server.writes.splice(0), calls: calls.splice(0), entered: entered.splice(0) };
    },
    pass: async (ms) => await clock.advance(ms),
    get woken() {
      return woken;
    },
    get busy() {
      return busy;
    },
    async [Symbol.asyncDispose]() {
      const stopped = stop();
      end.abort(new Error("the test has ended"));
      await clock.advance(30_000);
      await Promise.allSettled([stopped, ...running]);
    },
  };
}

/** The controller as it runs with these features, and noting when it is entered. */
function watched(
  controller: AnyController,
  entered: string[],
  features: Options["features"],
): readonly AnyController[] {
  const note = (one: AnyController): AnyController => {
    const noted = { ...one } as Record<string, unknown>;
    for (const name of ["apply", "cleanup"] as const) {
      const given = noted[name] as ((...args: unknown[]) => unknown) | undefined;
      if (given === undefined) continue;
      noted[name] = (...args: unknown[]) => {
        entered.push(name);
        return given(...args);
      };
    }
    return noted as unknown as AnyController;
  };
  return (controller.role === "replica" ? [controller] : enabled([controller], features)).map(note);
}

function crd(kind: Kind, is: "there" | "going") {
  const gone = is === "going" ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {};
  return { metadata: { name: resourceName(kind), ...gone } };
}

/** Noted; fails at once, or once the server gives its answers again. */
function unanswered(name: string, calls: string[], server: MemoryServer): Promise<never> {
  calls.push(name);
  const answer = (async () => {
    await server.held;
    throw new KnownError("transient", `${name} is not reached`, { code: "ECONNREFUSED" });
  })();
  answer.catch(() => {});
  // Who asks for pages awaits no promise.
  return Object.assign(answer, { [Symbol.asyncIterator]: () => ({ next: async () => await answer }) });
}

/** Anything that is called on it, however deep, is noted by its path and answered so. */
function recording(name: string, answer: (name: string) => unknown): unknown {
  return new Proxy(() => answer(name), {
    get: (_, key) => (key === "then" || typeof key === "symbol" ? undefined : recording(`${name}.${key}`, answer)),
  });
}
