// Only Open is open; what closed it, and for how long, can be told.
import { expect, test } from "vitest";
import { type StateObject, stateReader } from "#drain/state.ts";
import type { Reader } from "#kube/reader.ts";
import { testClock } from "#test/support/clock.ts";
import { gate } from "./gate.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok" };

function aGate(answer: () => Promise<StateObject | undefined> = () => Promise.resolve(undefined)) {
  const clock = testClock();
  const reader = { get: answer } as unknown as Reader;
  return { clock, gate: gate(stateReader(reader, release), clock) };
}

function state(data?: Record<string, string>): StateObject {
  return { metadata: { name: "ngrok-drain-state", namespace: "ops" }, ...(data === undefined ? {} : { data }) };
}

test("closed until the state has been read, open as Helm renders it, closed by a mark", () => {
  const { gate: it } = aGate();
  expect(it.open).toBe(false);
  it.observe(state());
  expect(it.open).toBe(true);
  it.observe(state({ phase: "Draining", policy: "Delete", driver: "hook", by: "pod/hook/1", since: "today" }));
  expect(it.open).toBe(false);
  expect(it.why).toContain("a drain (Delete) is under way since today, started by pod/hook/1");
});

test("a state that is wiped after a mark stays closed, an explicit Open opens it (F11)", () => {
  const { gate: it } = aGate();
  it.observe(state({ phase: "Draining" }));
  it.observe(state());
  expect(it.open).toBe(false);
  it.observe(state({ phase: "Open" }));
  expect(it.open).toBe(true);
});

test("a state that is gone or cannot be read is closed", async () => {
  const { gate: it } = aGate(() => Promise.reject(new Error("no answer")));
  it.observe(state());
  it.observe(undefined);
  expect(it.open).toBe(false);
  it.observe(state());
  await it.fresh(new AbortController().signal);
  expect(it.open).toBe(false);
  expect(it.why).toContain("no answer");
});

test("the time of being closed counts from the closing, whatever closes it further", async () => {
  const { gate: it, clock } = aGate();
  await clock.advance(5_000);
  expect(it.closedFor).toBe(5_000);
  it.observe(state());
  expect(it.closedFor).toBe(0);
  it.observe(state({ phase: "Draining" }));
  await clock.advance(2_000);
  it.observe(state({ phase: "Drained" }));
  await clock.advance(1_000);
  expect(it.closedFor).toBe(3_000);
});

test("a state that stays away is a reason not to be ready, but not in the first minute of an install", async () => {
  const { gate: it, clock } = aGate();
  it.observe(undefined);
  await clock.advance(59_000);
  expect(it.loud).toBeUndefined();
  await clock.advance(1_000);
  expect(it.loud).toBe("the drain state ConfigMap is not there");
  it.observe(state());
  expect(it.loud).toBeUndefined();
});

test("listeners hear each change of phase or driver once", () => {
  const { gate: it } = aGate();
  const heard: string[] = [];
  it.onChange(({ phase }) => heard.push(phase));
  const draining = { phase: "Draining", driver: "leader", by: "a" };
  for (const data of [undefined, undefined, draining, draining, { ...draining, driver: "hook", by: "b" }])
    it.observe(state(data));
  expect(heard).toEqual(["Open", "Draining", "Draining"]);
});
