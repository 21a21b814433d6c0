// The queue's promises: once each, never two at once, later in its own time, failures by their class.
import { expect, test } from "vitest";
import { testClock } from "#test/support/clock.ts";
import { KnownError } from "#wire/errors.ts";
import { type Next, Queue, type QueueMetrics } from "./queue.ts";

const silent: QueueMetrics = { added() {}, depth() {}, waited() {}, worked() {}, retried() {}, active() {} };
const refused = new KnownError("invalid", "no");
const flaky = new KnownError("transient", "later");

function aQueue(work: (key: string) => Promise<Next>, { concurrency = 1 } = {}) {
  const clock = testClock();
  const waits: number[] = [];
  const backoff = (error: KnownError, failures: number): number | undefined => {
    if (error.class === "invalid") return undefined;
    waits.push(failures);
    return failures * 100;
  };
  return { clock, waits, queue: new Queue({ clock, concurrency, work, backoff, metrics: silent }) };
}

/** Work that ends when the test says so. */
function byHand() {
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const work = async (key: string): Promise<Next> => {
    started.push(key);
    await new Promise<void>((resolve) => ends.push(resolve));
    return { is: "done" };
  };
  return { started, work, endNext: () => ends.shift()?.() };
}

test("a key that is added often is worked on once", async () => {
  const { started, work, endNext } = byHand();
  const { queue, clock } = aQueue(work);
  for (let n = 0; n < 5; n += 1) queue.add("a");
  await clock.advance(0);
  endNext();
  await clock.advance(0);
  expect(started).toEqual(["a"]);
});

test("a key that is added while it is worked on comes again, and never beside itself", async () => {
  const { started, work, endNext } = byHand();
  const { queue, clock } = aQueue(work, { concurrency: 4 });
  queue.add("a");
  await clock.advance(0);
  queue.add("a");
  queue.add("a");
  await clock.advance(0);
  expect(started).toEqual(["a"]);
  endNext();
  await clock.advance(0);
  expect(started).toEqual(["a", "a"]);
});

test("no more keys are worked on at once than it may be, in the order in which they came", async () => {
  const { started, work, endNext } = byHand();
  const { queue, clock } = aQueue(work, { concurrency: 2 });
  for (const key of ["a", "b", "c"]) queue.add(key);
  await clock.advance(0);
  expect(started).toEqual(["a", "b"]);
  endNext();
  await clock.advance(0);
  expect(started).toEqual(["a", "b", "c"]);
});

test("of several delays the earliest counts, and an add now answers them all", async () => {
  const { started, work, endNext } = byHand();
  const { queue, clock } = aQueue(work);
  queue.addAfter("a", 1000);
  queue.addAfter("a", 300);
  queue.addAfter("a", 2000);
  await clock.advance(299);
  expect(started).toEqual([]);
  await clock.advance(1);
  expect(started).toEqual(["a"]);
  endNext();
  queue.addAfter("a", 500);
  queue.add("a");
  await clock.advance(0);
  endNext();
  await clock.advance(5000);
  expect(started).toEqual(["a", "a"]);
});

test("a delay of weeks is a day, since a timer of weeks would fire at once", async () => {
  const { queue, clock } = aQueue(async () => await Promise.resolve({ is: "done" }));
  queue.addAfter("a", 40 * 86_400_000);
  await clock.advance(0);
  expect(clock.sleeps).toEqual([86_400_000]);
});

test("timers that are answered end for one reason, which costs no stack each time", async () => {
  const { started, work } = byHand();
  const { queue, clock } = aQueue(work, { concurrency: 2 });
  const sleep = clock.sleep.bind(clock);
  const signals: (AbortSignal | undefined)[] = [];
  clock.sleep = async (ms, signal) => {
    signals.push(signal);
    await sleep(ms, signal);
  };
  for (const key of ["a", "b"]) {
    queue.addAfter(key, 1000);
    queue.add(key);
  }
  await clock.advance(0);
  expect(started).toEqual(["a", "b"]);
  const [first, second] = signals.map((signal): unknown => signal?.reason);
  expect(first).toBeInstanceOf(Error);
  expect(second).toBe(first);
});

test("failures in a row wait longer, one success starts over, what is invalid waits for a change", async () => {
  const outcomes: Next[] = [
    { is: "retry", error: flaky },
    { is: "retry", error: flaky },
    { is: "done" },
    { is: "retry", error: flaky },
    { is: "retry", error: refused },
  ];
  const { queue, clock, waits } = aQueue(async () => await Promise.resolve(outcomes.shift() ?? { is: "done" }));
  queue.add("a");
  await clock.advance(100 + 200);
  queue.add("a");
  await clock.advance(100);
  expect(waits).toEqual([1, 2, 1]);
  expect(clock.sleeping).toBe(0);
});

test("work that throws is tried again like any other failure", async () => {
  let tries = 0;
  const { queue, clock } = aQueue(async () => {
    tries += 1;
    if (tries === 1) throw new Error("a bug");
    return await Promise.resolve({ is: "done" });
  });
  queue.add("a");
  await clock.advance(100);
  expect(tries).toBe(2);
});

/** Work that makes no call is one row of microtasks. Each key takes a millisecond at least. */
async function workedWithoutACall(queues: number, keys: number) {
  // What the test before has begun is over with its turn.
  await testClock().advance(0);
  const worked: string[] = [];
  /** How many keys were worked on between one turn of the event loop and the next. */
  const betweenTurns: number[] = [];
  const all = Promise.withResolvers<void>();
  const work = async (key: string): Promise<Next> => {
    for (const until = performance.now() + 1; performance.now() < until;);
    worked.push(key);
    if (worked.length === queues * keys) all.resolve();
    return await Promise.resolve({ is: "done" });
  };
  let before = 0;
  const turn = (): void => {
    betweenTurns.push(worked.length - before);
    before = worked.length;
    if (worked.length < queues * keys) setImmediate(turn);
  };
  setImmediate(turn);
  for (let n = 0; n < queues; n += 1) {
    const { queue } = aQueue(work);
    for (let key = 0; key < keys; key += 1) queue.add(`${n}/${key}`);
  }
  await all.promise;
  turn();
  return { worked, betweenTurns };
}

test("work that makes no call lets timers and sockets in between, or a Lease would be lost over many keys; and it loses none", async () => {
  const { worked, betweenTurns } = await workedWithoutACall(1, 100);
  // Ten milliseconds, what began as they were nearly over, and what began before anybody asked.
  expect(Math.max(...betweenTurns)).toBeLessThanOrEqual(10 + 2);
  expect(worked).toEqual(Array.from({ length: 100 }, (_, key) => `0/${key}`));
});

test("queues that work at the same time keep the event loop together no longer than one, and none waits for another's end", async () => {
  const { worked, betweenTurns } = await workedWithoutACall(3, 40);
  expect(Math.max(...betweenTurns)).toBeLessThanOrEqual(10 + 3 * 2);
  for (const queue of ["0", "1", "2"])
    expect(worked.slice(0, 60).filter((key) => key.startsWith(queue)).length).toBeGreaterThan(15);
});

test("stopping starts nothing more and waits for what runs", async () => {
  const { started, work, endNext } = byHand();
  const { queue, clock } = aQueue(work);
  queue.add("a");
  queue.add("b");
  queue.addAfter("c", 10);
  await clock.advance(0);
  let stopped = false;
  const stopping = queue.stop().then(() => (stopped = true));
  await clock.advance(1000);
  expect(stopped).toBe(false);
  endNext();
  await stopping;
  expect(started).toEqual(["a"]);
});
