// The two hooks on a good day and on the first bad ones, as the processes that they are (test/support/hook-rig.ts).
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Domain } from "#api/domain.ts";
import { FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { parseState, stateReader } from "#drain/state.ts";
import type { KubeObject } from "#kube/kind.ts";
import { ConfigMap, Lease, Pod } from "#kube/kinds.ts";
import { hold } from "#kube/lease.ts";
import { applyStatus } from "#kube/status.ts";
import { anEndedJob } from "#test/support/ended-job.ts";
import { at, type HookRig, hookRig, release } from "#test/support/hook-rig.ts";
import type { NgrokApi } from "#test/support/ngrok-api/server.ts";

const { signal } = new AbortController();
const shop = { name: "shop-1", namespace: "shop" };
let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig();
});
afterAll(async () => await rig[Symbol.asyncDispose]());
beforeEach(async () => await rig.reset());

const stateNow = async () => parseState(await rig.read.get(ConfigMap, at("ngrok-operator-drain-state"), signal));

describe("the drain hook", () => {
  test("Retain with no operator alive: everything freed, kept ids reported, the KubernetesOperator gone (E3, E5, W1)", async () => {
    await rig.domains(1);
    await rig.anOperator();
    const { code, log } = await rig.run("drain");
    // Before it has asked anybody anything: who is killed then has said what to type.
    expect(log.split("\n")[0]).toMatch(/resume +should this run not come to its end: helm uninstall ngrok -n ops/);
    expect(log).toMatch(/drain +release ops\/ngrok chart \S+ revision 1 policy Retain time limit 270s/);
    expect(log).toMatch(/kept +at ngrok: Domain 1; ids in ConfigMap ngrok-operator-drain-report/);
    expect({ code, lines: log.split("\n").length < 40 }).toEqual({ code: 0, lines: true });
    expect((await rig.read.get(Domain, shop, signal))?.metadata.finalizers).toBeUndefined();
    expect(await rig.read.get(KubernetesOperator, at("ngrok"), signal)).toBeUndefined();
    expect(await stateNow()).toMatchObject({ phase: "Drained", policy: "Retain", driver: "hook" });
    expect((await rig.read.get(ConfigMap, at("ngrok-operator-drain-report"), signal))?.data?.["kept"]).toMatch(
      /^domain shop\/shop-1 rd_/,
    );
    expect((await rig.read.get(Lease, at("ngrok-operator-leader"), signal))?.spec?.holderIdentity ?? "").toBe("");
  });

  test("Delete: the domain goes at ngrok and in the cluster; a second run finds nothing and succeeds", async () => {
    await rig.domains(1);
    await rig.anOperator();
    const first = await rig.run("drain", { drainPolicy: "Delete" });
    expect(first.log).toMatch(/done +1 objects, 1 deleted at ngrok/);
    expect({ code: first.code, remote: rig.api.remote() }).toEqual({ code: 0, remote: 0 });
    expect((await rig.run("drain", { drainPolicy: "Delete" })).code).toBe(0);
  });

  test("Delete with a revoked key is refused before anything has changed, with both remedies (F6, W5)", async () => {
    await rig.domains(1);
    using _fault = fault({ kind: "status", status: 401, times: Infinity });
    const { code, log } = await rig.run("drain", { drainPolicy: "Delete" });
    expect({ code, phase: (await stateNow()).phase }).toEqual({ code: 1, phase: "Open" });
    expect(log).toMatch(/refused .*Nothing was changed/);
    expect(log).toContain(`patch configmap ngrok-operator-drain-state --type merge`);
    expect(await readFile(join(rig.folder, "drain.termination"), "utf8")).toContain("refused");
    expect((await rig.read.get(Domain, shop, signal))?.metadata.finalizers).toEqual([FINALIZER]);
  });

  test("a person relaxes Delete to Retain with kubectl alone, and the next run obeys without a key (E19, F15)", async () => {
    await rig.domains(1);
    await rig.kubectl(
      "-n",
      "ops",
      "patch",
      "configmap",
      "ngrok-operator-drain-state",
      "--type",
      "merge",
      "-p",
      '{"data":{"policy":"Retain"}}',
    );
    const { code, log } = await rig.run("drain", { drainPolicy: "Delete" }, { NGROK_API_KEY: "" });
    expect({ code, deletes: rig.api.count("DELETE") }).toEqual({ code: 0, deletes: 0 });
    expect(log).toMatch(/policy +Retain/);
  });

  test("a living leader yields to the mark at once (W21)", async () => {
    await rig.anOperator();
    const state = stateReader(rig.read, release);
    const held = await hold(rig.connection, {
      lease: at("ngrok-operator-leader"),
      holder: "pod/manager-1/00000000-0000-0000-0000-000000000009",
      signal,
      onRenew: async (until) => ((await state.fresh(until)).phase === "Open" ? "keep" : "yield"),
    });
    const yielded = held.ended.then(async (how) => {
      await held[Symbol.asyncDispose]();
      return how;
    });
    const { code, log } = await rig.run("drain");
    expect({ code, how: await yielded }).toEqual({ code: 0, how: "yielded" });
    expect(log).toMatch(/operator +leader manager-1 yielded after \d/);
  });

  test("a hung leader loses its pod, and the drain goes on when its token is dead (F3, F12, F13)", async () => {
    await rig.anOperator();
    const labels = { "app.kubernetes.io/instance": "ngrok", "app.kubernetes.io/component": "controller" };
    const pod = await rig.write.create(
      Pod,
      { metadata: { ...at("manager-2"), labels }, spec: { containers: [{ name: "a", image: "a" }] } } as KubeObject,
      signal,
    );
    const spec = { holderIdentity: `pod/manager-2/${pod.metadata.uid}`, leaseDurationSeconds: 15 };
    await rig.write.create(Lease, { metadata: at("ngrok-operator-leader"), spec } as KubeObject, signal);
    const { code, log } = await rig.run("drain");
    expect(log).toMatch(/operator +leader manager-2 neither yields nor renews: its pod was deleted/);
    expect(log).toMatch(/operator +leader manager-2 was evicted after (29|[3-9]\d|\d{3})\.\ds/);
    expect({ code, pod: await rig.read.get(Pod, at("manager-2"), signal) }).toEqual({ code: 0, pod: undefined });
  });

  test("with its own rights it shows the drain on the KubernetesOperator, to the last status", async () => {
    await rig.domains(1);
    await rig.anOperator([FINALIZER, "acme.io/hold"]);
    const { code } = await rig.run("drain");
    const status = (await rig.read.get(KubernetesOperator, at("ngrok"), signal))?.status;
    expect(code).toBe(0);
    expect(status?.drain).toMatchObject({ phase: "Drained", drainedResources: 1, totalResources: 1, driver: "hook" });
    expect(status?.conditions?.map(({ type, reason }) => `${type} ${reason}`)).toContain("Draining DrainCompleted");
    const events = await rig.kubectl("get", "events.events.k8s.io", "-n", "ops", "-o", "jsonpath={.items[*].reason}");
    expect(events.split(" ")).toEqual(expect.arrayContaining(["DrainStarted", "DrainCompleted"]));
  });

  test("the policy is the revision's that Helm uninstalls, and a KubernetesOperator that says otherwise is told (F8)", async () => {
    await rig.domains(1);
    await rig.anOperator();
    const { code, log } = await rig.run("drain", { drainPolicy: "Delete" });
    expect(log).toMatch(/policy +Delete, as revision 1 of the release says; the KubernetesOperator says Retain, which/);
    expect({ code, remote: rig.api.remote() }).toEqual({ code: 0, remote: 0 });
  });

  test("an unknown policy is refused in one line that names the field (W14)", async () => {
    const { code, log } = await rig.run("drain", {}, { DRAIN_POLICY: "Purge" });
    expect(code).toBe(1);
    expect(log).toMatch(/failed +drainPolicy 'Purge' is neither Retain nor Delete/);
  });

  test("an unreachable cluster is tried for as long as there is time, then one line gives the remedy", async () => {
    const login = join(rig.folder, "nowhere.kubeconfig");
    const admin = await readFile(rig.kubeconfig, "utf8");
    await writeFile(login, admin.replaceAll(rig.server, "https://127.0.0.1:1"));
    const { code, log } = await rig.run("drain", {}, { KUBECONFIG: login, HELM_TIMEOUT: "30" });
    expect(log).toMatch(/retrying +.*127\.0\.0\.1:1.*; trying again in \d+s/);
    expect({ code, failed: /failed +.*127\.0\.0\.1:1/.test(log), remedy: /remedy/.test(log) }).toEqual({
      code: 1,
      failed: true,
      remedy: true,
    });
  });
});

