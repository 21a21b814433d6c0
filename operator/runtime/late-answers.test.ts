// Answers to our own writes come by another way than the watch, and may come after it has told that their object is gone:
// nothing may serve again for an object that is not there.
import { expect, onTestFinished, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import type { Connection, KubeRequest, WatchEvent } from "#kube/connection.ts";
import { aCloudEndpoint } from "#test/support/builders.ts";
import { testClock } from "#test/support/clock.ts";
import { KnownError } from "#wire/errors.ts";
import { cloudEndpointController } from "../controllers/cloud-endpoint/controller.ts";
import { openLog } from "./log.ts";
import { metrics as openMetrics } from "./metrics.ts";
import { watches as openWatches } from "./watches.ts";

const expired = new KnownError("gone", "too old resource version", { status: 410, code: "Expired" });

function anEndpoint(resourceVersion: number, uid = "first") {
  return aCloudEndpoint({ metadata: { uid, resourceVersion: String(resourceVersion) } });
}

/** A store that a watch fills from a scripted server, whose list shows one endpoint as of 100. */
async function scene() {
  const clock = testClock();
  const list = { items: [anEndpoint(90)], at: 100 };
  let next = Promise.withResolvers<WatchEvent>();
  const connection: Connection = {
    server: "https://scripted",
    request: ({ path }: KubeRequest) => {
      const items = path.endsWith("/cloudendpoints") ? list.items : [];
      return Promise.resolve({ items, metadata: { resourceVersion: String(list.at) } });
    },
    async *watch({ path, signal }): AsyncGenerator<WatchEvent> {
      signal.addEventListener("abort", () => next.reject(signal.reason as Error));
      const never = Promise.withResolvers<WatchEvent>();
      for (;;) yield await (path.endsWith("/cloudendpoints") ? next.promise : never.promise);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const it = openWatches({
    connection,
    controllers: [cloudEndpointController],
    release: { name: "ngrok", namespace: "ops", fullname: "ngrok" },
    clusterWide: true,
    clock,
    metrics: openMetrics({ processMetrics: false }),
    log: openLog({ level: "error", encoder: "json", secrets: [] }, { write: () => undefined }),
    gate: { onChange: () => () => {} },
  });
  const end = new AbortController();
  onTestFinished(() => end.abort(new Error("the test has ended")));
  void it.run(end.signal).catch(() => undefined);
  await clock.advance(0);
  const store = it.cache.store(CloudEndpoint);
  const told = async (type: WatchEvent["type"], object: WatchEvent["object"]): Promise<void> => {
    const { resolve } = next;
    next = Promise.withResolvers();
    resolve({ type, object });
    await clock.advance(0);
  };
  const forgets = async (): Promise<void> => {
    const { reject } = next;
    next = Promise.withResolvers();
    reject(expired);
    await clock.advance(10_000);
  };
  const held = (): string[] =>
    [...store.values()].map(({ metadata: { uid, resourceVersion } }) => `${uid}@${resourceVersion}`);
  return { list, store, told, forgets, held };
}

test("an answer that comes after the deletion of its object brings nothing back", async () => {
  const { store, told, held } = await scene();
  await told("MODIFIED", anEndpoint(106));
  await told("DELETED", anEndpoint(107));
  store.put(anEndpoint(105));
  expect(held()).toEqual([]);
});

test("nor does one whose object is missing from a new list, when the server has forgotten the watch's place", async () => {
  const { list, store, forgets, held } = await scene();
  Object.assign(list, { items: [], at: 110 });
  await forgets();
  store.put(anEndpoint(105));
  expect(held()).toEqual([]);
});

test("nor the answer of a creation, when the deletion was quicker", async () => {
  const { store, told, held } = await scene();
  await told("DELETED", anEndpoint(101));
  await told("ADDED", anEndpoint(102, "second"));
  await told("DELETED", anEndpoint(103, "second"));
  store.put(anEndpoint(102, "second"));
  expect(held()).toEqual([]);
});

test("a namesake that was made meanwhile stays, whatever is answered about the one before", async () => {
  const { store, told, held } = await scene();
  await told("DELETED", anEndpoint(107));
  await told("ADDED", anEndpoint(108, "second"));
  store.put(anEndpoint(105));
  expect(held()).toEqual(["second@108"]);
});

test("what is newer than all that the watch has told is held at once: an answer is quicker as a rule", async () => {
  const { store, told, held } = await scene();
  store.put(anEndpoint(105));
  expect(held()).toEqual(["first@105"]);
  await told("MODIFIED", anEndpoint(106));
  await told("DELETED", anEndpoint(107));
  store.put(anEndpoint(108, "second"));
  expect(held()).toEqual(["second@108"]);
});

test("what a list shows is held, however old it is", async () => {
  const { list, told, forgets, held } = await scene();
  await told("DELETED", anEndpoint(107));
  Object.assign(list, { items: [anEndpoint(95, "older")], at: 110 });
  await forgets();
  expect(held()).toEqual(["older@95"]);
});

test("so is what it shows after a backup was restored, whose count is lower; and an answer from then brings nothing back", async () => {
  const { list, store, told, forgets, held } = await scene();
  Object.assign(list, { items: [anEndpoint(40)], at: 50 });
  await forgets();
  expect(held()).toEqual(["first@40"]);
  await told("DELETED", anEndpoint(52));
  store.put(anEndpoint(51));
  expect(held()).toEqual([]);
});
