// What the stores hold through a drain: nothing but the install's own object, and after a cancel a whole new list before
// anybody works from it.
import { expect, onTestFinished, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { DrainState } from "#drain/state.ts";
import type { Connection, KubeRequest, WatchEvent, WatchRequest } from "#kube/connection.ts";
import { Pod, Secret } from "#kube/kinds.ts";
import { aCloudEndpoint, aKubernetesOperator } from "#test/support/builders.ts";
import { testClock } from "#test/support/clock.ts";
import { nested } from "#test/support/nested.ts";
import { KnownError } from "#wire/errors.ts";
import { cloudEndpointController } from "../controllers/cloud-endpoint/controller.ts";
import { kubernetesOperatorController } from "../controllers/kubernetes-operator/controller.ts";
import { type LeaderController, watching } from "./define-controller.ts";
import { openLog } from "./log.ts";
import { metrics as openMetrics } from "./metrics.ts";
import { watches as openWatches } from "./watches.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok" };
const controllers = [cloudEndpointController, kubernetesOperatorController];
const mark = { policy: "Retain", driver: "hook", by: "pod/hook/1", since: "today" } as const;
const open: DrainState = { phase: "Open", explicit: true };
const draining: DrainState = { phase: "Draining", ...mark };
const drained: DrainState = { phase: "Drained", ...mark };
const unknown: DrainState = { phase: "Unknown", why: "wiped" };

function anEndpoint(name: string, id: string) {
  return aCloudEndpoint({ metadata: { name, uid: name, resourceVersion: "1" }, status: { id } });
}

/** A server that lists these endpoints and one KubernetesOperator; its lists can be kept waiting. */
function scene() {
  const server = {
    endpoints: [anEndpoint("a", "ep_a"), anEndpoint("b", "ep_b")],
    lists: 0,
    watching: new Set<string>(),
  };
  let held: Promise<void> | undefined;
  const connection: Connection = {
    server: "https://scripted",
    async request({ path }: KubeRequest) {
      const isEndpoints = path.endsWith("/cloudendpoints");
      if (isEndpoints) {
        server.lists += 1;
        // An answer that has come already comes, whoever has lost interest meanwhile.
        await held;
      }
      const operator = aKubernetesOperator({
        metadata: { name: "ngrok", namespace: "ops", uid: "o", resourceVersion: "1" },
      });
      const all = path.endsWith("/kubernetesoperators") ? [operator] : [];
      return { items: isEndpoints ? [...server.endpoints] : all, metadata: { resourceVersion: "5" } };
    },
    async *watch({ path, signal }: WatchRequest): AsyncGenerator<WatchEvent> {
      signal.throwIfAborted();
      server.watching.add(path);
      try {
        yield await new Promise<WatchEvent>((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason as Error));
        });
      } finally {
        server.watching.delete(path);
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const clock = testClock();
  const lines: string[] = [];
  let hear: (state: DrainState) => void = () => {};
  const it = openWatches({
    connection,
    controllers,
    release,
    clusterWide: true,
    clock,
    metrics: openMetrics({ processMetrics: false }),
    log: openLog({ level: "error", encoder: "json", secrets: [] }, { write: (line) => lines.push(line) }),
    gate: { onChange: (listener) => ((hear = listener), () => {}) },
  });
  const end = new AbortController();
  onTestFinished(() => end.abort(new Error("the test has ended")));
  let broken: unknown;
  const settle = async (): Promise<void> => {
    await clock.advance(0);
    expect(broken).toBeUndefined();
  };
  const start = async (): Promise<void> => {
    void it.run(end.signal).catch((error: unknown) => (broken = end.signal.aborted ? undefined : error));
    await settle();
  };
  const turn = async (...states: DrainState[]): Promise<void> => {
    for (const state of states) hear(state);
    await settle();
  };
  /** Lists from now on wait for what is returned. */
  const hold = (): (() => void) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    held = promise;
    return resolve;
  };
  /** Whether somebody who works from the endpoints could begin. */
  const isReady = async (): Promise<boolean> => {
    let ready = false;
    void it.ready([CloudEndpoint], end.signal).then(
      () => (ready = true),
      () => undefined,
    );
    await settle();
    return ready;
  };
  return { it, server, endpoints: it.cache.store(CloudEndpoint), lines, start, settle, turn, hold, isReady };
}

