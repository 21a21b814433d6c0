// What is said of a long drain before it begins.
import { expect, test } from "vitest";
import { estimateText } from "./estimate.ts";

test.for([
  [
    { objects: 2_000, calls: 2_000, callsPerMinute: 120, seconds: 1_020 },
    "2000 objects, about 2000 ngrok API calls at 120 a minute = 17m; this run has 270s, so it will stop in time and the same command goes on",
  ],
  [
    { objects: 80, calls: 60, callsPerMinute: 120, seconds: 33 },
    "80 objects, about 60 ngrok API calls at 120 a minute = 33s; this run has 270s",
  ],
] as const)("%j", ([estimate, said]) => {
  expect(estimateText(estimate, 270_000)).toBe(said);
});
