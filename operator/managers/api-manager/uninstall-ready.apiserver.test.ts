// UninstallReady under the rights that the chart gives: what is asked for is what is granted, in every mode of an install,
// or a good cluster would be told that a right is missing.
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { findCondition } from "#api/conditions.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { at, type HookRig, hookRig } from "#test/support/hook-rig.ts";
import { leadingManager, seen } from "#test/support/manager-process.ts";

const { signal } = new AbortController();
let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig();
});
afterAll(async () => await rig[Symbol.asyncDispose]());
beforeEach(async () => await rig.reset());

const shop = { "ingress.watchNamespace": "shop" };
const narrow = { ...shop, "rbac.cluster": "false", "ingress.ingressClass.create": "false", installCRDs: "false" };

// The narrowest first: what a mode is given stays for those after it.
test.for([
  ["no rights of the cluster", narrow, ["--ingress-watch-namespace=shop", "--rbac-cluster=false"]],
  ["one namespace", shop, ["--ingress-watch-namespace=shop"]],
  ["all namespaces", {}, []],
] as const)("%s: nothing is in the way of an uninstall", async ([, values, flags]) => {
  await using operator = await leadingManager(rig, flags, { KUBECONFIG: await rig.managerLogin({ ...values }) });
  let said = "nothing";
  const look = async (): Promise<boolean> => {
    const object = await rig.read.get(KubernetesOperator, at("ngrok"), signal);
    const condition = findCondition(object?.status?.conditions, "UninstallReady");
    said = `${condition?.reason}: ${condition?.message}`;
    return condition?.reason === "NothingInTheWay";
  };
  // Not always at the first look: the API server hears of new rights a moment after they are written.
  await seen(() => `nothing is in the way; the condition says ${said}, and the operator ${operator.log()}`, look);
  expect(operator.child.exitCode).toBeNull();
});
