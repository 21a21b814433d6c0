// How long Helm has waited before a hook's first line, told by the hook's own pod.
import { expect, test } from "vitest";
import { budgetOf } from "#drain/budget.ts";
import type { Reader } from "#kube/reader.ts";
import { testClock } from "#test/support/clock.ts";
import { headStart } from "./head-start.ts";

const at = { identity: "pod/edge-drain-x1/u1", namespace: "ops", budget: budgetOf(300) };
const { signal } = new AbortController();

function reading(answer: object | Error): Reader {
  return {
    get: () => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)),
  } as unknown as Reader;
}

const clock = testClock();
const ago = (seconds: number): string => new Date(clock.date().getTime() - seconds * 1000).toISOString();

function podOfAge(seconds: number, uid = "u1"): object {
  return { metadata: { name: "edge-drain-x1", uid, creationTimestamp: ago(seconds) } };
}

/** The node was there after `waited` seconds, and the hook's first line comes `since` seconds later, by the node's clock. */
function podWithNode(waited: number, since: number): object {
  const conditions = [
    { type: "Ready", status: "True", lastTransitionTime: ago(0) },
    { type: "PodScheduled", status: "True", lastTransitionTime: ago(since) },
  ];
  return { ...podOfAge(waited + since), status: { conditions } };
}

test("a pod whose image took forty seconds to pull has forty seconds less", async () => {
  expect(await headStart(reading(podOfAge(40)), at, clock, signal)).toBe(40_000);
  expect(await headStart(reading(podWithNode(0, 40)), at, clock, signal)).toBe(40_000);
});

test("an image that is slower than most is no clock that differs, as long as Helm waits", async () => {
  expect(await headStart(reading(podWithNode(5, 200)), at, clock, signal)).toBe(205_000);
});

test.for([
  ["from the future", podOfAge(-30)],
  ["hours old, by another clock", podOfAge(7_200)],
  ["another one's, by its uid", podOfAge(40, "u2")],
  ["not readable yet", new Error("forbidden")],
] as const)("a pod that is %s takes no time away", async ([, answer]) => {
  expect(await headStart(reading(answer), at, clock, signal)).toBe(0);
});

test("a pod that waited 150 s for a node to be made, and 20 s for its image, has 170 s less, or its run would outlive Helm", async () => {
  expect(await headStart(reading(podWithNode(150, 20)), at, clock, signal)).toBe(170_000);
});

test.for([
  ["hours ahead", 7_200],
  ["behind", -60],
] as const)("on a node whose clock is %s the wait for that node counts all the same", async ([, off]) => {
  expect(await headStart(reading(podWithNode(150, off)), at, clock, signal)).toBe(150_000);
});

test("a node whose clock is minutes ahead takes none of them away: its kubelet began by the same clock", async () => {
  const pod = podOfAge(215);
  const began = { ...pod, status: { startTime: ago(14) } };
  expect(await headStart(reading(began), at, clock, signal)).toBe(14_000);
});

test("a pod that has waited longer than Helm does has nobody to be early for, and takes all its time", async () => {
  const pod = podWithNode(310, 20);
  expect(await headStart(reading(pod), at, clock, signal)).toBe(0);
  expect(await headStart(reading(pod), { ...at, budget: budgetOf(900) }, clock, signal)).toBe(330_000);
});
