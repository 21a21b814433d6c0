// ngrok-drain as the program that people run: in the operator's pod with the rights that the chart gives it, and from
// outside with a kubeconfig.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse, parseAllDocuments, stringify } from "yaml";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { connect, type Connection } from "#kube/connection.ts";
import type { KubeObject } from "#kube/kind.ts";
import { ConfigMap, type DeploymentObject, Namespace } from "#kube/kinds.ts";
import { reader, type Reader } from "#kube/reader.ts";
import { applyStatus } from "#kube/status.ts";
import { writer, type Writer } from "#kube/writer.ts";
import { endOf, eventsSince, said, writes } from "#test/support/audit.ts";
import { aCloudEndpoint, aDomain, aKubernetesOperator } from "#test/support/builders.ts";
import { installCrds } from "#test/support/crds.ts";
import { ownControlPlane } from "#test/support/apiserver.ts";
import { type NgrokApi, startNgrokApi } from "#test/support/ngrok-api/server.ts";
import { binaries } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";
import type { ControlPlane } from "#tools/cluster/embedded/control-plane.ts";
import { afterUninstall } from "#wire/fence.ts";

const STATE = "ngrok-operator-drain-state";
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
    mkdtemp(join(tmpdir(), "ngrok-drain-test-")),
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

/** What is there of an earlier story goes, finalizers or not. */
beforeEach(async () => {
  api.reset();
  for (const kind of [Domain, CloudEndpoint, KubernetesOperator]) {
    for await (const { items } of read.pages<KubeObject>(kind, {}, signal)) {
      for (const { metadata } of items) {
        const at = { kind, ref: metadata, uid: metadata.uid ?? "" };
        await write.remove(at, signal);
        const finalizers = metadata.finalizers?.length ? [{ op: "remove", path: "/metadata/finalizers" } as const] : [];
        if (finalizers.length > 0) await write.patch<KubeObject>(kind, metadata, at.uid, finalizers, signal);
      }
    }
  }
  await kubectl("delete", "configmaps,leases", "--all", "-n", "ops");
  const labels = { "app.kubernetes.io/managed-by": "Helm" };
  const annotations = { "meta.helm.sh/release-name": "ngrok", "meta.helm.sh/release-namespace": "ops" };
  await write.create(ConfigMap, { metadata: { ...ref(STATE), labels, annotations } }, signal);
});

async function kubectl(...args: string[]): Promise<string> {
  return await command(join(bin, "kubectl"), ["--kubeconfig", plane.kubeconfig, ...args]);
}

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function program(args: readonly string[], env: Record<string, string>): Promise<Ended> {
  const child = spawn(process.execPath, ["hooks/src/ngrok-drain/main.ts", ...args], { env });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const code = await new Promise<number>((resolve) => child.on("close", (exit) => resolve(exit ?? 1)));
  return { code, out, err };
}

/** With the environment of the chart's Deployment, the token of its ServiceAccount and the rights of its Roles. */
async function inPod(args: readonly string[], values: Record<string, string> = {}, key = "key"): Promise<Ended> {
  const { env, account } = await installed(values);
  return await program(args, { ...env, POD_NAMESPACE: "ops", NGROK_API_KEY: key, KUBECONFIG: await loginOf(account) });
}

async function outside(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  return await program([...args, "--kubeconfig", plane.kubeconfig], { NGROK_API_URL: api.url, ...env });
}

/** Applies what the chart renders for the api-manager's rights; says with what it would run. */
async function installed(values: Record<string, string>): Promise<{ env: Record<string, string>; account: string }> {
  const sets = Object.entries({ apiURL: api.url, fullnameOverride: "ngrok-operator", ...values });
  const shown = ["rbac/api-manager", "api-manager/serviceaccount", "api-manager/deployment"];
  const rendered = await command(join(bin, "helm"), [
    ...["template", "ngrok", "chart", "-n", "ops"],
    ...shown.flatMap((name) => ["-s", `templates/${name}.yaml`]),
    ...sets.flatMap(([key, value]) => ["--set", `${key}=${value}`]),
  ]);
  const objects = parseAllDocuments(rendered).flatMap((document) => (document.toJS() as KubeObject | null) ?? []);
  await apply(
    "rights",
    objects.filter(({ kind }) => kind !== "Deployment"),
  );
  const deployment = objects.find(({ kind }) => kind === "Deployment") as DeploymentObject;
  const variables = deployment.spec?.template.spec.containers[0]?.env ?? [];
  const env = variables.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const]));
  const account = objects.find(({ kind }) => kind === "ServiceAccount")?.metadata.name ?? "";
  return { env: Object.fromEntries(env), account };
}

const applied = new Map<string, string>();

/** Objects that no story changes are applied once. */
async function apply(name: string, objects: readonly object[]): Promise<void> {
  const text = objects.map((object) => stringify(object)).join("---\n");
  if (applied.get(name) === text) return;
  const path = join(folder, `${name}.yaml`);
  await writeFile(path, text);
  await kubectl("apply", "-f", path);
  applied.set(name, text);
}

/** A kubeconfig with the token of a ServiceAccount, as a pod would carry it. */
async function loginOf(account: string): Promise<string> {
  const token = (await kubectl("create", "token", account, "-n", "ops")).trim();
  const admin = parse(await readFile(plane.kubeconfig, "utf8")) as { users: object[] };
  const path = join(folder, `${account}.kubeconfig`);
  const users = admin.users.map((user) => ({ ...user, user: { token } }));
  await writeFile(path, stringify({ ...admin, users }), { mode: 0o600 });
  return path;
}

