// An uninstall that is disturbed ends all the same: the hook killed in the middle, started twice, its mark wiped, its
// policy relaxed. The stand-in's ledger says what was really deleted at ngrok.
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { FINALIZER } from "#api/keys.ts";
import { parseState } from "#drain/state.ts";
import type { KubeObject } from "#kube/kind.ts";
import { ConfigMap, Lease, Pod } from "#kube/kinds.ts";
import { endOf, eventsSince } from "#test/support/audit.ts";
import { at, type HookRig, hookRig } from "#test/support/hook-rig.ts";
import { seen } from "#test/support/manager-process.ts";

const COUNT = 100;
const { signal } = new AbortController();
let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig();
});
afterAll(async () => await rig[Symbol.asyncDispose]());
beforeEach(async () => {
  await rig.reset();
  await rig.domains(COUNT);
});

/** Longer than any call is waited for: what it hits is not deleted before the fault is removed. */
const UNTIL_REMOVED_MS = 3_600_000;

/** After so many deletions each takes as long as a call may, until the fault is removed: something can happen in the middle. */
const stopsAfter = (deletions: number, ms = 8_000) =>
  rig.api.faults.add({ kind: "latency", ms, match: { method: "DELETE" }, skip: deletions, times: Infinity });

const stateNow = async () => parseState(await rig.read.get(ConfigMap, at("ngrok-operator-drain-state"), signal));

/** What somebody does to the drain state, by a call: a program of its own might come when all is over. */
async function patchState(data: Record<string, string> | null): Promise<void> {
  await rig.connection.request({
    method: "PATCH",
    path: "/api/v1/namespaces/ops/configmaps/ngrok-operator-drain-state",
    contentType: "application/merge-patch+json",
    body: { data },
    signal,
  });
}

