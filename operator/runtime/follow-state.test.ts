// A state that nobody can read is closed, and loud: in the metrics at once, in the log as an error when it has lasted.
import { expect, test } from "vitest";
import { type StateObject, stateReader } from "#drain/state.ts";
import type { Connection } from "#kube/connection.ts";
import type { Reader } from "#kube/reader.ts";
import { testClock } from "#test/support/clock.ts";
import { tellState } from "./follow-state.ts";
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
