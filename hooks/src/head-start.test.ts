// How long Helm has waited before a hook's first line, told by the age of the hook's own pod.
import { expect, test } from "vitest";
import type { Reader } from "#kube/reader.ts";
import { testClock } from "#test/support/clock.ts";
import { headStart } from "./head-start.ts";

const at = { identity: "pod/edge-drain-x1/u1", namespace: "ops" };
const { signal } = new AbortController();

function reading(answer: object | Error): Reader {
  return {
    get: () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)),
  } as unknown as Reader;
}

function podOfAge(seconds: number, uid = "u1"): object {
  const made = new Date(clock.date().getTime() - seconds * 1000).toISOString();
  return { metadata: { name: "edge-drain-x1", uid, creationTimestamp: made } };
}

const clock = testClock();

test("a pod whose image took forty seconds to pull has forty seconds less", async () => {
  expect(await headStart(reading(podOfAge(40)), at, clock, signal)).toBe(40_000);
});

test.for([
  ["from the future", podOfAge(-30)],
  ["hours old, by another clock", podOfAge(7_200)],
  ["another one's, by its uid", podOfAge(40, "u2")],
  ["not readable yet", new Error("forbidden")],
] as const)("a pod that is %s takes no time away", async ([, answer]) => {
  expect(await headStart(reading(answer), at, clock, signal)).toBe(0);
});
