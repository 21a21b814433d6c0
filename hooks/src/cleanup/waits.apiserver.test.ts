// For whom the cleanup waits: for pods of the three components that may still write, and for nobody else, itself above all.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { mayWrite } from "#drain/pods.ts";
import { waitForPods } from "#drain/sweep.ts";
import type { Connection } from "#kube/connection.ts";
import type { KubeObject } from "#kube/kind.ts";
import { Pod } from "#kube/kinds.ts";
import { at, type HookRig, hookRig, release } from "#test/support/hook-rig.ts";
import { testClock } from "#test/support/clock.ts";
import { type Clock, systemClock } from "#wire/clock.ts";

const { signal } = new AbortController();
let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig();
});
afterAll(async () => await rig[Symbol.asyncDispose]());
beforeEach(async () => await rig.reset());

async function aPod(name: string, component: string, phase: "Running" | "Succeeded" | "Failed"): Promise<void> {
  const labels = { "app.kubernetes.io/instance": "ngrok", "app.kubernetes.io/component": component };
  const spec = { containers: [{ name: "a", image: "a" }] };
  await rig.write.create(Pod, { metadata: { ...at(name), labels }, spec } as KubeObject, signal);
  const status = JSON.stringify({ status: { phase } });
  await rig.kubectl("patch", "pod", name, "-n", "ops", "--subresource=status", "--type=merge", "-p", status);
}

test("the cleanup waits neither for itself, nor for the drain's pod, a test's, or one that has ended (F20)", async () => {
  await aPod("ngrok-operator-cleanup-x1", "cleanup", "Running");
  await aPod("ngrok-operator-drain-x1", "drain", "Running");
  await aPod("ngrok-operator-test-x1", "test", "Succeeded");
  await aPod("ngrok-operator-manager-x1", "controller", "Succeeded");
  await aPod("ngrok-operator-agent-x1", "agent", "Failed");
  const { code, log } = await rig.run("cleanup");
  expect({ code, waited: /waited/.test(log) }).toEqual({ code: 0, waited: false });
});

/** Begins to wait and says when it has seen who is there. */
function waiting(clock: Clock): { readonly begun: Promise<void>; readonly ended: Promise<readonly string[]> } {
  const watching = Promise.withResolvers<void>();
  const connection: Connection = {
    ...rig.connection,
    watch(request) {
      watching.resolve();
      return rig.connection.watch(request);
    },
  };
  const ended = waitForPods({ connection, read: rig.read, release, clock, signal });
  return { begun: watching.promise, ended };
}

test("it does wait for a pod that may still write, until it is gone (F20)", async () => {
  await aPod("ngrok-operator-manager-x2", "controller", "Running");
  const { begun, ended } = waiting(systemClock);
  await begun;
  await rig.kubectl("delete", "pod", "ngrok-operator-manager-x2", "-n", "ops", "--force", "--grace-period=0");
  expect(await ended).toEqual([]);
});

test("one that never ends, as --cascade orphan leaves it, is waited for a minute, and then named (F20)", async () => {
  await aPod("ngrok-operator-manager-x3", "controller", "Running");
  const clock = testClock();
  const { begun, ended } = waiting(clock);
  await begun;
  await clock.advance(60_000);
  expect(await ended).toEqual(["ngrok-operator-manager-x3"]);
});

test.for([
  ["a running pod", { status: { phase: "Running" } }, true],
  ["one that has not started", { status: { phase: "Pending" } }, true],
  ["one that was told to end a moment ago", { endingFor: 5_000, status: { phase: "Running" } }, true],
  ["one on a lost node, whose token has died since", { endingFor: 61_000, status: { phase: "Running" } }, false],
  ["one that nobody hears of any more", { status: { phase: "Unknown" } }, false],
] as const)("%s: whether it may still write (F20)", ([, { status, ...pod }, may], { expect }) => {
  const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();
  const deletion = "endingFor" in pod ? { deletionTimestamp: ago(pod.endingFor) } : {};
  expect(mayWrite({ metadata: { name: "a", ...deletion }, status } as KubeObject)).toBe(may);
});
