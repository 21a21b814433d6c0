// A state that nobody can read is closed, and loud: in the metrics at once, in the log as an error when it has lasted.
import { expect, test } from "vitest";
import { type StateObject, stateReader } from "#drain/state.ts";
import type { Connection, WatchEvent } from "#kube/connection.ts";
import { type Reader, reader } from "#kube/reader.ts";
import { testClock } from "#test/support/clock.ts";
import { KnownError } from "#wire/errors.ts";
import { followState, tellState } from "./follow-state.ts";
import { gate as openGate } from "./gate.ts";
import { openLog } from "./log.ts";
import { metrics as openMetrics } from "./metrics.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok" };
const rendered: StateObject = { metadata: { name: "ngrok-drain-state", namespace: "ops" } };
const { signal } = new AbortController();

function told() {
  const clock = testClock();
  const gate = openGate(stateReader({} as Reader, release), clock);
  const metrics = openMetrics({ processMetrics: false });
  const lines: { level: string; msg: string; why?: string }[] = [];
  const log = openLog(
    { level: "info", encoder: "json", secrets: [] },
    { write: (line: string) => lines.push(JSON.parse(line) as (typeof lines)[number]) },
  );
  tellState({ connection: {} as Connection, release, clock, metrics, log }, gate, signal);
  const phase = async (): Promise<unknown> => {
    const { values = [] } = (await metrics.registry.getSingleMetric("ngrok_operator_drain_phase")?.get()) ?? {};
    return values.find(({ value }) => value === 1)?.labels["phase"];
  };
  const errors = () => lines.filter(({ level }) => level === "error").map(({ msg, why }) => `${msg}: ${why}`);
  return { clock, gate, phase, errors };
}

const GONE = "closed for a minute: the drain state ConfigMap is not there";

test("one that was never there is Unknown from the start, and an error after a minute", async () => {
  const { clock, gate, phase, errors } = told();
  expect(await phase()).toBe("Unknown");
  gate.observe(undefined);
  await clock.advance(59_000);
  expect(errors()).toEqual([]);
  await clock.advance(2_000);
  expect(errors()).toEqual([GONE]);
});

test("one that comes in time is none; one that goes later is, when it stays away", async () => {
  const { clock, gate, phase, errors } = told();
  gate.observe(rendered);
  expect(await phase()).toBe("Open");
  await clock.advance(3_600_000);
  gate.observe(undefined);
  expect(await phase()).toBe("Unknown");
  await clock.advance(30_000);
  expect(errors()).toEqual([]);
  await clock.advance(31_000);
  expect(errors()).toEqual([GONE]);
});

test("an Open of a server that was restored from a backup is heard, however old it looks", async () => {
  const states = [
    { version: "9000", phase: "Draining" },
    { version: "5000", phase: "Open" },
  ];
  const now = (): StateObject => {
    const { version: resourceVersion, phase } = states[0] ?? { version: "", phase: "" };
    return { metadata: { ...rendered.metadata, resourceVersion }, data: { phase } };
  };
  const end = new AbortController();
  const connection: Connection = {
    server: "https://scripted",
    request: async ({ path }) =>
      path.endsWith("/ngrok-drain-state") ? now() : { items: [now()], metadata: now().metadata },
    async *watch({ signal: until }): AsyncGenerator<WatchEvent> {
      yield { type: "BOOKMARK", object: now() };
      if (states.length === 1) await new Promise((resolve) => until.addEventListener("abort", resolve));
      states.shift();
      throw new KnownError("gone", "too old resource version", { status: 410, code: "Expired" });
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  const clock = testClock({ hurry: true });
  const gate = openGate(stateReader(reader(connection), release), clock);
  const log = openLog({ level: "info", encoder: "json", secrets: [] }, { write: () => undefined });
  const metrics = openMetrics({ processMetrics: false });
  const following = followState({ connection, release, clock, metrics, log }, gate, end.signal);
  await expect.poll(() => gate.state).toMatchObject({ phase: "Open" });
  end.abort(new Error("the test has ended"));
  await following;
});
