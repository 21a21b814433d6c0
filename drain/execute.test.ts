// What one refused step means for those after it, with hands that only take notes.
import { expect, test } from "vitest";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { Domain } from "#api/domain.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";
import type { Writer } from "#kube/writer.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import { aBoundEndpoint, aDomain } from "#test/support/builders.ts";
import { testClock } from "#test/support/clock.ts";
import { FenceLost, KnownError } from "#wire/errors.ts";
import type { DrainEvent } from "./events.ts";
import { execute } from "./execute.ts";
import type { Hands } from "./hands.ts";
import { rows } from "./kinds.ts";
import type { Step } from "./plan.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" };

function deleted(kind: Kind, object: KubeObject): Step {
  const row = rows.find((one) => one.kind === kind);
  if (row === undefined) throw new Error(`no row of ${kind.kind}`);
  const at = { row, object, whose: "stamp", deleting: true, foreign: [] } as const;
  return { at, act: "delete", stamp: "stays", why: "" };
}

function handsWith(read: Reader, write: Writer, ngrok: NgrokPort): Hands {
  const fence = { signal: new AbortController().signal, assertMayWrite() {} };
  // Reader and writer stand for the connection: nothing here goes past them.
  return { connection: {} as never, read, write, ngrok, fence, clock: testClock() };
}

/** The steps one after another, each begun when the one before has ended; by a key with which nothing may be deleted. */
async function outcomes(steps: readonly Step[]): Promise<{ readonly seen: readonly string[]; readonly asked: number }> {
  const { signal } = new AbortController();
  const read = {
    get: async () => await Promise.resolve(undefined),
    async *pages() {
      yield await Promise.resolve({ items: steps.map(({ at }) => at.object) });
    },
  } as unknown as Reader;
  const write = { removeFinalizer: async () => await Promise.resolve("removed") } as unknown as Writer;
  let asked = 0;
  const remove = () => {
    asked += 1;
    return Promise.reject(new KnownError("invalid", "not with this key", { status: 403, code: "ERR_NGROK_206" }));
  };
  const ngrok = { domains: { remove } } as unknown as NgrokPort;
  const hands = handsWith(read, write, ngrok);
  const ends = steps.map(() => Promise.withResolvers<void>());
  let begun = 0;
  const source: AsyncIterator<Step> = {
    async next() {
      const n = begun++;
      await ends[n - 1]?.promise;
      const value = steps[n];
      return value === undefined ? { done: true, value: undefined } : { done: false, value };
    },
  };
  const seen: string[] = [];
  const replan = (_: unknown, object: KubeObject) => steps.find(({ at }) => at.object === object);
  for await (const event of execute(source, hands, release, replan, signal)) {
    if (event.is === "did" || event.is === "failed") seen.push(`${event.step.at.row.kind.kind} ${event.is}`);
    ends[seen.length - 1]?.resolve();
  }
  return { seen, asked };
}

test("a refused key holds what is at ngrok, which is asked once, and not the Services of a BoundEndpoint, which are none of its business", async () => {
  const domain = deleted(Domain, aDomain({ metadata: { uid: "u-1" }, status: { id: "rd_1" } }));
  const { seen, asked } = await outcomes([
    domain,
    deleted(BoundEndpoint, aBoundEndpoint({ metadata: { uid: "u-2" } })),
    domain,
  ]);
  expect(seen).toEqual(["Domain failed", "BoundEndpoint did", "Domain failed"]);
  expect(asked).toBe(1);
});

/** Three Domains at work at once, whose finalizers the API server takes off when the test says so. */
function atWork() {
  const { signal } = new AbortController();
  const steps = ["a", "b", "c"].map((name): Step => ({
    ...deleted(Domain, aDomain({ metadata: { name, uid: `u-${name}` } })),
    act: "free",
  }));
  const answers = new Map(
    steps.map(({ at }) => [at.object.metadata.name, Promise.withResolvers<"removed">()] as const),
  );
  const write = {
    removeFinalizer: async ({ ref }: { ref: { name: string } }) => await answers.get(ref.name)?.promise,
  } as unknown as Writer;
  const read = { get: async () => await Promise.resolve(undefined) } as unknown as Reader;
  async function* source(): AsyncGenerator<Step> {
    yield* steps;
  }
  const hands = handsWith(read, write, {} as NgrokPort);
  return { events: execute(source(), hands, release, () => undefined, signal), answers };
}

/** All that is told from here on, and the error that ends it. */
async function rest(events: AsyncIterable<DrainEvent>): Promise<readonly string[]> {
  const told: string[] = [];
  try {
    for await (const event of events)
      if ("step" in event) told.push(`${event.step.at.object.metadata.name} ${event.is}`);
  } catch (error) {
    told.push((error as Error).message);
  }
  return told.toSorted();
}

const turnOfTheLoop = async () => await new Promise((resolve) => setImmediate(resolve));

test("the fence is lost with writes on their way: each is told as stopped, for the server may have done it (F12)", async () => {
  const { events, answers } = atWork();
  const told = rest(events);
  await turnOfTheLoop();
  answers.get("a")?.resolve("removed");
  for (const name of ["b", "c"]) answers.get(name)?.reject(new FenceLost("the Lease is gone"));
  expect(await told).toEqual(["a did", "b stopped", "c stopped", "the Lease is gone"]);
});

test("what was done while somebody still looks at what came before is told, also when the fence is lost then (F12)", async () => {
  const { events, answers } = atWork();
  const first = events.next();
  await turnOfTheLoop();
  answers.get("a")?.resolve("removed");
  expect((await first).value).toMatchObject({ is: "did" });
  answers.get("b")?.resolve("removed");
  answers.get("c")?.reject(new FenceLost("the Lease is gone"));
  await turnOfTheLoop();
  expect(await rest(events)).toEqual(["b did", "c stopped", "the Lease is gone"]);
});