describe("the cleanup hook", () => {
  test("normally finds nothing, and sweeps what Helm does not own (F21)", async () => {
    await rig.anOperator();
    expect((await rig.run("drain")).code).toBe(0);
    await anEndedJob(rig.write, async (args) => await rig.kubectl(...args), at("ngrok-operator-drain"));
    // As an earlier helm rollback leaves it.
    await rig.write.create(ConfigMap, { metadata: at("ngrok-operator-rollback") }, signal);
    const { code, log } = await rig.run("cleanup");
    expect(log).toMatch(
      /cleanup +deleted lease ngrok-operator-leader, configmap ngrok-operator-drain-state, configmap ngrok-operator-rollback, job ngrok-operator-drain, serviceaccount/,
    );
    expect({ code, lines: log.trim().split("\n").length }).toEqual({ code: 0, lines: 1 });
    expect(
      (await rig.kubectl("get", "roles,rolebindings,serviceaccounts", "-n", "ops", "-o", "name")).includes(
        "ngrok-operator-drain",
      ),
    ).toBe(false);
  });

  test("drains what a killed drain hook left, by the same policy (F2, W19)", async () => {
    await rig.domains(1);
    const { code, log } = await rig.run("cleanup", { drainPolicy: "Delete" });
    expect({
      code,
      remote: rig.api.remote(),
      domain: await rig.read.get(Domain, shop, signal),
    }).toEqual({ code: 0, remote: 0, domain: undefined });
    expect(log).toMatch(/done +1 objects, 1 deleted at ngrok/);
  });

  test("deletes nothing at ngrok where the values say Retain, and nobody has told it more", async () => {
    await rig.domains(1);
    const { code } = await rig.run("cleanup", { drainPolicy: "Retain" });
    const finalizers = (await rig.read.get(Domain, shop, signal))?.metadata.finalizers ?? [];
    expect({ code, remote: rig.api.remote(), finalizers }).toEqual({ code: 0, remote: 1, finalizers: [] });
  });

  test("Delete without a key strips as the last of all, names the ids, and fails", async () => {
    await rig.domains(1);
    const { code, log } = await rig.run("cleanup", { drainPolicy: "Delete" }, { NGROK_API_KEY: "" });
    expect({ code, remote: rig.api.remote() }).toEqual({ code: 1, remote: 1 });
    expect(log).toMatch(/leaking /);
    expect((await rig.read.get(Domain, shop, signal))?.metadata.finalizers).toBeUndefined();
  });

  /** A drain hook was killed before its farewell: what is left is the KubernetesOperator, with its registration, and a Lease. */
  async function registered(): Promise<string> {
    await rig.anOperator();
    await rig.write.create(Lease, { metadata: at("ngrok-operator-leader"), spec: {} } as KubeObject, signal);
    const deployment = { name: "ngrok", namespace: "ops", version: "1" };
    const id = await rig.api.add("kubernetes_operators", { deployment });
    await applyStatus(rig.connection, KubernetesOperator, at("ngrok"), { id }, "test", signal);
    return id;
  }
  const isSwept = async () => (await rig.read.get(Lease, at("ngrok-operator-leader"), signal)) === undefined;

  test.for([
    { policy: "Delete", key: "no", env: { NGROK_API_KEY: "" }, code: 1 },
    { policy: "Delete", key: "a revoked", env: {}, code: 1 },
    { policy: "Retain", key: "no", env: { NGROK_API_KEY: "" }, code: 0 },
  ])(
    "$policy with $key key lets the KubernetesOperator itself go, names its id, and sweeps",
    async ({ policy, env, code }, { expect }) => {
      const id = await registered();
      using _revoked = fault({ kind: "status", status: 401, times: Infinity });
      const run = await rig.run("cleanup", { drainPolicy: policy }, env);
      expect(run.log).toMatch(new RegExp(`kept +the registration at ngrok, ${id}, could not be removed`));
      const operator = await rig.read.get(KubernetesOperator, at("ngrok"), signal);
      expect({ code: run.code, operator, swept: await isSwept() }).toEqual({ code, operator: undefined, swept: true });
      expect(run.log.includes("leaking ")).toBe(code === 1);
    },
  );

  test("a farewell that fails otherwise keeps the KubernetesOperator, and is swept behind all the same", async () => {
    await registered();
    using _broken = fault({ kind: "status", status: 503, times: Infinity });
    const { code, log } = await rig.run("cleanup", { drainPolicy: "Delete" }, { HELM_TIMEOUT: "30" });
    expect(log).toMatch(/again .* helm install it, then helm uninstall it/);
    const operator = await rig.read.get(KubernetesOperator, at("ngrok"), signal);
    expect(operator?.metadata.finalizers).toEqual([FINALIZER]);
    expect({ code, swept: await isSwept() }).toEqual({ code: 1, swept: true });
  });
});

function fault(what: Parameters<NgrokApi["faults"]["add"]>[0]): Disposable {
  const added = rig.api.faults.add(what);
  return { [Symbol.dispose]: () => added.remove() };
}
