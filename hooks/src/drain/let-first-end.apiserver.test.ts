// Two uninstalls of one release at once: whose turn it is, told from what the other Helm leaves to be seen.
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { KubeObject } from "#kube/kind.ts";
import { Job, Pod, ServiceAccount } from "#kube/kinds.ts";
import { testClock } from "#test/support/clock.ts";
import { anEndedJob } from "#test/support/ended-job.ts";
import { at, type HookRig, hookRig, release } from "#test/support/hook-rig.ts";
import { systemClock } from "#wire/clock.ts";
import { type FirstEnd, letFirstEnd, type LetFirstEnd } from "./let-first-end.ts";

const { signal } = new AbortController();
const CLEANUP = "ngrok-operator-cleanup";
let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig();
});
afterAll(async () => await rig[Symbol.asyncDispose]());
beforeEach(async () => await rig.reset());

const aJob = async (name: string): Promise<string> =>
  await rig.kubectl("create", "job", name, "--image=none", "-n", "ops");
const anEnded = async (name: string): Promise<void> =>
  await anEndedJob(rig.write, async (args) => await rig.kubectl(...args), at(name));
const gone = async (what: string, name: string): Promise<string> =>
  await rig.kubectl("delete", what, name, "-n", "ops");

const STATE = "ngrok-operator-drain-state";

async function aManager(): Promise<void> {
  const labels = { "app.kubernetes.io/instance": "ngrok", "app.kubernetes.io/component": "controller" };
  const spec = { containers: [{ name: "a", image: "a" }] };
  const metadata = { ...at("manager-1"), labels, finalizers: ["acme.io/ends-slowly"] };
  await rig.write.create(Pod, { metadata, spec } as KubeObject, signal);
}

/** Its finalizer stands for what a kubelet has still to do. */
async function managerHasEnded(): Promise<void> {
  await rig.kubectl("patch", "pod", "manager-1", "-n", "ops", "--type=merge", "-p", '{"metadata":{"finalizers":null}}');
}

/** One that waits: `begun` when it has said so. */
function waiting(over: Partial<LetFirstEnd> = {}): {
  readonly begun: Promise<void>;
  readonly ended: Promise<FirstEnd>;
} {
  const begun = Promise.withResolvers<void>();
  const { connection, read } = rig;
  const say = (): void => begun.resolve();
  const work = { connection, read, release, clock: systemClock, budgetMs: 60_000, signal, say, ...over };
  return { begun: begun.promise, ended: letFirstEnd(work) };
}

