// The last step of a drain on a real API server: the KubernetesOperator goes last, and shows the drain to its end.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { ConfigMap } from "#kube/kinds.ts";
import { applyStatus } from "#kube/status.ts";
import * as a from "#test/support/builders.ts";
import { type HookRig, hookRig, release } from "#test/support/hook-rig.ts";
import { conduct, type Conduct, type Conclusion } from "./conduct.ts";
import { parseState } from "./state.ts";

const { signal } = new AbortController();
let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig();
});
afterAll(async () => await rig[Symbol.asyncDispose]());
beforeEach(async () => await rig.reset());

async function drain(policy: DrainPolicy, over: Partial<Conduct> = {}): Promise<Conclusion> {
  const work = { hands: rig.hands, release, clusterWide: true, budgetMs: 60_000, signal, driver: "hook" } as const;
  return await conduct({ ...work, policy: () => policy, ...over });
}

describe("the KubernetesOperator", () => {
  async function anOperator(finalizers: string[]): Promise<void> {
    const object = a.aKubernetesOperator({ metadata: { name: "ngrok", namespace: "ops", finalizers } });
    const { metadata } = await rig.write.create(KubernetesOperator, object, signal);
    const id = await rig.api.add("kubernetes_operators", {
      deployment: { name: "ngrok", namespace: "ops", version: "1" },
    });
    await applyStatus(rig.connection, KubernetesOperator, metadata, { id }, "test", signal);
  }
  const operator = async (): Promise<KubernetesOperator | undefined> =>
    await rig.read.get(KubernetesOperator, { name: "ngrok", namespace: "ops" }, signal);

  test("goes last, and is deregistered under Retain as well", async () => {
    await rig.domains(2);
    await anOperator([FINALIZER]);
    const { farewell } = await drain("Retain");
    expect(farewell).toMatchObject({ is: "gone", registration: "deleted" });
    expect(await operator()).toBeUndefined();
    expect(rig.api.state()["kubernetes_operators"]).toBe(0);
  });

  test("held by somebody else it stays, and shows the whole drain (E16)", async () => {
    await anOperator([FINALIZER, "acme.io/hold"]);
    const { farewell } = await drain("Delete");
    expect(farewell).toMatchObject({ is: "held", by: ["acme.io/hold"] });
    const { status, metadata } = (await operator())!;
    const conditions = Object.fromEntries(
      status!.conditions!.map(({ type, status: is, reason }) => [type, `${is} ${reason}`]),
    );
    expect(conditions).toMatchObject({
      Draining: "False DrainCompleted",
      Ready: "False DrainCompleted",
      Registered: "False Deregistered",
    });
    expect(status?.drain).toMatchObject({ phase: "Drained", policy: "Delete", driver: "hook", failedResources: 0 });
    expect(status?.id ?? "").toBe("");
    await rig.write.patch(
      KubernetesOperator,
      { name: "ngrok", namespace: "ops" },
      metadata.uid!,
      [{ op: "remove", path: "/metadata/finalizers" }],
      signal,
    );
  });

  test("the state turns Drained before it goes (W6)", async () => {
    const mark = { policy: "Retain", driver: "hook", by: "pod/a/1", since: "2026-01-01T00:00:00Z" } as const;
    await drain("Retain", { mark });
    const state = parseState(
      await rig.read.get(ConfigMap, { name: "ngrok-operator-drain-state", namespace: "ops" }, signal),
    );
    expect(state).toMatchObject({ phase: "Drained", policy: "Retain" });
  });
});
