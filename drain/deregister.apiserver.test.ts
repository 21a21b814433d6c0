// The farewell at ngrok: whatever ngrok answers to the deregistration, the drain before it is not done twice, and the
// KubernetesOperator is let go only when that is right.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { DrainPolicy } from "#api/schema.ts";
import type { Reader } from "#kube/reader.ts";
import { applyStatus } from "#kube/status.ts";
import { at, type HookRig, hookRig, release } from "#test/support/hook-rig.ts";
import type { Fault } from "#test/support/ngrok-api/faults.ts";
import { conduct, type Conclusion } from "./conduct.ts";
import type { Hands } from "./hands.ts";

const { signal } = new AbortController();
const HOLD = "acme.io/hold";
let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig();
});
afterAll(async () => await rig[Symbol.asyncDispose]());
beforeEach(async () => await rig.reset());

async function drain(policy: DrainPolicy, over: Partial<Hands> = {}): Promise<Conclusion> {
  const hands = { ...rig.hands, ...over };
  return await conduct({
    hands,
    release,
    clusterWide: true,
    budgetMs: 20_000,
    signal,
    driver: "hook",
    policy: () => policy,
  });
}

const operator = async (): Promise<KubernetesOperator | undefined> =>
  await rig.read.get(KubernetesOperator, at("ngrok"), signal);

/** A KubernetesOperator with a registration at ngrok, or with the id of one that is not there. */
async function registered(id?: string): Promise<void> {
  await rig.anOperator();
  const deployment = { name: "ngrok", namespace: "ops", version: "1" };
  const made = id ?? (await rig.api.add("kubernetes_operators", { deployment }));
  await applyStatus(rig.connection, KubernetesOperator, at("ngrok"), { id: made }, "test", signal);
}

function refusing(effect: Fault): void {
  rig.api.faults.add({ ...effect, match: { method: "DELETE", path: /^\/kubernetes_operators/ } });
}

test("a registration that ngrok does not know any more counts as gone, as after a crash between the two last steps (E9, W23)", async () => {
  await registered("k8sop_long_gone");
  const { farewell } = await drain("Delete");
  expect(farewell).toMatchObject({ is: "gone", registration: "gone" });
  expect(await operator()).toBeUndefined();
});

test.for(["Retain", "Delete"] as const)(
  "%s: where nothing carries a finalizer one look at each kind is enough, and the registration goes (E4)",
  async (policy, { expect }) => {
    await registered();
    const { report, farewell } = await drain(policy);
    expect(report).toMatchObject({ passes: 1, done: 0, failed: 0 });
    expect(farewell).toMatchObject({ is: "gone", registration: "deleted" });
    expect(rig.api.count("DELETE", "/kubernetes_operators", 204)).toBe(1);
    expect(await operator()).toBeUndefined();
  },
);

test.for(["Retain", "Delete"] as const)(
  "%s: while ngrok fails, nothing is deregistered unseen; the next run ends it and drains nothing twice (E10)",
  async (policy, { expect }) => {
    await rig.domains(2);
    await registered();
    refusing({ kind: "status", status: 503, times: Infinity });
    const first = await drain(policy).catch((error: unknown) => error);
    const deleted = rig.api.count("DELETE", "/reserved_domains");
    if (policy === "Retain") {
      // The registration is the operator's own: its loss is told, and stops nobody.
      expect(first).toMatchObject({ farewell: { is: "gone", registration: "kept" } });
      return;
    }
    expect(first).toMatchObject({ class: "transient", status: 503 });
    expect((await operator())?.metadata.finalizers).toEqual([FINALIZER]);
    rig.api.faults.clear();
    expect((await drain(policy)).farewell).toMatchObject({ is: "gone", registration: "deleted" });
    expect({ before: deleted, after: rig.api.count("DELETE", "/reserved_domains") }).toEqual({ before: 2, after: 2 });
  },
);

test("a wait that ngrok asks for is kept, and the same run ends it (E11)", async () => {
  await registered();
  refusing({ kind: "status", status: 429, retryAfter: 1, times: 1 });
  expect((await drain("Delete")).farewell).toMatchObject({ is: "gone", registration: "deleted" });
});

test("a refusal is told under Retain, and holds the object under Delete, with the way out (E12, W4)", async () => {
  await registered();
  refusing({ kind: "status", status: 403, times: Infinity });
  await expect(drain("Delete")).rejects.toMatchObject({
    class: "invalid",
    status: 403,
    hint: expect.stringContaining(
      "patch configmap ngrok-operator-drain-state --type merge -p 'data: {policy: Retain}'",
    ),
  });
  expect((await operator())?.metadata.finalizers).toEqual([FINALIZER]);
  const { farewell } = await drain("Retain");
  expect(farewell).toMatchObject({ is: "gone", registration: "kept" });
  expect(await operator()).toBeUndefined();
});

test("who else writes the KubernetesOperator meanwhile disturbs neither the drain nor its last status (E13, W23)", async () => {
  await rig.anOperator([FINALIZER, HOLD]);
  await rig.domains(1);
  let writes = 0;
  const get: Reader["get"] = async (kind, ref, until) => {
    const seen = await rig.read.get(kind, ref, until);
    // Between the reading of the object and the writing of its status, each time.
    if (kind.plural === KubernetesOperator.plural && seen !== undefined) {
      writes += 1;
      await rig.kubectl("annotate", "kubernetesoperator/ngrok", "-n", "ops", "--overwrite", `team=${writes}`);
    }
    return seen;
  };
  const { ending, farewell } = await drain("Retain", { read: { ...rig.read, get } });
  expect({ ending, farewell, disturbed: writes > 2 }).toMatchObject({
    ending: "clean",
    farewell: { is: "held", by: [HOLD] },
    disturbed: true,
  });
  expect((await operator())?.status?.drain).toMatchObject({ phase: "Drained", drainedResources: 1 });
});
