// Two uninstalls of one release at once: whose turn it is, told from what the other Helm leaves to be seen.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { KubeObject } from "#kube/kind.ts";
import { Job, Pod, ServiceAccount } from "#kube/kinds.ts";
import { testClock } from "#test/support/clock.ts";
import { anEndedJob } from "#test/support/ended-job.ts";
import { at, type HookRig, hookRig, release } from "#test/support/hook-rig.ts";
import { systemClock } from "#wire/clock.ts";
import { letFirstEnd, type LetFirstEnd } from "./let-first-end.ts";

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

async function aManager(): Promise<void> {
  const labels = { "app.kubernetes.io/instance": "ngrok", "app.kubernetes.io/component": "controller" };
  const spec = { containers: [{ name: "a", image: "a" }] };
  await rig.write.create(Pod, { metadata: { ...at("manager-1"), labels }, spec } as KubeObject, signal);
}

/** One that waits: `begun` when it has said so. */
function waiting(over: Partial<LetFirstEnd> = {}): { readonly begun: Promise<void>; readonly ended: Promise<boolean> } {
  const begun = Promise.withResolvers<void>();
  const { connection, read } = rig;
  const say = (): void => begun.resolve();
  const work = { connection, read, release, clock: systemClock, budgetMs: 60_000, signal, say, ...over };
  return { begun: begun.promise, ended: letFirstEnd(work) };
}

describe("a drain", () => {
  test("that is the only one waits for nobody", async () => {
    expect(await waiting().ended).toBe(false);
  });

  test("lets the cleanup of another uninstall end, and goes on when Helm has deleted it (F2)", async () => {
    await aJob(CLEANUP);
    const { begun, ended } = waiting();
    await begun;
    await gone("job", CLEANUP);
    expect(await ended).toBe(true);
  });

  test("waits for a cleanup that is still to come where Helm has deleted the release around it (F2)", async () => {
    await gone("configmap", "ngrok-operator-drain-state");
    const { begun, ended } = waiting();
    await begun;
    await aJob(CLEANUP);
    await gone("job", CLEANUP);
    expect(await ended).toBe(true);
  });

  test("takes a state that a person deleted for no uninstall: the operator runs", async () => {
    await gone("configmap", "ngrok-operator-drain-state");
    await aManager();
    expect(await waiting().ended).toBe(false);
  });

  test.for([
    [
      "no cleanup comes: the other Helm has died",
      15_000,
      async () => await gone("configmap", "ngrok-operator-drain-state"),
    ],
    ["one has ended and stays: the other Helm has died", 5_000, async () => await anEnded(CLEANUP)],
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
    let over = false;
    void ended.then(() => (over = true));
    await clock.advance(ms - 1);
    expect(over).toBe(false);
    await clock.advance(1 + 2_000);
    expect(await ended).toBe(true);
  });
});

test("both hooks: the second uninstall's drain outlives the first one's cleanup, which leaves it its rights (F2)", async () => {
  await rig.domains(1);
  await aJob("ngrok-operator-drain");
  await aJob(CLEANUP);
  const second = await rig.start("drain");
  const first = await rig.run("cleanup");
  expect(first.log).toMatch(/cleanup +another helm uninstall of this release still drains/);
  expect((await rig.read.get(ServiceAccount, at("ngrok-operator-drain"), signal))?.metadata.name).toBeDefined();
  await gone("job", CLEANUP);
  const { code, log } = await second.ended;
  expect({ code, waited: /waiting +another helm uninstall/.test(log) }).toEqual({ code: 0, waited: true });
  await gone("job", "ngrok-operator-drain");
  await anEnded("ngrok-operator-drain");
  expect((await rig.run("cleanup")).log).toMatch(/cleanup +deleted .*job ngrok-operator-drain, serviceaccount/);
  expect(await rig.read.get(Job, at("ngrok-operator-drain"), signal)).toBeUndefined();
});
