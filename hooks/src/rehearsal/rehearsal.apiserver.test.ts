// `helm test` on a good day and on bad ones, as the process that it is, with the rights and the environment of its Job.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Domain } from "#api/domain.ts";
import { ConfigMap, Lease } from "#kube/kinds.ts";
import { at, type HookRig, hookRig } from "#test/support/hook-rig.ts";

const { signal } = new AbortController();
let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig();
}, 60_000);
afterAll(async () => await rig[Symbol.asyncDispose]());
beforeEach(async () => {
  await rig.reset();
  await rig.domains(1);
  await rig.anOperator();
});

/** What a rehearsal must leave as it found it. */
async function everything(): Promise<object> {
  return {
    domain: await rig.read.get(Domain, { name: "shop-1", namespace: "shop" }, signal),
    state: await rig.read.get(ConfigMap, at("ngrok-operator-drain-state"), signal),
    lease: await rig.read.get(Lease, at("ngrok-operator-leader"), signal),
    remote: rig.api.remote(),
  };
}

function revokedKey(): Disposable {
  const added = rig.api.faults.add({ kind: "status", status: 401, times: Infinity });
  return { [Symbol.dispose]: () => added.remove() };
}

test("ready: it says so in under 40 lines, and touches nothing", async () => {
  const before = await everything();
  const { code, log } = await rig.run("rehearsal", { drainPolicy: "Delete" });
  expect(log).toMatch(/plan +release ops\/ngrok policy Delete \(from the chart\)/);
  expect(log).toMatch(/objects +Domain 1 of 1: deleted; at ngrok 1 deleted/);
  expect(log.trimEnd().split("\n").at(-1)).toMatch(/ready +helm uninstall ngrok -n ops would come to its end/);
  expect({ code, short: log.split("\n").length < 40 }).toEqual({ code: 0, short: true });
  expect(await everything()).toEqual(before);
});

test("a revoked key stops Delete, with the remedy last and in the termination message", async () => {
  using _revoked = revokedKey();
  const { code, log } = await rig.run("rehearsal", { drainPolicy: "Delete" });
  expect(code, log).toBe(1);
  expect(log).toMatch(/refused .*under Delete.*\n.*remedy .*\n.*again +helm test ngrok -n ops\n$/);
  expect(await readFile(join(rig.folder, "rehearsal.termination"), "utf8")).toMatch(/remedy[^]*again/);
});

test("the same key does not matter under Retain, and is told", async () => {
  using _revoked = revokedKey();
  const { code, log } = await rig.run("rehearsal");
  expect(code, log).toBe(0);
  expect(log).toContain("under Delete it would not be ready");
});

test("a right that the API server does not grant is named, and where it is listed", async () => {
  await rig.kubectl("delete", "clusterrolebinding", "ngrok-operator-rehearsal", "--ignore-not-found");
  const narrow = {
    "ingress.watchNamespace": "shop",
    "rbac.cluster": "false",
    "ingress.ingressClass.create": "false",
    installCRDs: "false",
  };
  // As if somebody had taken the ClusterRole away from an install that should have it.
  const { code, log } = await rig.run("rehearsal", narrow, { RBAC_CLUSTER: "true" });
  expect(code, log).toBe(1);
  expect(log).toMatch(/blocker +a hook's ServiceAccount may not .* in all namespaces/);
  expect(log).toMatch(/remedy .*chart\/RBAC.md/);
});