/** Resolves when ngrok has deleted this many. The ledger is in this process; a turn of the loop is enough between looks. */
async function deletedAtNgrok(count: number): Promise<void> {
  const deadline = Date.now() + 120_000;
  while (rig.api.count("DELETE", "/reserved_domains", 204) < count) {
    if (Date.now() > deadline) throw new Error(`ngrok has not deleted ${count} domains within two minutes`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** The lines of the report about what was removed. */
async function removed(): Promise<readonly string[]> {
  const report = await rig.read.get(ConfigMap, at("ngrok-operator-drain-report"), signal);
  return report?.data?.["removed"]?.trim().split("\n") ?? [];
}

/** Of `domain shop/a rd_1: why`. */
const objectOf = (line: string): string => line.split(/[ :]/)[1] ?? "";

async function domainNames(): Promise<readonly string[]> {
  const path = "/apis/ingress.k8s.ngrok.com/v1alpha1/namespaces/shop/domains";
  const { items } = (await rig.connection.request({ method: "GET", path, signal })) as { items: KubeObject[] };
  return items.map(({ metadata }) => `shop/${metadata.name}`);
}

async function domainsLeft(): Promise<readonly string[]> {
  return (await rig.kubectl("get", "domains", "-n", "shop", "-o", "jsonpath={.items[*].metadata.finalizers}"))
    .split(" ")
    .filter((text) => text.includes(FINALIZER));
}

test("killed in the middle: the next run waits out its Lease, finishes, deletes nothing twice, and tells of all (E8, E14)", async () => {
  // It tells every two seconds, and less often where a write takes long: by then there must be no more than these ten.
  const fault = stopsAfter(10, UNTIL_REMOVED_MS);
  const first = await rig.start("drain", { drainPolicy: "Delete" });
  await seen(
    () => `the ten are told; the hook said ${first.log()}`,
    async () => (await removed()).length === 10,
  );
  first.child.kill("SIGKILL");
  await first.ended;
  fault.remove();
  expect((await domainsLeft()).length).toBeGreaterThan(0);
  const second = await rig.run("drain", { drainPolicy: "Delete" }, { POD_NAME: "drain-x2", POD_UID: "2" });
  expect(second.log).toMatch(/operator +the pod of leader ngrok-operator-drain-x1 is gone after (1[2-9]|[2-9]\d)\.\ds/);
  expect({ code: second.code, left: await domainsLeft(), remote: rig.api.remote() }).toEqual({
    code: 0,
    left: [],
    remote: 0,
  });
  expect(rig.api.count("DELETE", "/reserved_domains", 204)).toBe(COUNT);
  expect(new Set(await removed()).size).toBe(COUNT);
});

test("SIGTERM in the middle: it says that nothing is lost, tells of what it did, frees the Lease, and the next run starts at once (E8, W16)", async () => {
  const fault = stopsAfter(10);
  const first = await rig.start("drain", { drainPolicy: "Delete" });
  // At once: the report is written every two seconds.
  await expect.poll(async () => (await domainNames()).length, { interval: 20 }).toBe(COUNT - 10);
  first.child.kill("SIGTERM");
  const { code, log } = await first.ended;
  fault.remove();
  expect(code).toBe(1);
  expect(log).toMatch(/stopped +this pod was told to end before it was done; nothing is lost/);
  expect(log).toMatch(/back +or keep the release: kubectl .* && helm rollback ngrok 1 -n ops/);
  expect((await rig.read.get(Lease, at("ngrok-operator-leader"), signal))?.spec?.holderIdentity ?? "").toBe("");
  expect(new Set([...(await removed()).map(objectOf), ...(await domainNames())]).size).toBe(COUNT);
  const second = await rig.run("drain", { drainPolicy: "Delete" }, { POD_NAME: "drain-x2", POD_UID: "2" });
  expect({ code: second.code, remote: rig.api.remote() }).toEqual({ code: 0, remote: 0 });
  expect(new Set((await removed()).map(objectOf)).size).toBe(COUNT);
});

test("its Lease deleted in the middle: the same run takes it again, and tells of everything it did before and after (F12)", async () => {
  const fault = stopsAfter(40);
  const run = await rig.start("drain", { drainPolicy: "Delete" });
  await deletedAtNgrok(40);
  await rig.kubectl("delete", "lease", "ngrok-operator-leader", "-n", "ops");
  await expect.poll(() => run.log()).toContain("retrying");
  fault.remove();
  const { code, log } = await run.ended;
  expect({ code, left: await domainsLeft(), remote: rig.api.remote() }, log).toEqual({ code: 0, left: [], remote: 0 });
  expect(await removed()).toHaveLength(COUNT);
});

test("started twice at once: the second follows the first, both end well, nothing is deleted twice (F2)", async () => {
  // Well below the time of a call: none is given up and asked again, which would count as a second deletion.
  const fault = stopsAfter(5, 6_000);
  // What Helm does before a pod starts takes as long as all of the deletions; only the program itself comes in the middle.
  const rival = await rig.start("drain", { drainPolicy: "Delete" }, { POD_NAME: "drain-x2", POD_UID: "2" });
  rival.child.kill("SIGSTOP");
  onTestFinished(() => void rival.child.kill("SIGKILL"));
  const labels = { "app.kubernetes.io/instance": "ngrok", "app.kubernetes.io/component": "drain" };
  const spec = { containers: [{ name: "a", image: "a" }] };
  const pod = await rig.write.create(Pod, { metadata: { ...at("drain-x1"), labels }, spec } as KubeObject, signal);
  const first = await rig.start(
    "drain",
    { drainPolicy: "Delete" },
    { POD_NAME: "drain-x1", POD_UID: pod.metadata.uid! },
  );
  await deletedAtNgrok(5);
  const since = await endOf(rig.auditLog);
  rival.child.kill("SIGCONT");
  // Who watches the Lease stands by for it.
  const watches = async (): Promise<boolean> =>
    (await eventsSince(rig.auditLog, since)).some(
      ({ verb, objectRef }) => verb === "watch" && objectRef?.resource === "leases",
    );
  await expect.poll(watches).toBe(true);
  fault.remove();
  const second = await rival.ended;
  expect(second.log).toMatch(/operator +leader drain-x1 yielded/);
  expect({ codes: [(await first.ended).code, second.code], left: await domainsLeft() }).toEqual({
    codes: [0, 0],
    left: [],
  });
  expect(rig.api.count("DELETE", "/reserved_domains")).toBe(COUNT);
});

test("the mark wiped in the middle: the driver writes it back, and ends drained (F11)", async () => {
  const fault = stopsAfter(5);
  const first = await rig.start("drain", { drainPolicy: "Delete" });
  await deletedAtNgrok(5);
  await patchState(null);
  await expect.poll(async () => (await stateNow()).phase).toBe("Draining");
  fault.remove();
  const { code } = await first.ended;
  expect({ code, state: await stateNow() }).toMatchObject({ code: 0, state: { phase: "Drained", policy: "Delete" } });
});

test("Delete relaxed to Retain in the middle: the rest is kept at ngrok, and every finalizer goes (E15, F8, F15)", async () => {
  stopsAfter(1, 3_000);
  const first = await rig.start("drain", { drainPolicy: "Delete" });
  await deletedAtNgrok(1);
  await patchState({ policy: "Retain" });
  const { code, log } = await first.ended;
  const deleted = rig.api.count("DELETE", "/reserved_domains", 204);
  expect({ code, left: await domainsLeft() }).toEqual({ code: 0, left: [] });
  expect(log).toMatch(/kept +at ngrok: Domain \d+/);
  expect(deleted).toBeLessThan(COUNT);
  expect(rig.api.remote()).toBe(COUNT - deleted);
});

test("relaxed to Retain, and then its mark wiped: what is written back is Retain, and everything is kept (F8, F11)", async () => {
  const lease = at("ngrok-operator-leader");
  /** A rival at work: whoever waits for it looks at the state each time that it renews. */
  const renewed = async (holderIdentity: string): Promise<void> => {
    const spec = { holderIdentity, renewTime: new Date().toISOString().replace("Z", "000Z") };
    const path = `/apis/coordination.k8s.io/v1/namespaces/ops/leases/${lease.name}`;
    const contentType = "application/merge-patch+json";
    await rig.connection.request({ method: "PATCH", path, contentType, body: { spec }, signal });
  };
  const rival = "cli/somebody";
  const spec = { holderIdentity: rival, leaseDurationSeconds: 15 };
  await rig.write.create(Lease, { metadata: lease, spec } as KubeObject, signal);
  const run = await rig.start("drain", { drainPolicy: "Delete" });
  await expect.poll(async () => (await stateNow()).phase).toBe("Draining");

  await patchState({ policy: "Retain" });
  const since = await endOf(rig.auditLog);
  const reads = async (): Promise<boolean> =>
    (await eventsSince(rig.auditLog, since)).some(
      ({ verb, user, objectRef }) =>
        verb === "get" && objectRef?.name === "ngrok-operator-drain-state" && user.username.endsWith("-drain"),
    );
  await expect
    .poll(async () => {
      await renewed(rival);
      return await reads();
    })
    .toBe(true);
  await patchState(null);
  await expect
    .poll(async () => {
      await renewed(rival);
      return await stateNow();
    })
    .toMatchObject({ phase: "Draining", policy: "Retain" });
  await renewed("");

  const { code, log } = await run.ended;
  expect({ code, left: await domainsLeft(), remote: rig.api.remote() }, log).toEqual({
    code: 0,
    left: [],
    remote: COUNT,
  });
});
