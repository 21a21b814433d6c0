// How long the hook takes to come by the write token, by who held it: the protocol's own waits and no other. Each bound lies
// below the wait that would come next, so that a slow machine may add some seconds.
// `npm run bench -- takeover` measures the same.
import { afterAll, beforeAll, beforeEach, expect, test, type TestContext } from "vitest";
import type { KubeObject } from "#kube/kind.ts";
import { Lease, Pod, ResourceQuota } from "#kube/kinds.ts";
import { at, type Ended, type HookRig, hookRig } from "#test/support/hook-rig.ts";
import { leadingManager, managerPod, seen } from "#test/support/manager-process.ts";

const { signal } = new AbortController();
let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig();
});
afterAll(async () => await rig[Symbol.asyncDispose]());
beforeEach(async () => {
  await rig.reset();
  await rig.anOperator();
});

/** The seconds that the hook says its take-over took; they go into the test's report. */
async function secondsOf({ code, log }: Ended, how: string, { annotate }: TestContext): Promise<number> {
  expect(log).toContain(how);
  expect(code).toBe(0);
  const [, seconds = "Infinity"] = /operator +.* after (\d+\.\d)s; this hook drains/.exec(log) ?? [];
  await annotate(`the hook held the write token after ${seconds} s: ${how}`);
  return Number(seconds);
}

async function leaseOf(holderIdentity: string): Promise<void> {
  const spec = { holderIdentity, leaseDurationSeconds: 15 };
  await rig.write.create(Lease, { metadata: at("ngrok-operator-leader"), spec } as KubeObject, signal);
}

test("a free Lease is taken at once", async (context) => {
  await leaseOf("");
  const run = await rig.run("drain");
  expect(await secondsOf(run, "no leader held the write token: free", context)).toBeLessThan(12);
});

test("from a holder whose pod is gone it is taken when its token is refused everywhere", async (context) => {
  await leaseOf("pod/manager-9/00000000-0000-0000-0000-000000000009");
  const run = await rig.run("drain");
  const seconds = await secondsOf(run, "the pod of leader manager-9 is gone", context);
  // Not sooner than the API server forgets a token: 10 s and a margin.
  expect(seconds).toBeGreaterThanOrEqual(12);
  // Nor after a silence of 15 s before it.
  expect(seconds).toBeLessThan(27);
});

test("from an api-manager that hangs it is taken after its silence and its eviction; awake again it ends (F12)", async (context) => {
  await using operator = await leadingManager(rig);
  operator.child.kill("SIGSTOP");
  const run = await rig.run("drain");
  operator.child.kill("SIGCONT");
  expect(run.log).toMatch(/operator +leader manager-1 neither yields nor renews: its pod was deleted/);
  const seconds = await secondsOf(run, "leader manager-1 was evicted", context);
  expect(seconds).toBeGreaterThanOrEqual(29);
  // The silence is counted once.
  expect(seconds).toBeLessThan(44);
  expect(await rig.read.get(Pod, at("manager-1"), signal)).toBeUndefined();
  // It finds its time over, writes nothing more and goes, for its successor to start anew.
  expect(await operator.ended).toBe(1);
  expect((await rig.read.get(Lease, at("ngrok-operator-leader"), signal))?.spec?.holderIdentity ?? "").toBe("");
});

/** How the hook ends against a leader that renews as long as its pod manager-1 is there, and knows no mark. */
async function againstStubborn(holderOf: (uid: string) => string): Promise<Ended> {
  await leaseOf(holderOf(await managerPod(rig)));
  const renewed = seen(
    () => "the stubborn leader's pod is deleted",
    async () => {
      if ((await rig.read.get(Pod, at("manager-1"), signal)) === undefined) return true;
      await rig.connection.request({
        method: "PATCH",
        path: "/apis/coordination.k8s.io/v1/namespaces/ops/leases/ngrok-operator-leader",
        contentType: "application/merge-patch+json",
        body: { spec: { renewTime: new Date().toISOString().replace("Z", "000Z") } },
        signal,
      });
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      return false;
    },
  );
  // Who waits for it for ever is not waited for here.
  const run = await rig.run("drain", {}, { HELM_TIMEOUT: "80" });
  await rig.kubectl("delete", "pod", "manager-1", "-n", "ops", "--ignore-not-found", "--force");
  await renewed;
  return run;
}

test("from an operator that renews and never yields, as a foreign leader on this Lease would, it is taken within 60 s (F13)", async (context) => {
  const run = await againstStubborn((uid) => `pod/manager-1/${uid}`);
  expect(run.log).toMatch(/operator +leader manager-1 renews, but does not yield: its pod was deleted/);
  const seconds = await secondsOf(run, "leader manager-1 was evicted", context);
  // Not before it had its time to yield, and its token has died.
  expect(seconds).toBeGreaterThanOrEqual(44);
  expect(seconds).toBeLessThan(58);
});

test("from the Go operator, whose pod an upgrade from 0.24 that hangs has left, it is taken like that (F13)", async (context) => {
  // As client-go names a holder.
  const run = await againstStubborn(() => "manager-1_5b1a9c0e-0d5c-4a8b-9c39-2f4e9b7d1c55");
  expect(run.log).toMatch(/operator +leader manager-1 renews, but does not yield: its pod was deleted/);
  expect(await secondsOf(run, "leader manager-1 was evicted", context)).toBeLessThan(58);
});

test("a holder of client-go's that is no pod of this release is left alone, and its Lease taken after its silence", async (context) => {
  await managerPod(rig);
  await leaseOf("laptop_5b1a9c0e-0d5c-4a8b-9c39-2f4e9b7d1c55");
  const run = await rig.run("drain");
  expect(await secondsOf(run, "laptop has been silent for 15s", context)).toBeGreaterThanOrEqual(15);
  expect(await rig.read.get(Pod, at("manager-1"), signal)).toBeDefined();
});

test("a quota that leaves no room for a Lease is named, with its remedy and both ways on, before Helm gives up", async () => {
  const quota = { metadata: at("team"), spec: { hard: { "count/leases.coordination.k8s.io": "0" } } };
  await rig.write.create(ResourceQuota, quota as KubeObject, signal);
  try {
    await seen(
      () => "the quota counts",
      async () => (await rig.read.get(ResourceQuota, at("team"), signal))?.status?.hard !== undefined,
    );
    const { code, log } = await rig.run("drain", { "cleanupHook.timeout": "30" });
    expect(code, log).toBe(1);
    expect(log).toMatch(/waiting +for the write token: .*exceeded quota: team/);
    expect(log).toMatch(
      /failed +.*exceeded quota: team(.*\n)+.*remedy +Raise the ResourceQuota .*\n.*again +run the same/,
    );
    expect(log).toMatch(/back +or keep the release: kubectl .* && helm rollback ngrok 1 -n ops/);
  } finally {
    await rig.kubectl("delete", "resourcequota", "team", "-n", "ops");
  }
});
