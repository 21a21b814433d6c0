// Under which policy the cleanup goes on where Helm has taken the first hook for done: Retain that a person asked for in the
// drain state holds, although the state has gone with the release.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Domain } from "#api/domain.ts";
import { FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { KubeObject } from "#kube/kind.ts";
import { Lease } from "#kube/kinds.ts";
import { at, type HookRig, hookRig } from "#test/support/hook-rig.ts";

const DELETE = { drainPolicy: "Delete" };
const { signal } = new AbortController();
let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig();
});
afterAll(async () => await rig[Symbol.asyncDispose]());
beforeEach(async () => {
  await rig.reset();
  await rig.domains(1);
  await rig.anOperator();
  const retain = ["--type=merge", "-p", "data: {policy: Retain}"];
  await rig.kubectl("-n", "ops", "patch", "configmap", "ngrok-operator-drain-state", ...retain);
});

/** What Helm deletes between the hooks. */
const releaseGoes = async () => await rig.kubectl("-n", "ops", "delete", "configmap", "ngrok-operator-drain-state");

/** Whether the Domain is free, and how many are reserved at ngrok. */
async function outcome(): Promise<{ finalizers: readonly string[] | undefined; remote: number }> {
  const domain = await rig.read.get(Domain, { name: "shop-1", namespace: "shop" }, signal);
  return { finalizers: domain?.metadata.finalizers, remote: rig.api.remote() };
}

const kept = { finalizers: undefined, remote: 1 };

/** The first hook, killed while it still waits for the write token: it has drained nothing. */
async function killedWhileItWaits(): Promise<void> {
  const spec = { holderIdentity: "cli/somebody", leaseDurationSeconds: 15 };
  await rig.write.create(Lease, { metadata: at("ngrok-operator-leader"), spec } as KubeObject, signal);
  const first = await rig.start("drain", DELETE);
  await expect.poll(() => first.log()).toContain("asked for in the drain state, and is kept");
  first.child.kill("SIGKILL");
  await first.ended;
  await releaseGoes();
}

test("a first hook that was killed before it drained has told it on the KubernetesOperator", async () => {
  await killedWhileItWaits();
  expect((await rig.read.get(KubernetesOperator, at("ngrok"), signal))?.status?.drain?.policy).toBe("Retain");
  const { code, log } = await rig.run("cleanup", DELETE);
  expect({ code, ...(await outcome()) }, log).toEqual({ code: 0, ...kept });
});

test("nor does a second uninstall's drain, which finds the state gone, delete at ngrok", async () => {
  await killedWhileItWaits();
  const { code, log } = await rig.run("drain", DELETE, { POD_NAME: "drain-x2", POD_UID: "2" });
  expect({ code, ...(await outcome()) }, log).toEqual({ code: 0, ...kept });
});

test("after a drain that has ended, and the KubernetesOperator with it, its report tells it", async () => {
  const first = await rig.run("drain", DELETE);
  expect({ code: first.code, ...(await outcome()) }, first.log).toEqual({ code: 0, ...kept });
  await releaseGoes();
  // As a GitOps tool would, which puts back what it has seen before.
  const held = JSON.stringify({ metadata: { finalizers: [FINALIZER] } });
  await rig.kubectl("-n", "shop", "patch", "domain", "shop-1", "--type=merge", "-p", held);
  const { code, log } = await rig.run("cleanup", DELETE);
  expect({ code, ...(await outcome()) }, log).toEqual({ code: 0, ...kept });
});
