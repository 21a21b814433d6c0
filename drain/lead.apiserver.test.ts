// The drain under the leader, against a real API server: which policy it follows while the state cannot be read.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ConfigMap } from "#kube/kinds.ts";
import type { Reader } from "#kube/reader.ts";
import { type HookRig, hookRig, release } from "#test/support/hook-rig.ts";
import { PARALLEL as WORKERS } from "./execute.ts";
import { leaderDrain } from "./lead.ts";
import { stateReader, stateRef } from "./state.ts";

/** More than the drain has workers. */
const COUNT = 40;
const { signal } = new AbortController();
let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig();
});
afterAll(async () => await rig[Symbol.asyncDispose]());
beforeEach(async () => await rig.reset());

test("Retain that was obeyed in the middle is not forgotten when the state cannot be read (F8)", async () => {
  await rig.domains(COUNT);
  // All but the first deletion take their time: what waits for a worker then is planned under the policy of later.
  const latency = { kind: "latency", ms: 8_000, match: { method: "DELETE" }, skip: 1, times: Infinity } as const;
  const fault = rig.api.faults.add(latency);
  let readable = true;
  const flaky: Reader = {
    ...rig.read,
    get: async (...args) => {
      if (!readable) throw new Error("the API server is away");
      return await rig.read.get(...args);
    },
  };
  const state = stateReader(flaky, release);
  const work = { hands: rig.hands, release, clusterWide: true, policy: "Delete", identity: "pod/a/1", state } as const;
  const drained = leaderDrain({ ...work, signal });
  await expect.poll(() => rig.api.count("DELETE", "/reserved_domains")).toBeGreaterThan(0);

  // By a call: before a program of its own has started on a busy machine, the deletions under way would have ended.
  await rig.connection.request({
    method: "PATCH",
    path: `/api/v1/namespaces/${release.namespace}/configmaps/${stateRef(release).name}`,
    contentType: "application/merge-patch+json",
    body: { data: { policy: "Retain" } },
    signal,
  });
  expect(await state.fresh(signal)).toMatchObject({ phase: "Draining", policy: "Retain" });
  readable = false;
  expect((await state.fresh(signal)).phase).toBe("Unknown");
  fault.remove();

  expect((await drained).ending).toBe("clean");
  const deleted = rig.api.count("DELETE", "/reserved_domains");
  expect(deleted).toBeLessThanOrEqual(1 + WORKERS);
  expect(rig.api.remote()).toBe(COUNT - deleted);
  expect((await rig.read.get(ConfigMap, stateRef(release), signal))?.data).toMatchObject({ policy: "Retain" });
});
