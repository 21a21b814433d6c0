// `helm test` on a good day and on bad ones, as the process that it is, with the rights and the environment of its Job.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Domain } from "#api/domain.ts";
import { ConfigMap, Lease, Pod, type PodObject } from "#kube/kinds.ts";
import { at, type HookRig, hookRig } from "#test/support/hook-rig.ts";

const { signal } = new AbortController();
let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig();
});
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

test("a quota with no room for a second such pod is a note: what starts until the uninstall takes the hook's place", async () => {
  await rig.kubectl("create", "quota", "tight", "-n", "ops", "--hard=pods=1");
  const containers = [{ name: "rehearsal", image: "nothing" }];
  const pod = {
    metadata: at("ngrok-operator-rehearsal-x1"),
    spec: { automountServiceAccountToken: false, containers },
  };
  await expect
    .poll(
      async () =>
        await rig.write.create<PodObject>(Pod, pod, signal).then(
          () => "made",
          (error: unknown) => String(error),
        ),
    )
    .toBe("made");
  const { code, log } = await rig.run("rehearsal");
  await rig.kubectl("delete", "quota", "tight", "-n", "ops");
  expect(log).toMatch(/note +there is room for this pod and for no second one: ResourceQuota tight has less pods left/);
  expect(code, log).toBe(0);
});

const gone = "deleted-long-ago";

test("a watched namespace that is gone keeps no uninstall from its end, so no rehearsal either (F10)", async () => {
  const { code, log } = await rig.run("rehearsal", { "ingress.watchNamespace": gone });
  expect(log).toMatch(/ready +helm uninstall ngrok -n ops would come to its end/);
  expect(code, log).toBe(0);
});

test("a right that the API server does not grant is named, and where it is listed", async () => {
  await rig.kubectl("delete", "clusterrolebinding", "ngrok-operator-rehearsal", "--ignore-not-found");
  const narrow = {
    "ingress.watchNamespace": "shop",
    "rbac.cluster": "false",
    "ingress.ingressClass.create": "false",
    installCRDs: "false",
  };
  // What the rehearsal may there is the drain hook's, which is the release's.
  await rig.login(["api-manager/serviceaccount", "rbac/drain"], narrow);
  // As if somebody had taken the ClusterRole away from an install that should have it.
  const { code, log } = await rig.run("rehearsal", narrow, { RBAC_CLUSTER: "true" });
  expect(code, log).toBe(1);
  expect(log).toMatch(/blocker +a hook's ServiceAccount may not .* in all namespaces/);
  expect(log).toMatch(/remedy .*chart\/RBAC.md/);
});

test("without rights of the cluster a namespace that is gone is in the way, and the way out is told", async () => {
  const bindings = "clusterrolebinding,clusterrole";
  await rig.kubectl("delete", bindings, "ngrok-operator-rehearsal", "--ignore-not-found");
  const values = { "rbac.cluster": "false", "ingress.ingressClass.create": "false", installCRDs: "false" };
  const { code, log } = await rig.run("rehearsal", { ...values, "ingress.watchNamespace": gone });
  expect(code, log).toBe(1);
  expect(log).toMatch(new RegExp(`blocker +a hook's ServiceAccount may not .* in namespace ${gone}`));
  expect(log).toMatch(new RegExp(`remedy .*if namespace ${gone} was deleted.*kubectl create namespace ${gone}`));
});
