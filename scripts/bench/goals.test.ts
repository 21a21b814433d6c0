// What the table says was reached: by the figures, never in a disturbed run, never for a count that nobody asked for.
import { expect, test } from "vitest";
import type { AgentReadyResult } from "./agent/ready.ts";
import type { TunnelResult } from "./agent/tunnel.ts";
import type { BindingsResult } from "./bindings/bench.ts";
import type { DrainResult } from "./drain.ts";
import { rowsOf, tableOf } from "./goals.ts";
import type { IdleResult } from "./idle.ts";
import type { IngressChangeResult } from "./ingress-change.ts";
import type { IngressResult } from "./ingress.ts";
import type { TranslateResult } from "./translate.ts";

function aDrain(over: Partial<DrainResult> = {}): DrainResult {
  return {
    bench: "drain",
    timed: "",
    ground: "plane",
    driver: "hook",
    namespaces: 3,
    policy: "Retain",
    count: 2_000,
    seconds: 2,
    perSecond: 1_000,
    rawPerSecond: 1_200,
    ratio: 0.833,
    peakMemoryMB: 120,
    disturbed: false,
    rawByWidth: { "8": 1_200 },
    rawCount: 2_000,
    bystander: {
      idle: { median: 2, p95: 3, samples: 50 },
      bare: { median: 10, p95: 20, samples: 20 },
      drain: { median: 9, p95: 18, samples: 20 },
      overIdle: { median: 4.5, p95: 6 },
    },
    passSeconds: 1.9,
    processSeconds: 2.5,
    cpuSeconds: 1.3,
    attempts: 1,
    machine: { cores: 2, loadAverage: 1 },
    ...over,
  };
}

const verdictOf = (results: readonly DrainResult[], what: string): boolean | undefined =>
  rowsOf(results).find((row) => row.what.includes(what))?.met;

test("each policy has its own ratio to reach", () => {
  expect(verdictOf([aDrain({ ratio: 0.8 })], "ratio")).toBe(true);
  expect(verdictOf([aDrain({ ratio: 0.79 })], "ratio")).toBe(false);
  expect(verdictOf([aDrain({ policy: "Delete", ratio: 0.65 })], "ratio")).toBe(true);
});

test("a disturbed run and another count have no verdict", () => {
  expect(verdictOf([aDrain({ ratio: 0.1, disturbed: true })], "ratio")).toBeUndefined();
  expect(verdictOf([aDrain({ ratio: 0.1, count: 200 })], "ratio")).toBeUndefined();
});

test("the time an object is compared over the counts of one policy", () => {
  const runs = [aDrain({ count: 200, seconds: 0.3 }), aDrain()];
  expect(verdictOf(runs, "time an object")).toBe(false);
  expect(verdictOf([aDrain({ count: 200, seconds: 0.24 }), aDrain()], "time an object")).toBe(true);
  expect(verdictOf([...runs.slice(0, 1), aDrain({ policy: "Delete" })], "time an object")).toBeUndefined();
});

test("a translation is to take 300 ms the first time, and twice the memory for twice the Ingresses", () => {
  const translation = (over: Partial<TranslateResult>): TranslateResult => ({
    bench: "translate",
    timed: "",
    count: 1_000,
    coldSeconds: 0.2,
    medianSeconds: 0.1,
    endpoints: 4_000,
    heapMB: { "1000": 5, "10000": 50 },
    peakMB: { "1000": 190, "10000": 500 },
    spread: 0.02,
    ...over,
  });
  const met = (over: Partial<TranslateResult>): unknown[] =>
    rowsOf([translation(over)]).flatMap((row) => (row.goal === "" ? [] : [row.met]));
  expect(met({})).toEqual([true, true]);
  expect(met({ coldSeconds: 0.31 })).toEqual([false, true]);
  expect(met({ spread: 0.3 })).toEqual([true, false]);
  expect(met({ count: 100, coldSeconds: 0.31 })).toEqual([true]);
});

test("an Ingress is to be served in its time and at its share of what the API server takes, unless the run was disturbed", () => {
  const ingress = (over: Partial<IngressResult>): IngressResult => ({
    bench: "ingress",
    timed: "",
    ground: "plane",
    count: 1_000,
    paths: 3,
    seconds: 14,
    madeSeconds: 13,
    perSecond: 71,
    rawPerSecond: 100,
    ratio: 0.71,
    disturbed: false,
    rawByWidth: { "32": 100 },
    rawCount: 500,
    writesPerIngress: 11,
    writes: { "create agentendpoints": 3_000 },
    apiManagerMB: 150,
    apiManagerPeakMB: 160,
    apiManagerCpuSeconds: 9,
    machine: { cores: 2, loadAverage: 1 },
    ...over,
  });
  const met = (over: Partial<IngressResult>): unknown[] =>
    rowsOf([ingress(over)]).flatMap((row) => (row.goal === "" ? [] : [row.met]));
  expect(met({})).toEqual([true, true]);
  expect(met({ seconds: 15.1 })).toEqual([false, true]);
  expect(met({ ratio: 0.69 })).toEqual([true, false]);
  expect(met({ ratio: 0.69, disturbed: true })).toEqual([]);
});

