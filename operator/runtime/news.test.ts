// What fails again and again is not the same warning again and again, whoever works on it; and nothing is remembered of what is gone.
import { expect, onTestFinished, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import type { Connection } from "#kube/connection.ts";
import type { KubeObject } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";
import { aCloudEndpoint, anAgentEndpoint } from "#test/support/builders.ts";
import { testClock } from "#test/support/clock.ts";
import { aReconcile } from "#test/support/one-reconcile.ts";
import { KnownError } from "#wire/errors.ts";
import { Cache } from "./cache.ts";
import { done, failed } from "./define-controller.ts";
import { defineKeyed, source } from "./define-keyed.ts";
import { defineReplicaController, type ReplicaOutcome, withHands } from "./define-replica.ts";
import { type KeyedParts, startKeyed } from "./keyed.ts";
import { type Log, openLog } from "./log.ts";
import { metrics } from "./metrics.ts";
import { News } from "./news.ts";
import { type ReplicaParts, startReplica } from "./replica.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/** A log, and what it was warned of. */
function aLog(): { log: Log; warned: () => string[]; all: () => number } {
  const lines: { level: string; msg: string; err?: string }[] = [];
  const write = (line: string): unknown => lines.push(JSON.parse(line) as (typeof lines)[number]);
  const log = openLog({ level: "debug", encoder: "json", secrets: [] }, { write });
  const warned = () => lines.filter(({ level }) => level === "warn").map(({ msg, err = "" }) => `${msg}: ${err}`);
  return { log, warned, all: () => lines.length };
}

function news() {
  const clock = testClock();
  const { log, warned, all } = aLog();
  const it = new News(log, clock);
  return { clock, warned, all, it, says: (key: string, err: string) => it.warn(key, { key, err }, "failed") };
}

test("what fails in the same words is warned of once an hour, and told at debug in between", async () => {
  const { clock, warned, all, says } = news();
  for (let n = 0; n < 120; n += 1) {
    says("a", "no");
    await clock.advance(60_000);
  }
  expect(warned()).toEqual(["failed: no", "failed: no"]);
  expect(all()).toBe(120);
});

test("other words are news at once, another key's are, and so are the same ones after all was well", () => {
  const { warned, it, says } = news();
  for (const err of ["no", "no", "never", "never"]) says("a", err);
  says("b", "no");
  it.forget("a");
  says("a", "no");
  expect(warned()).toEqual(["failed: no", "failed: never", "failed: no", "failed: no"]);
});

test("an outage that is worded in several ways, in turn, is warned of once in each; how long was waited is no other way", () => {
  const { warned, says } = news();
  for (let n = 0; n < 50; n += 1) {
    says("a", `no answer within ${9_000 + n} ms`);
    says("a", "connection refused");
  }
  expect(warned()).toEqual(["failed: no answer within 9000 ms", "failed: connection refused"]);
});

test("nothing is remembered for longer than the hour, of whatever is gone meanwhile", async () => {
  const { clock, it, says } = news();
  for (let n = 0; n < 1_000; n += 1) {
    for (let text = 0; text < 10; text += 1) says(`key-${n}`, `text ${text}`);
    await clock.advance(60_000);
  }
  expect(it.size).toBe(60);
});

const refused = new KnownError("transient", "no");

test("a reconcile that fails in the same words for two hours is two warnings, and one more when it fails after it was done", async () => {
  let isBroken = true;
  const { clock, lines, work, forget } = aReconcile({ apply: () => (isBroken ? failed(refused) : done()) });
  for (let n = 0; n < 120; n += 1) {
    await work();
    await clock.advance(60_000);
  }
  expect(lines).toHaveLength(2);
  isBroken = false;
  await work();
  isBroken = true;
  await work();
  await work();
  expect(lines).toHaveLength(3);
  forget();
  await work();
  expect(lines).toHaveLength(4);
});

test("so is a status that the API server refuses, whatever the reconcile came to", async () => {
  const { lines, work } = aReconcile({ statusError: new KnownError("invalid", "denied") });
  for (let n = 0; n < 10; n += 1) await work();
  expect(lines).toHaveLength(1);
});

test("so is a key that fails for a day: 24 warnings", async () => {
  const clock = testClock();
  const { log, warned } = aLog();
  const cache = new Cache();
  cache.add(CloudEndpoint).put(aCloudEndpoint());
  let tries = 0;
  const keys = defineKeyed({
    name: "keys",
    manager: "api-manager",
    role: "leader",
    sources: [source({ kind: CloudEndpoint, keys: () => ["web"] })],
    rbac: [],
    async apply() {
      tries += 1;
      return await Promise.resolve({ is: "failed", error: refused });
    },
  });
  const end = new AbortController();
  const work = startKeyed(keys, { ...parts(cache), clock, log, ending: end.signal } as unknown as KeyedParts);
  onTestFinished(async () => await work.stop());
  await clock.advance(DAY_MS - HOUR_MS / 2);
  expect(tries).toBeGreaterThan(1_000);
  expect(warned()).toEqual(Array.from({ length: 24 }, () => "failed: no"));
});

test("so is an object that a replica cannot serve, once an hour, and its namesake afresh", async () => {
  const clock = testClock();
  const { log, warned } = aLog();
  const cache = new Cache();
  const store = cache.add(AgentEndpoint);
  const endpoint = (uid: string): KubeObject => anAgentEndpoint({ metadata: { uid, resourceVersion: uid } });
  store.put(endpoint("1") as AgentEndpoint);
  const controller = defineReplicaController<AgentEndpoint, unknown>({
    name: "replica",
    manager: "agent-manager",
    role: "replica",
    kind: AgentEndpoint,
    rbac: [],
    fieldManager: (pod) => pod,
    apply: async () => await Promise.resolve<ReplicaOutcome<AgentEndpoint>>({ is: "failed", error: refused }),
    close: async () => await Promise.resolve(),
  });
  const work = startReplica(withHands(controller, undefined), {
    ...parts(cache),
    recent: { isOpen: async () => await Promise.resolve(true) },
    connection: {} as Connection,
    reader: {} as Reader,
    clock,
    log,
  } as unknown as ReplicaParts);
  onTestFinished(async () => await work.stop());
  await clock.advance(HOUR_MS / 2);
  expect(warned()).toEqual(["failed: no"]);
  store.put(endpoint("2") as AgentEndpoint);
  await clock.advance(HOUR_MS / 2);
  expect(warned()).toEqual(["failed: no", "failed: no"]);
});

function parts(cache: Cache): object {
  const { signal } = new AbortController();
  return {
    watches: { cache, ready: async () => await Promise.resolve() },
    gate: { open: true, onChange: () => () => {} },
    release: { name: "ngrok", namespace: "ops", fullname: "ngrok" },
    metrics: metrics({ processMetrics: false }),
    signal,
  };
}