test("a drain stops the watches and empties the stores and their indexes, of all but the KubernetesOperator", async () => {
  const { it, server, endpoints, start, turn } = scene();
  await start();
  expect(endpoints.size).toBe(2);

  await turn(draining);

  expect(endpoints.size).toBe(0);
  expect(it.cache.by(CloudEndpoint, "id", "ep_a")).toEqual([]);
  expect(it.cache.get(KubernetesOperator, { name: "ngrok", namespace: "ops" })).toBeDefined();
  expect([...server.watching].map((path) => path.split("/").at(-1))).toEqual(["kubernetesoperators"]);
});

test("what rests is no reason not to be ready, but nobody begins to work from it", async () => {
  const { it, start, turn, isReady } = scene();
  await start();
  await turn(draining);
  expect(it.unsynced()).toEqual([]);
  expect(await isReady()).toBe(false);
});

test("a state that is wiped or cannot be read neither begins the rest nor ends it: only Open does", async () => {
  const { server, endpoints, start, turn } = scene();
  await start();
  await turn(unknown);
  expect(endpoints.size).toBe(2);
  await turn(draining, unknown, drained, unknown);
  expect(endpoints.size).toBe(0);
  expect(server.lists).toBe(1);

  await turn(open);
  expect(endpoints.size).toBe(2);
  expect(server.lists).toBe(2);
});

test("after a cancel nobody works from the stores before the new list is whole, and what went meanwhile is not in it", async () => {
  const { it, server, endpoints, start, settle, turn, hold, isReady } = scene();
  await start();
  await turn(draining);
  server.endpoints = [anEndpoint("b", "ep_b"), anEndpoint("c", "ep_c")];
  const go = hold();

  await turn(open);
  expect(it.unsynced()).toContain("cloudendpoints.ngrok.k8s.ngrok.com");
  expect(await isReady()).toBe(false);

  go();
  await settle();
  expect(await isReady()).toBe(true);
  expect(it.unsynced()).toEqual([]);
  expect([...endpoints.keys()]).toEqual(["default/b", "default/c"]);
});

test("a mark and its cancel in one breath leave no old store behind that would be taken for whole", async () => {
  const { it, server, endpoints, start, settle, turn, hold, isReady } = scene();
  await start();
  const go = hold();
  await turn(draining, open);
  expect(await isReady()).toBe(false);
  expect(endpoints.size).toBe(0);
  go();
  await settle();
  expect(server.lists).toBe(2);
  expect(it.unsynced()).toEqual([]);
  expect(endpoints.size).toBe(2);
});

test("a mark before the first list ends it, and the list comes with Open", async () => {
  const { it, endpoints, start, settle, turn, hold, isReady } = scene();
  const go = hold();
  await start();
  await turn(draining);
  go();
  await settle();
  expect(endpoints.size).toBe(0);
  expect(await isReady()).toBe(false);
  expect(it.unsynced()).toEqual([]);
  await turn(open);
  expect(endpoints.size).toBe(2);
});

test("the stores stay whole until the last one who works from them has ended", async () => {
  const { it, server, endpoints, start, settle, turn, isReady } = scene();
  await start();
  const free = it.use();
  await turn(draining);
  expect(endpoints.size).toBe(2);
  expect(await isReady()).toBe(true);

  free();
  free();
  await settle();
  expect(endpoints.size).toBe(0);

  // A new term may have read Open before the watch brings it.
  const freeAgain = it.use();
  await settle();
  expect(endpoints.size).toBe(2);
  expect(server.lists).toBe(2);
  freeAgain();
});

