// A hook whose pod starts, or starts again, after the person has given the uninstall up: its Job outlives a Helm that timed out,
// and a node or a quota that has room again starts it under a release that works.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Domain } from "#api/domain.ts";
import { FINALIZER } from "#api/keys.ts";
import { parseState } from "#drain/state.ts";
import type { KubeObject } from "#kube/kind.ts";
import { ConfigMap, Job } from "#kube/kinds.ts";
import { at, type Ended, type HookRig, hookRig } from "#test/support/hook-rig.ts";

const { signal } = new AbortController();
const STATE = "ngrok-operator-drain-state";
let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig();
});
afterAll(async () => await rig[Symbol.asyncDispose]());
beforeEach(async () => {
  await rig.reset();
  await rig.domains(2);
  await rig.anOperator();
});

/** What Helm makes for an uninstall, without a pod of its own; returns its UID. */
async function uninstallBegins(): Promise<string> {
  await rig.kubectl("delete", "job", "ngrok-operator-drain", "-n", "ops", "--ignore-not-found");
  const containers = [{ name: "drain", image: "a" }];
  const spec = { suspend: true, template: { spec: { restartPolicy: "Never", containers } } };
  const job = await rig.write.create(Job, { metadata: at("ngrok-operator-drain"), spec } as KubeObject, signal);
  return job.metadata.uid!;
}

/** What Helm does at each rollback, by chart/templates/rollback.yaml. */
async function rollback(): Promise<void> {
  await nextSecond();
  await rig.kubectl("delete", "configmap", "ngrok-operator-rollback", "-n", "ops", "--ignore-not-found");
  await rig.write.create(ConfigMap, { metadata: at("ngrok-operator-rollback") }, signal);
}

/** Objects are dated by whole seconds. */
async function nextSecond(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1_100));
}

async function opened(data: Record<string, string | null>): Promise<void> {
  await rig.kubectl("patch", "configmap", STATE, "-n", "ops", "--type", "merge", "-p", JSON.stringify({ data }));
}

const podOf = async (job: string): Promise<Ended> =>
  await rig.run("drain", { drainPolicy: "Delete" }, { JOB_UID: job });

async function nothingIsLost({ code, log }: Ended): Promise<void> {
  const domain = await rig.read.get(Domain, { name: "shop-1", namespace: "shop" }, signal);
  expect({ code, remote: rig.api.remote() }, log).toEqual({ code: 1, remote: 2 });
  expect(domain?.metadata.finalizers).toEqual([FINALIZER]);
  expect(parseState(await rig.read.get(ConfigMap, at(STATE), signal)).phase).toBe("Open");
}

async function allIsDrained({ code, log }: Ended): Promise<void> {
  expect({ code, remote: rig.api.remote() }, log).toEqual({ code: 0, remote: 0 });
}

test("rolled back before its pod has started, it refuses; the next uninstall drains", async () => {
  const late = await uninstallBegins();
  await rollback();
  const ended = await podOf(late);
  await nothingIsLost(ended);
  expect(ended.log).toMatch(
    /refused +helm rollback has taken this uninstall of ops\/ngrok back, at .*Nothing was changed/,
  );
  expect(ended.log).toMatch(/remedy +to uninstall all the same: helm uninstall ngrok -n ops/);
  await nextSecond();
  await allIsDrained(await podOf(await uninstallBegins()));
});

test("cancelled before its pod has started, it ends as cancelled; the next uninstall drains", async () => {
  const late = await uninstallBegins();
  await opened({ phase: "Open", job: late });
  const ended = await podOf(late);
  await nothingIsLost(ended);
  expect(ended.log).toMatch(/stopped +the drain was cancelled/);
  await allIsDrained(await podOf(await uninstallBegins()));
});

test("evicted in mid-drain and cancelled by the printed line meanwhile, its next pod knows the cancel", async () => {
  const job = await uninstallBegins();
  const hang = rig.api.faults.add({ kind: "latency", ms: 8_000, match: { method: "DELETE" }, times: Infinity });
  const first = await rig.start("drain", { drainPolicy: "Delete" }, { JOB_UID: job });
  const phase = async (): Promise<string> => parseState(await rig.read.get(ConfigMap, at(STATE), signal)).phase;
  await expect.poll(phase).toBe("Draining");
  first.child.kill("SIGKILL");
  await first.ended;
  hang.remove();
  // All that the line says (openCommand): it knows no Job.
  await opened({ phase: "Open", policy: null });
  const { code, log } = await rig.run(
    "drain",
    { drainPolicy: "Delete" },
    { JOB_UID: job, POD_NAME: "x2", POD_UID: "2" },
  );
  expect(code, log).toBe(1);
  expect(log).toMatch(/stopped +the drain was cancelled/);
  expect(await phase()).toBe("Open");
});