async function domain(name: string, owner: string, finalizers = [FINALIZER]): Promise<void> {
  const id = await api.add("reserved_domains", { domain: `${name}.example.com` });
  const metadata = { name, namespace: "shop", finalizers, annotations: { [DRAIN_OWNER]: owner } };
  const created = await write.create(Domain, aDomain({ metadata, spec: { domain: `${name}.example.com` } }), signal);
  await applyStatus(connection, Domain, created.metadata, { id }, "test", signal);
}

async function operator(): Promise<void> {
  const metadata = { ...ref("ngrok"), finalizers: [FINALIZER] };
  await write.create(KubernetesOperator, aKubernetesOperator({ metadata }), signal);
}

describe("plan", () => {
  test("in the pod, with the operator's own rights: both policies side by side, and nothing is changed", async () => {
    await operator();
    await domain("ours", "ops/ngrok");
    await domain("theirs", "team/ngrok");
    const metadata = {
      name: "web",
      namespace: "shop",
      finalizers: [FINALIZER],
      annotations: { [DRAIN_OWNER]: "ops/ngrok" },
    };
    await write.create(CloudEndpoint, aCloudEndpoint({ metadata }), signal);
    const { env, account } = await installed({});
    const login = await loginOf(account);
    const since = await endOf(plane.auditLog);
    const called = api.count("DELETE");
    const { code, out, err } = await program(["plan"], {
      ...env,
      POD_NAMESPACE: "ops",
      NGROK_API_KEY: "2abcSECRET",
      KUBECONFIG: login,
    });
    expect(err).toBe("");
    expect(out).toContain("release ops/ngrok  policy Retain (from the chart)  CRDs kept");
    expect(out).toMatch(/^Domain +1 +2 +stays, domain stays +deleted; at ngrok 1 deleted$/m);
    expect(out).toMatch(/^CloudEndpoint +1 +1 +stays, endpoint stays +deleted; at ngrok 1 deleted$/m);
    expect(out).toMatch(/Left alone \(1\)\n +domain shop\/theirs +another install owns it/);
    expect(out).toMatch(/Ready +Retain: yes\. Delete: yes/);
    expect({ code, secret: out.includes("SECRET") }).toEqual({ code: 0, secret: false });
    const mine = writes(await eventsSince(plane.auditLog, since)).filter(({ user }) => user.username.includes(account));
    expect({ mine: mine.map(said), deletes: api.count("DELETE") - called }).toEqual({ mine: [], deletes: 0 });
  });

  test("a foreign finalizer and no key stand in the way of Delete, and only of Delete", async () => {
    await operator();
    await domain("ours", "ops/ngrok", [FINALIZER, "acme.io/hold"]);
    const blocked = await inPod(["plan", "-o", "json"], { drainPolicy: "Delete" }, "");
    const forecast = JSON.parse(blocked.out) as { ready: object; blockers: { reason: string; policies: string[] }[] };
    expect({ code: blocked.code, ready: forecast.ready }).toEqual({ code: 2, ready: { Retain: "yes", Delete: "no" } });
    expect(forecast.blockers.map(({ policies }) => policies)).toEqual([["Delete"], ["Delete"]]);
    expect(forecast.blockers.map(({ reason }) => reason).join("; ")).toMatch(
      /there is no ngrok API key; domain shop\/ours carries acme\.io\/hold/,
    );
    expect((await inPod(["plan", "--policy", "Retain"], { drainPolicy: "Delete" }, "")).code).toBe(0);
  });

  test("a kind that may not be listed is unknown, never none", async () => {
    await operator();
    await apply("viewer", viewer());
    const login = await loginOf("viewer");
    const where = ["-n", "ops", "--release", "ngrok", "--fullname", "ngrok-operator"];
    const { code, out } = await program(["plan", ...where], { KUBECONFIG: login, NGROK_API_KEY: "key" });
    expect(out).toMatch(/Unknown \(\d+\)/);
    expect(out).toMatch(/domains\.ingress\.k8s\.ngrok\.com: .*forbidden/i);
    expect(code).toBe(3);
  });

  test("from outside the install is found; where there are two, both are named", async () => {
    await operator();
    expect((await outside(["plan"], { NGROK_API_KEY: "key" })).out).toContain("release ops/ngrok ");
    const metadata = { name: "second", namespace: "shop" };
    await write.create(KubernetesOperator, aKubernetesOperator({ metadata }), signal);
    const { code, err } = await outside(["plan"]);
    expect(err).toMatch(/there are 2 installs in the cluster: .*-n ops --release ngrok/);
    expect(err).toMatch(/-n shop --release second/);
    expect(code).toBe(1);
    expect((await outside(["plan", "-n", "ops"], { NGROK_API_KEY: "key" })).code).toBe(0);
  });
});

/** May see this install, and no object of it. */
function viewer(): readonly object[] {
  const rules = [
    { apiGroups: ["ngrok.k8s.ngrok.com"], resources: ["kubernetesoperators"], verbs: ["get"] },
    { apiGroups: [""], resources: ["configmaps"], verbs: ["get"] },
  ];
  const rbac = "rbac.authorization.k8s.io";
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: ref("viewer") },
    { apiVersion: `${rbac}/v1`, kind: "Role", metadata: ref("viewer"), rules },
    {
      apiVersion: `${rbac}/v1`,
      kind: "RoleBinding",
      metadata: ref("viewer"),
      roleRef: { apiGroup: rbac, kind: "Role", name: "viewer" },
      subjects: [{ kind: "ServiceAccount", ...ref("viewer") }],
    },
  ];
}
