// The two hooks as the processes that they are: with the environment and the rights that the chart renders, the token of
// their own ServiceAccount, and a real API server. What a kubelet would do is all that is missing.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse, parseAllDocuments, stringify } from "yaml";
import { Domain } from "#api/domain.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { parseState, stateReader } from "#drain/state.ts";
import { connect, type Connection } from "#kube/connection.ts";
import type { KubeObject } from "#kube/kind.ts";
import { ConfigMap, Job, Lease, Namespace, Pod } from "#kube/kinds.ts";
import { hold } from "#kube/lease.ts";
import { reader, type Reader } from "#kube/reader.ts";
import { applyStatus } from "#kube/status.ts";
import { writer, type Writer } from "#kube/writer.ts";
import { aDomain, aKubernetesOperator } from "#test/support/builders.ts";
import { installCrds } from "#test/support/crds.ts";
import { ownControlPlane } from "#test/support/apiserver.ts";
import { type NgrokApi, startNgrokApi } from "#test/support/ngrok-api/server.ts";
import { binaries } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";
import type { ControlPlane } from "#tools/cluster/embedded/control-plane.ts";
import { afterUninstall } from "#wire/fence.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" };
const stop = new AbortController();
const { signal } = stop;
const ref = (name: string) => ({ name, namespace: "ops" });

let plane: ControlPlane;
let api: NgrokApi;
let connection: Connection;
let read: Reader;
let write: Writer;
let folder: string;
let bin: string;

beforeAll(async () => {
  [plane, api, folder, bin] = await Promise.all([
    ownControlPlane(),
    startNgrokApi(),
    mkdtemp(join(tmpdir(), "hooks-test-")),
    binaries(console.log),
  ]);
  connection = await connect({ kubeconfig: plane.kubeconfig });
  read = reader(connection);
  write = writer(connection, afterUninstall(signal));
  await installCrds(connection);
  for (const name of ["ops", "shop"]) await write.create(Namespace, { metadata: { name } }, signal);
}, 60_000);