describe("a drain", () => {
  test("that is the only one waits for nobody", async () => {
    expect(await waiting().ended).toBe("none");
  });

  test("lets the cleanup of another uninstall end, until Helm has deleted it (F2)", async () => {
    await gone("configmap", STATE);
    await aJob(CLEANUP);
    const { begun, ended } = waiting();
    await begun;
    await gone("job", CLEANUP);
    expect(await ended).toBe("ended");
  });

  test("waits for a cleanup that is still to come where Helm has deleted the release around it (F2)", async () => {
    await gone("configmap", STATE);
    const { begun, ended } = waiting();
    await begun;
    await aJob(CLEANUP);
    await gone("job", CLEANUP);
    expect(await ended).toBe("ended");
  });

  test("sees the same by the operator's pods alone, before Helm comes to the drain state (F2)", async () => {
    await aManager();
    await rig.kubectl("delete", "pod", "manager-1", "-n", "ops", "--wait=false", "--grace-period=30");
    const { begun, ended } = waiting();
    await begun;
    await gone("configmap", STATE);
    await aJob(CLEANUP);
    await gone("job", CLEANUP);
    expect(await ended).toBe("ended");
    await managerHasEnded();
  });

  test("leaves alone what was installed anew behind the other uninstall", async () => {
    await aJob(CLEANUP);
    const { begun, ended } = waiting();
    await begun;
    await gone("configmap", STATE);
    await rig.kubectl("create", "configmap", STATE, "-n", "ops");
    await gone("job", CLEANUP);
    expect(await ended).toBe("anew");
  });

  test("takes a state that a person deleted for no uninstall: the operator runs", async () => {
    await gone("configmap", STATE);
    await aManager();
    expect(await waiting().ended).toBe("none");
    await managerHasEnded();
  });

  test("does not take the cleanup of an earlier install for one of this", async () => {
    await aJob(CLEANUP);
    await gone("configmap", STATE);
    await setTimeout(1_100); // the API server counts in seconds
    await rig.kubectl("create", "configmap", STATE, "-n", "ops");
    expect(await waiting().ended).toBe("none");
  });

  const theStateIsGone = async (): Promise<unknown> => await gone("configmap", STATE);
  test.for([
    ["no cleanup comes: the other Helm has died", 15_000, theStateIsGone],
    ["one has ended and stays: it has failed, or its Helm has died", 5_000, async () => await anEnded(CLEANUP)],
    ["one hangs: the time is over", 40_000, async () => await aJob(CLEANUP)],
  ] as const)("does not wait for ever: %s", async ([, ms, given], { expect }) => {
    await given();
    const clock = testClock();
    const listed = Promise.withResolvers<void>();
    const connection: LetFirstEnd["connection"] = {
      ...rig.connection,
      watch(request) {
        listed.resolve();
        return rig.connection.watch(request);
      },
    };
    const { ended } = waiting({ clock, connection, budgetMs: 40_000 });
    await listed.promise;
    expect(clock.sleeps).toContain(ms);
    await clock.advance(ms);
    expect(await ended).toBe("lost");
  });
});

test("both hooks: the second uninstall's drain outlives the first one's cleanup, which leaves it its rights (F2)", async () => {
  await rig.domains(1);
  await gone("configmap", STATE);
  await aJob("ngrok-operator-drain");
  await aJob(CLEANUP);
  const second = await rig.start("drain");
  const first = await rig.run("cleanup");
  expect(first.log).toMatch(/cleanup +another helm uninstall of this release still drains/);
  // Typed later it takes what the second one's cleanup would: by name, so neither the report nor anybody else's.
  const [, command = ""] = /sweep +where that one ends before: kubectl (.*)/.exec(first.log) ?? [];
  expect(command).toMatch(/^-n ops delete leases\/\S+ .*clusterroles\/ngrok-operator-drain --ignore-not-found$/);
  expect(command).not.toMatch(/report| -l /);
  expect((await rig.read.get(ServiceAccount, at("ngrok-operator-drain"), signal))?.metadata.name).toBeDefined();
  await gone("job", CLEANUP);
  const { code, log } = await second.ended;
  expect({ code, ended: /waiting +another[^]*ended +that uninstall/.test(log) }).toEqual({ code: 0, ended: true });
  await gone("job", "ngrok-operator-drain");
  await anEnded("ngrok-operator-drain");
  expect((await rig.run("cleanup")).log).toMatch(/cleanup +deleted .*job ngrok-operator-drain, serviceaccount/);
  expect(await rig.read.get(Job, at("ngrok-operator-drain"), signal)).toBeUndefined();
  expect(await rig.kubectl(...command.split(" "))).toBe("");
});

test("one that another uninstall has overtaken in its middle waits at its end, however it ended (F2)", async () => {
  await rig.domains(1);
  // However long kubectl takes for it: nothing is deleted before all of it has happened.
  const slow = rig.api.faults.add({ kind: "latency", ms: 3_600_000, match: { method: "DELETE" }, times: Infinity });
  const second = await rig.start("drain", { drainPolicy: "Delete" });
  await expect.poll(() => slow.hits).toBeGreaterThan(0);
  await gone("configmap", STATE);
  await aJob(CLEANUP);
  slow.remove();
  await expect.poll(() => second.log()).toMatch(/waiting +another helm uninstall/);
  await gone("job", CLEANUP);
  const { code, log } = await second.ended;
  expect({ code, order: /waiting +another[^]*ended +that uninstall/.test(log) }).toEqual({ code: 0, order: true });
});
