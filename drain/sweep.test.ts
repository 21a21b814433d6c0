// For whom the cleanup waits, and how long: the list of pods as it comes, in whatever order.
import { expect, test } from "vitest";
import { Pod, type PodObject } from "#kube/kinds.ts";
import { reader } from "#kube/reader.ts";
import { testClock } from "#test/support/clock.ts";
import { memoryServer } from "#test/support/memory-server.ts";
import { waitForPods } from "./sweep.ts";

const { signal } = new AbortController();
const release = { name: "edge", namespace: "ops", fullname: "edge-ngrok-operator", nameLabel: "ngrok-operator" };

function aPod(name: string, component: string, nameLabel: string, phase: "Running" | "Failed"): PodObject {
  const labels = {
    "app.kubernetes.io/name": nameLabel,
    "app.kubernetes.io/instance": "edge",
    "app.kubernetes.io/component": component,
  };
  return { metadata: { name, namespace: "ops", labels }, status: { phase } };
}

/** Waits while these pods are there, in the order in which they are listed; `ours` goes after a while. */
async function waitedWith(...pods: readonly PodObject[]): Promise<{ whileRunning: boolean; left: readonly string[] }> {
  const ours = aPod("edge-ngrok-operator-manager-x1", "controller", "ngrok-operator", "Running");
  const server = memoryServer([Pod]);
  for (const pod of [...pods, ours]) server.put(Pod, pod);
  const { connection } = server;
  const clock = testClock();
  let isOver = false;
  const waited = waitForPods({ connection, read: reader(connection), release, clock, signal });
  void waited.finally(() => (isOver = true));
  await clock.advance(5_000);
  const whileRunning = !isOver;
  server.remove(Pod, ours);
  return { whileRunning, left: await waited };
}

test("a pod that was evicted, and stays as an object, ends no wait for one that runs (F20)", async () => {
  const evicted = aPod("edge-ngrok-operator-manager-x0", "controller", "ngrok-operator", "Failed");
  expect(await waitedWith(evicted)).toEqual({ whileRunning: true, left: [] });
});

test("pods of a chart beside ours, which go on, keep no cleanup waiting when ours have gone", async () => {
  const nginx = aPod("edge-ingress-nginx-controller-x2", "controller", "ingress-nginx", "Running");
  expect(await waitedWith(nginx)).toEqual({ whileRunning: true, left: [] });
});