test("a change is to reach its endpoint in time and cause one write; the status that answers it is beside that", () => {
  const change = (over: Partial<IngressChangeResult>): IngressChangeResult => ({
    bench: "ingress-change",
    timed: "",
    ground: "plane",
    count: 5_000,
    changes: 25,
    medianMs: 40,
    p95Ms: 90,
    medianServedMs: 60,
    p95ServedMs: 120,
    writesPerChange: 1,
    writes: { "patch cloudendpoints": 25, "patch cloudendpoints/status": 25 },
    apiManagerMB: 200,
    machine: { cores: 2, loadAverage: 1 },
    ...over,
  });
  const met = (over: Partial<IngressChangeResult>): unknown[] =>
    rowsOf([change(over)]).flatMap((row) => (row.goal === "" ? [] : [row.met]));
  expect(met({})).toEqual([true, true]);
  expect(met({ medianMs: 301 })).toEqual([false, true]);
  expect(met({ writesPerChange: 1.04 })).toEqual([true, false]);
});

test("an idle operator writes nothing, and what it wrote is named", () => {
  const idle = (over: Partial<IdleResult>): IdleResult => ({
    bench: "idle",
    timed: "",
    ground: "plane",
    count: 1_000,
    minutes: 5,
    writes: 0,
    writesBy: {},
    remoteChanges: 0,
    apiManagerMB: 150,
    ...over,
  });
  expect(rowsOf([idle({})]).map(({ met }) => met)).toEqual([true, true]);
  const [row] = rowsOf([idle({ writes: 2, writesBy: { "patch domains": 2 } })]);
  expect(row).toMatchObject({ figure: "2: patch domains 2", met: false });
});

test("500 AgentEndpoints are to be Ready in time, and of other counts nothing is asked", () => {
  const ready = (over: Partial<AgentReadyResult>): AgentReadyResult => ({
    bench: "agent-ready",
    timed: "",
    count: 500,
    seconds: 12,
    perSecond: 42,
    sdkSeconds: 0.6,
    sdkPerSecond: 830,
    ratio: 0.05,
    agentMB: 150,
    agentCpuSeconds: 1.3,
    apiManagerMB: 110,
    apiManagerCpuSeconds: 1.7,
    machine: { cores: 2, loadAverage: 1 },
    ...over,
  });
  const met = (over: Partial<AgentReadyResult>): unknown[] =>
    rowsOf([ready(over)]).flatMap((row) => (row.goal === "" ? [] : [row.met]));
  expect(met({})).toEqual([true]);
  expect(met({ seconds: 15.1 })).toEqual([false]);
  expect(met({ count: 100, seconds: 15.1 })).toEqual([]);
});

test("an agent is to carry nine tenths of what the bare SDK carries, and to let nobody wait longer", () => {
  const carried = { requestsPerSecond: 1_000, p99Ms: 60 };
  const tunnel = (requests: number, p99: number): TunnelResult => ({
    bench: "tunnel",
    timed: "",
    agent: carried,
    sdk: carried,
    direct: carried,
    ofSdk: { requests, p99 },
    ofDirect: { requests, p99 },
    agentCpuMs: 200,
    agentMB: 150,
    machine: { cores: 2, loadAverage: 1 },
  });
  const met = (requests: number, p99: number): unknown[] =>
    rowsOf([tunnel(requests, p99)]).flatMap((row) => (row.goal === "" ? [] : [row.met]));
  expect(met(0.9, 0.9)).toEqual([true, true]);
  expect(met(0.89, 1)).toEqual([false, true]);
  expect(met(1, 0.89)).toEqual([true, false]);
});

test("a forwarder is to carry four fifths of what a plain proxy carries before the same ingress, in its memory", () => {
  const carried = { megabytesPerSecond: 400, megabytesPerCpuSecond: 500, answersPerSecond: 9_000, p99Ms: 9 };
  const shares = { bytes: 0.8, bytesPerCpuSecond: 0.8, answers: 0.8, p99: 0.8 };
  const low = { bytes: 0.1, bytesPerCpuSecond: 0.1, answers: 0.1, p99: 0.1 };
  const bindings = (over: Partial<BindingsResult>): BindingsResult => ({
    bench: "bindings",
    machine: { cores: 2, loadAverage: 1 },
    forwarder: carried,
    endToEnd: carried,
    tls: carried,
    plain: carried,
    ofEndToEnd: shares,
    ofTls: low,
    ofPlain: low,
    idle: 1_000,
    idleMB: 150,
    emptyMB: 90,
    ...over,
  });
  const met = (over: Partial<BindingsResult>): unknown[] =>
    rowsOf([bindings(over)]).flatMap((row) => (row.goal === "" ? [] : [row.met]));
  expect(met({})).toEqual([true, true, true, true]);
  expect(met({ ofEndToEnd: { ...shares, bytes: 0.79 } })).toEqual([false, true, true, true]);
  expect(met({ ofEndToEnd: { ...shares, answers: 0.79 } })).toEqual([true, false, true, true]);
  expect(met({ ofEndToEnd: { ...shares, p99: 0.79 } })).toEqual([true, true, false, true]);
  expect(met({ idleMB: 151 })).toEqual([true, true, true, false]);
  expect(met({ idle: 100, idleMB: 151 })).toEqual([true, true, true]);
});

test("the table says in words what was not reached", () => {
  const lines = tableOf([aDrain({ ratio: 0.5 })]);
  expect(lines.find((line) => line.includes("ratio"))).toMatch(/0\.5 +>= 0\.8 {2}NOT REACHED$/);
});