afterAll(async () => {
  await connection[Symbol.asyncDispose]();
  await api[Symbol.asyncDispose]();
  await plane[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
  stop.abort();
});

beforeEach(async () => {
  api.reset();
  const none = '{"metadata":{"finalizers":null}}';
  const kinds = "domains,kubernetesoperators,configmaps,leases,pods,jobs";
  for (const at of (
    await kubectl(
      "get",
      "domains,kubernetesoperators",
      "-A",
      "-o",
      "jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.namespace}{'\\n'}{end}",
    )
  )
    .trim()
    .split("\n")) {
    const [name, namespace] = at.split(" ");
    if (name && namespace) await kubectl("patch", name, "-n", namespace, "--type", "merge", "-p", none);
  }
  await kubectl("delete", kinds, "--all", "-n", "ops", "--force", "--grace-period=0");
  await kubectl("delete", "domains", "--all", "-n", "shop");
  await write.create(ConfigMap, { metadata: ref("ngrok-operator-drain-state") }, signal);
});

async function kubectl(...args: string[]): Promise<string> {
  return await command(join(bin, "kubectl"), ["--kubeconfig", plane.kubeconfig, ...args]);
}

interface JobLike extends KubeObject {
  spec: { template: { spec: { containers: { command: string[]; env: { name: string; value?: string }[] }[] } } };
}

/** Applies the hook's objects as the chart renders them (the Job aside) and runs its program with the rendered environment. */
async function run(
  name: "drain" | "cleanup",
  values: Record<string, string> = {},
  env: Record<string, string> = {},
): Promise<{ code: number; log: string }> {
  const sets = Object.entries({ apiURL: api.url, fullnameOverride: release.fullname, ...values }).flatMap(
    ([key, value]) => ["--set", `${key}=${value}`],
  );
  const rendered = await command(join(bin, "helm"), [
    "template",
    release.name,
    "chart",
    "-n",
    "ops",
    "-s",
    `templates/hooks/${name}.yaml`,
    ...sets,
  ]);
  const objects = parseAllDocuments(rendered).flatMap((document) => (document.toJS() as KubeObject | null) ?? []);
  const job = objects.find(({ kind }) => kind === "Job") as JobLike;
  const rights = join(folder, `${name}.yaml`);
  await writeFile(
    rights,
    objects
      .filter(({ kind }) => kind !== "Job")
      .map((object) => stringify(object))
      .join("---\n"),
  );
  await kubectl("apply", "-f", rights);
  const [container] = job.spec.template.spec.containers;
  const given = Object.fromEntries(
    container!.env.flatMap(({ name: key, value }) => (value === undefined ? [] : [[key, value]])),
  );
  return await program(name, {
    ...given,
    POD_NAMESPACE: "ops",
    POD_NAME: `${release.fullname}-${name}-x1`,
    POD_UID: "00000000-0000-0000-0000-000000000001",
    NGROK_API_KEY: "key",
    KUBECONFIG: await loginOf(`${release.fullname}-${name}`),
    TERMINATION_LOG: join(folder, `${name}.termination`),
    ...env,
  });
}

/** A kubeconfig with the token of a ServiceAccount, as a pod would carry it. */
async function loginOf(account: string): Promise<string> {
  const token = (await kubectl("create", "token", account, "-n", "ops")).trim();
  const admin = parse(await readFile(plane.kubeconfig, "utf8")) as { users: { user: object }[] };
  const path = join(folder, `${account}.kubeconfig`);
  await writeFile(path, stringify({ ...admin, users: admin.users.map((user) => ({ ...user, user: { token } })) }), {
    mode: 0o600,
  });
  return path;
}

async function program(name: string, env: Record<string, string>): Promise<{ code: number; log: string }> {
  const child = spawn(process.execPath, [`hooks/src/${name}/main.ts`], { env, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stdout.on("data", (chunk: Buffer) => (log += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const code = await new Promise<number>((resolve) => child.on("close", (exit) => resolve(exit ?? 1)));
  return { code, log };
}

async function aShopDomain(): Promise<void> {
  const id = await api.add("reserved_domains", { domain: "shop.example.com" });
  const metadata = {
    name: "shop",
    namespace: "shop",
    finalizers: [FINALIZER],
    annotations: { [DRAIN_OWNER]: "ops/ngrok" },
  };
  const domain = await write.create(Domain, aDomain({ metadata, spec: { domain: "shop.example.com" } }), signal);
  await applyStatus(connection, Domain, domain.metadata, { id }, "test", signal);
}
async function anOperator(): Promise<void> {
  await write.create(
    KubernetesOperator,
    aKubernetesOperator({ metadata: { ...ref("ngrok"), finalizers: [FINALIZER] } }),
    signal,
  );
}
const stateNow = async () => parseState(await read.get(ConfigMap, ref("ngrok-operator-drain-state"), signal));

describe("the drain hook", () => {
  test("Retain with no operator alive: everything freed, kept ids reported, the KubernetesOperator gone", async () => {
    await aShopDomain();
    await anOperator();
    const { code, log } = await run("drain");
    expect(log).toMatch(/drain +release ops\/ngrok chart \S+ policy Retain time limit 270s/);
    expect(log).toMatch(/kept +at ngrok: Domain 1; ids in ConfigMap ngrok-operator-drain-report/);
    expect({ code, lines: log.split("\n").length < 40 }).toEqual({ code: 0, lines: true });
    expect((await read.get(Domain, { name: "shop", namespace: "shop" }, signal))?.metadata.finalizers).toBeUndefined();
    expect(await read.get(KubernetesOperator, ref("ngrok"), signal)).toBeUndefined();
    expect(await stateNow()).toMatchObject({ phase: "Drained", policy: "Retain", driver: "hook" });
    expect((await read.get(ConfigMap, ref("ngrok-operator-drain-report"), signal))?.data?.["kept"]).toMatch(
      /^domain shop\/shop rd_/,
    );
    expect((await read.get(Lease, ref("ngrok-operator-leader"), signal))?.spec?.holderIdentity ?? "").toBe("");
  });

  test("Delete: the domain goes at ngrok and in the cluster; a second run finds nothing and succeeds", async () => {
    await aShopDomain();
    await anOperator();
    const first = await run("drain", { drainPolicy: "Delete" });
    expect(first.log).toMatch(/done +1 objects, 1 deleted at ngrok/);
    expect({ code: first.code, remote: api.remote() }).toEqual({ code: 0, remote: 0 });
    expect((await run("drain", { drainPolicy: "Delete" })).code).toBe(0);
  });

  test("Delete with a revoked key is refused before anything has changed, with both remedies", async () => {
    await aShopDomain();
    using _fault = fault({ kind: "status", status: 401, times: Infinity });
    const { code, log } = await run("drain", { drainPolicy: "Delete" });
    expect({ code, phase: (await stateNow()).phase }).toEqual({ code: 1, phase: "Open" });
    expect(log).toMatch(/refused .*Nothing was changed/);
    expect(log).toContain(`patch configmap ngrok-operator-drain-state --type merge`);
    expect(await readFile(join(folder, "drain.termination"), "utf8")).toContain("refused");
    expect((await read.get(Domain, { name: "shop", namespace: "shop" }, signal))?.metadata.finalizers).toEqual([
      FINALIZER,
    ]);
  });

  test("a person relaxes Delete to Retain with kubectl alone, and the next run obeys without a key", async () => {
    await aShopDomain();
    await kubectl(
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
    const { code, log } = await run("drain", { drainPolicy: "Delete" }, { NGROK_API_KEY: "" });
    expect({ code, deletes: api.count("DELETE") }).toEqual({ code: 0, deletes: 0 });
    expect(log).toMatch(/policy +Retain/);
  });

  test("a living leader yields to the mark at once", async () => {
    await anOperator();
    const state = stateReader(read, release);
    const held = await hold(connection, {
      lease: ref("ngrok-operator-leader"),
      holder: "pod/manager-1/00000000-0000-0000-0000-000000000009",
      signal,
      onRenew: async (until) => ((await state.fresh(until)).phase === "Open" ? "keep" : "yield"),
    });
    const yielded = held.ended.then(async (how) => {
      await held[Symbol.asyncDispose]();
      return how;
    });
    const { code, log } = await run("drain");
    expect({ code, how: await yielded }).toEqual({ code: 0, how: "yielded" });
    expect(log).toMatch(/operator +leader manager-1 yielded after \d/);
  });

  test("a hung leader loses its pod, and the drain goes on when its token is dead", async () => {
    await anOperator();
    const labels = { "app.kubernetes.io/instance": "ngrok", "app.kubernetes.io/component": "controller" };
    const pod = await write.create(
      Pod,
      { metadata: { ...ref("manager-2"), labels }, spec: { containers: [{ name: "a", image: "a" }] } } as KubeObject,
      signal,
    );
    const spec = { holderIdentity: `pod/manager-2/${pod.metadata.uid}`, leaseDurationSeconds: 15 };
    await write.create(Lease, { metadata: ref("ngrok-operator-leader"), spec } as KubeObject, signal);
    const { code, log } = await run("drain");
    expect(log).toMatch(/operator +leader manager-2 neither yields nor renews: its pod was deleted/);
    expect(log).toMatch(/operator +leader manager-2 was evicted after (29|3\d)\.\ds/);
    expect({ code, pod: await read.get(Pod, ref("manager-2"), signal) }).toEqual({ code: 0, pod: undefined });
  });

  test("with its own rights it shows the drain on the KubernetesOperator, to the last status", async () => {
    await aShopDomain();
    const finalizers = [FINALIZER, "acme.io/hold"];
    await write.create(KubernetesOperator, aKubernetesOperator({ metadata: { ...ref("ngrok"), finalizers } }), signal);
    const { code } = await run("drain");
    const status = (await read.get(KubernetesOperator, ref("ngrok"), signal))?.status;
    expect(code).toBe(0);
    expect(status?.drain).toMatchObject({ phase: "Drained", drainedResources: 1, totalResources: 1, driver: "hook" });
    expect(status?.conditions?.map(({ type, reason }) => `${type} ${reason}`)).toContain("Draining DrainCompleted");
    const events = await kubectl("get", "events.events.k8s.io", "-n", "ops", "-o", "jsonpath={.items[*].reason}");
    expect(events.split(" ")).toEqual(expect.arrayContaining(["DrainStarted", "DrainCompleted"]));
  });

  test("an unknown policy is refused in one line that names the field", async () => {
    const { code, log } = await run("drain", {}, { DRAIN_POLICY: "Purge" });
    expect(code).toBe(1);
    expect(log).toMatch(/failed +drainPolicy 'Purge' is neither Retain nor Delete/);
  });

  test("an unreachable cluster gives one line with the remedy", async () => {
    const login = join(folder, "nowhere.kubeconfig");
    const admin = await readFile(plane.kubeconfig, "utf8");
    await writeFile(login, admin.replaceAll(plane.server, "https://127.0.0.1:1"));
    const { code, log } = await run("drain", {}, { KUBECONFIG: login });
    expect({ code, failed: /failed +.*127\.0\.0\.1:1/.test(log), remedy: /remedy/.test(log) }).toEqual({
      code: 1,
      failed: true,
      remedy: true,
    });
  });
});

describe("the cleanup hook", () => {
  test("normally finds nothing, and sweeps what Helm does not own", async () => {
    await anOperator();
    expect((await run("drain")).code).toBe(0);
    await write.create(
      Job,
      {
        metadata: ref("ngrok-operator-drain"),
        spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "a", image: "a" }] } } },
      } as KubeObject,
      signal,
    );
    const { code, log } = await run("cleanup");
    expect(log).toMatch(
      /cleanup +deleted lease ngrok-operator-leader, configmap ngrok-operator-drain-state, job ngrok-operator-drain, serviceaccount/,
    );
    expect({ code, lines: log.trim().split("\n").length }).toEqual({ code: 0, lines: 1 });
    expect(
      (await kubectl("get", "roles,rolebindings,serviceaccounts", "-n", "ops", "-o", "name")).includes(
        "ngrok-operator-drain",
      ),
    ).toBe(false);
  });

  test("drains what a killed drain hook left, by the same policy", async () => {
    await aShopDomain();
    const { code, log } = await run("cleanup", { drainPolicy: "Delete" });
    expect({
      code,
      remote: api.remote(),
      domain: await read.get(Domain, { name: "shop", namespace: "shop" }, signal),
    }).toEqual({ code: 0, remote: 0, domain: undefined });
    expect(log).toMatch(/done +1 objects, 1 deleted at ngrok/);
  });

  test("Delete without a key strips as the last of all, names the ids, and fails", async () => {
    await aShopDomain();
    const { code, log } = await run("cleanup", { drainPolicy: "Delete" }, { NGROK_API_KEY: "" });
    expect({ code, remote: api.remote() }).toEqual({ code: 1, remote: 1 });
    expect(log).toMatch(/leaking /);
    expect((await read.get(Domain, { name: "shop", namespace: "shop" }, signal))?.metadata.finalizers).toBeUndefined();
  });
});

function fault(what: Parameters<NgrokApi["faults"]["add"]>[0]): Disposable {
  const added = api.faults.add(what);
  return { [Symbol.dispose]: () => added.remove() };
}
