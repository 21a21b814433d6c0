// The page about scale says what was measured, and says so when nothing was.
import { expect, test } from "vitest";
import type { DrainResult } from "#scripts/bench/drain.ts";
import { scaleChart } from "./scale-chart.ts";
import { scalePage } from "./scale-page.ts";

function aResult(over: Partial<DrainResult> = {}): DrainResult {
  const latency = { median: 4, p95: 9, samples: 100 };
  return {
    bench: "drain",
    timed: "",
    ground: "plane",
    driver: "hook",
    policy: "Retain",
    count: 50_000,
    namespaces: 500,
    seconds: 50,
    passSeconds: 45,
    perSecond: 1_000,
    rawPerSecond: 1_250,
    ratio: 0.8,
    peakMemoryMB: 150,
    disturbed: false,
    rawByWidth: { "32": 1_250 },
    rawCount: 2_000,
    bystander: {
      idle: { ...latency, median: 2 },
      bare: latency,
      drain: { ...latency, median: 5 },
      overIdle: { median: 2.5, p95: 1 },
    },
    attempts: 1,
    machine: { cores: 2, loadAverage: 3 },
    ...over,
  };
}

test("a row tells memory, time for one object and the bystander's wait", () => {
  expect(scalePage([aResult()])).toContain(
    "| hook, Retain | 50000 | 500 | 150 MB | – | 50 s | 1.00 ms | 0.80 ms | 2 / 9 ms | 4 / 9 ms | 5 / 9 ms | 3 |",
  );
});

test("of a leader it also tells what it took before the drain", () => {
  expect(scalePage([aResult({ driver: "leader", settledMemoryMB: 140 })])).toContain("| 150 MB | 140 MB | 50 s |");
});

test("without results the page says so, and the chart is one all the same", () => {
  expect(scalePage([])).toContain("Nothing has been recorded yet.");
  expect(scaleChart([])).toMatch(/^<svg [\s\S]*<\/svg>\n$/);
});

test("a bar is as high as its figure, and what was not measured is a dash", () => {
  const svg = scaleChart([aResult(), aResult({ count: 2_000, peakMemoryMB: 75 })]);
  const bars = [...svg.matchAll(/height="([\d.]+)" fill="#3366cc"/g)].map(([, height]) => Number(height));
  expect(bars[1]! / bars[2]!).toBeCloseTo(0.5, 1); // the first is the legend's
  expect(svg).toContain("–");
});