test("two may watch the same part of a kind, and index it by the same function", () => {
  const part = { fieldSelector: "type=kubernetes.io/tls" };
  const byName = { name: ({ metadata }: { metadata: { name: string } }) => [metadata.name] };
  const one = { ...cloudEndpointController, watches: [watching(Secret, () => [], byName, part)] };
  const other = { ...kubernetesOperatorController, watches: [watching(Secret, () => [], byName, part)] };
  const opened = (second: LeaderController): unknown =>
    openWatches({
      connection: undefined as unknown as Connection,
      controllers: [one as LeaderController, second],
      release,
      clusterWide: true,
      clock: testClock(),
      metrics: openMetrics({ processMetrics: false }),
      log: openLog({ level: "error", encoder: "json", secrets: [] }, { write: () => undefined }),
      gate: { onChange: () => () => {} },
    });
  expect(() => opened(other as LeaderController)).not.toThrow();
  const whole = { ...other, watches: [watching(Secret, () => [])] };
  expect(() => opened(whole as LeaderController)).toThrow("secrets is watched in part by one controller");
  const otherName = { ...other, watches: [watching(Secret, () => [], { name: () => [] }, part)] };
  expect(() => opened(otherName as LeaderController)).toThrow("two indexes over secrets are called name");
});

test("a kind that is dispensable is done without while it may not be read, and told of when it may after all", async () => {
  const clock = testClock();
  let mayRead = false;
  const asked: unknown[] = [];
  const connection: Connection = {
    server: "https://scripted",
    request: async ({ path, query }: KubeRequest) => {
      if (path.endsWith("/pods")) asked.push(query?.["labelSelector"]);
      if (path.endsWith("/pods") && !mayRead)
        return await Promise.reject(new KnownError("invalid", "pods is forbidden", { status: 403 }));
      return { items: [], metadata: { resourceVersion: "5" } };
    },
    async *watch({ signal }: WatchRequest): AsyncGenerator<WatchEvent> {
      yield await new Promise<WatchEvent>((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
      });
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const part = { labelSelector: "role=agent", dispensable: true } as const;
  const it = openWatches({
    connection,
    controllers: [{ ...cloudEndpointController, watches: [watching(Pod, () => [], {}, part)] } as LeaderController],
    release,
    clusterWide: true,
    clock,
    metrics: openMetrics({ processMetrics: false }),
    log: openLog({ level: "error", encoder: "json", secrets: [] }, { write: () => undefined }),
    gate: { onChange: () => () => {} },
  });
  const end = new AbortController();
  onTestFinished(() => end.abort(new Error("the test has ended")));
  let told = 0;
  it.cache.store(Pod).onWhole(() => (told += 1));
  void it.run(end.signal).catch(() => undefined);
  await clock.advance(0);
  await it.ready([Pod, CloudEndpoint], end.signal);
  expect({ whole: it.cache.isWhole(Pod), unsynced: it.unsynced(), told }).toEqual({
    whole: false,
    unsynced: [],
    told: 0,
  });

  mayRead = true;
  await clock.advance(30_000);
  expect({ whole: it.cache.isWhole(Pod), told }).toEqual({ whole: true, told: 1 });
  expect(new Set(asked)).toEqual(new Set(["role=agent"]));
});

test("an object that is nested deeper than a walk can go is held like any other, and the watch goes on", async () => {
  const { server, endpoints, start, turn } = scene();
  const deep = anEndpoint("deep", "ep_deep");
  server.endpoints.unshift({
    ...deep,
    spec: { ...deep.spec, metadata: nested(), trafficPolicy: { inline: nested() } },
  });
  await start();
  expect([...endpoints.keys()]).toEqual(["default/deep", "default/a", "default/b"]);
  await turn(draining);
  expect(endpoints.size).toBe(0);
});

test("an object for which something throws is named in the log, without what it says, and the watch goes on", async () => {
  const { it, server, endpoints, lines, start } = scene();
  endpoints.onChange(({ after }) => {
    if (after?.metadata.name === "a") throw new SyntaxError(`"hunter2" is not valid JSON`);
  });
  const heard: (string | undefined)[] = [];
  endpoints.onChange(({ after }) => heard.push(after?.metadata.name));
  await start();
  expect(heard).toEqual(["a", "b"]);
  expect(it.unsynced()).toEqual([]);
  expect([...server.watching].some((path) => path.endsWith("/cloudendpoints"))).toBe(true);
  expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
    expect.objectContaining({ level: "error", object: "CloudEndpoint default/a", err: "SyntaxError" }),
  ]);
  expect(lines.join()).not.toContain("hunter2");
});
