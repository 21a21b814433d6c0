// The hooks as processes on a control plane of their own: rights and environment as the chart renders them, the token of
// their own ServiceAccount, ngrok's stand-in. What a kubelet would do is all that is missing.
import type { ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { Domain } from "#api/domain.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { Hands } from "#drain/hands.ts";
import { connect, type Connection } from "#kube/connection.ts";
import type { KubeObject } from "#kube/kind.ts";
import { ConfigMap, Namespace } from "#kube/kinds.ts";
import { reader, type Reader } from "#kube/reader.ts";
import { applyStatus } from "#kube/status.ts";
import { writer, type Writer } from "#kube/writer.ts";
import { connectNgrok } from "#ngrok/client.ts";
import { binaries } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";
import { systemClock as clock } from "#wire/clock.ts";
import { afterUninstall } from "#wire/fence.ts";
import { ownControlPlane } from "./apiserver.ts";
import { aDomain, aKubernetesOperator } from "./builders.ts";
import { installCrds } from "./crds.ts";
import { objectsIn } from "./manifest.ts";
import { type NgrokApi, type NgrokApiOptions, startNgrokApi } from "./ngrok-api/server.ts";
import { startOwnProgram } from "./own-program.ts";
import { patient } from "./patient.ts";

export const release = { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" };
export const at = (name: string): { name: string; namespace: string } => ({ name, namespace: release.namespace });

export interface Ended {
  readonly code: number;
  readonly log: string;
}

export interface Started {
  readonly child: ChildProcess;
  /** What it has said so far. */
  log(): string;
  readonly ended: Promise<Ended>;
}

export type HookName = "drain" | "cleanup" | "rehearsal";

export interface HookRig extends AsyncDisposable {
  readonly kubeconfig: string;
  readonly auditLog: string;
  readonly server: string;
  readonly folder: string;
  readonly api: NgrokApi;
  readonly connection: Connection;
  readonly read: Reader;
  readonly write: Writer;
  /** For a drain in this process, without a rival. */
  readonly hands: Hands;
  kubectl(...args: string[]): Promise<string>;
  /** Applies the api-manager's account and rights as the chart renders them; returns a kubeconfig with its token. */
  managerLogin(values: Record<string, string>): Promise<string>;
  /** The same for whichever account these templates of the chart hold, e.g. `rbac/api-manager`. */
  login(templates: readonly string[], values: Record<string, string>): Promise<string>;
  /** Everything of an earlier story goes; the drain state is there, as Helm renders it. */
  reset(): Promise<void>;
  /** Applies the hook's objects (the Job aside) and starts its program with the rendered environment. */
  start(hook: HookName, values?: Record<string, string>, env?: Record<string, string>): Promise<Started>;
  run(hook: HookName, values?: Record<string, string>, env?: Record<string, string>): Promise<Ended>;
  /** `count` Domains in namespace shop, ours, with their reservations at ngrok. */
  domains(count: number): Promise<void>;
  anOperator(finalizers?: readonly string[]): Promise<void>;
}

interface JobLike extends KubeObject {
  spec: { template: { spec: { containers: { env: { name: string; value?: string }[] }[] } } };
}

/** Ready in about five seconds. */
export async function hookRig(ngrokApi: NgrokApiOptions = {}): Promise<HookRig> {
  const stop = new AbortController();
  const [plane, api, folder, bin] = await Promise.all([
    ownControlPlane(),
    startNgrokApi(ngrokApi),
    mkdtemp(join(tmpdir(), "hooks-test-")),
    binaries(console.log),
  ]);
  const wire = await connect({ kubeconfig: plane.kubeconfig });
  const connection = patient(wire);
  const fence = afterUninstall(stop.signal);
  const write = writer(connection, fence);
  const read = reader(connection);
  // As impatient as a program of ours is.
  const drives = { connection: wire, read: reader(wire), write: writer(wire, fence) };
  const account = { apiUrl: api.url, apiKey: "key", userAgent: "test", clock, signal: stop.signal };
  const ngrok = connectNgrok(account);
  const kubectl = async (...args: string[]): Promise<string> =>
    await command(join(bin, "kubectl"), ["--kubeconfig", plane.kubeconfig, ...args]);
  await installCrds(connection);
  for (const name of ["ops", "shop"]) await write.create(Namespace, { metadata: { name } }, stop.signal);

  const rendered = async (templates: readonly string[], values: Record<string, string>): Promise<KubeObject[]> => {
    const all = { apiURL: api.url, fullnameOverride: release.fullname, ...values };
    const sets = Object.entries(all).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
    const chosen = templates.flatMap((template) => ["-s", `templates/${template}.yaml`]);
    const text = await command(join(bin, "helm"), ["template", release.name, "chart", "-n", "ops", ...chosen, ...sets]);
    return objectsIn(text);
  };
  /** A kubeconfig with the token of a ServiceAccount, as a pod would carry it. */
  const loginOf = async (account: string): Promise<string> => {
    const token = (await kubectl("create", "token", account, "-n", "ops")).trim();
    const admin = parse(await readFile(plane.kubeconfig, "utf8")) as { users: { user: object }[] };
    const path = join(folder, `${account}.kubeconfig`);
    const users = admin.users.map((user) => ({ ...user, user: { token } }));
    await writeFile(path, stringify({ ...admin, users }), { mode: 0o600 });
    return path;
  };
  const applied = async (name: string, objects: readonly KubeObject[]): Promise<void> => {
    const file = join(folder, `${name}.yaml`);
    await writeFile(file, objects.map((object) => stringify(object)).join("---\n"));
    await kubectl("apply", "-f", file);
  };
  const start: HookRig["start"] = async (hook, values = {}, env = {}) => {
    const objects = await rendered([`hooks/${hook}`], values);
    const job = objects.find(({ kind }) => kind === "Job") as JobLike;
    await applied(
      hook,
      objects.filter(({ kind }) => kind !== "Job"),
    );
    const given = job.spec.template.spec.containers.flatMap((container) => container.env);
    return program(hook, {
      ...Object.fromEntries(given.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]]))),
      POD_NAMESPACE: "ops",
      POD_NAME: `${release.fullname}-${hook}-x1`,
      POD_UID: "00000000-0000-0000-0000-000000000001",
      JOB_UID: "",
      NGROK_API_KEY: "key",
      KUBECONFIG: await loginOf(`${release.fullname}-${hook}`),
      TERMINATION_LOG: join(folder, `${hook}.termination`),
      ...env,
    });
  };
  const login: HookRig["login"] = async (templates, values) => {
    const objects = await rendered(templates, values);
    const account = objects.find(({ kind }) => kind === "ServiceAccount")?.metadata.name ?? "";
    await applied(account, objects);
    return await loginOf(account);
  };
  return {
    kubeconfig: plane.kubeconfig,
    auditLog: plane.auditLog,
    server: plane.server,
    folder,
    api,
    connection,
    read,
    write,
    hands: { ...drives, ngrok: ngrok.under(fence), fence, clock },
    kubectl,
    managerLogin: async (values) => await login(["api-manager/serviceaccount", "rbac/api-manager"], values),
    login,
    start,
    run: async (...args) => await (await start(...args)).ended,
    async reset() {
      api.faults.clear();
      api.reset();
      await forget(kubectl);
      await write.create(ConfigMap, { metadata: at("ngrok-operator-drain-state") }, stop.signal);
    },
    async domains(count) {
      for (let n = 1; n <= count; n += 1) {
        const host = `shop-${n}.example.com`;
        const id = await api.add("reserved_domains", { domain: host });
        const claimed = { finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: "ops/ngrok" } };
        const metadata = { name: `shop-${n}`, namespace: "shop", ...claimed };
        const domain = await write.create(Domain, aDomain({ metadata, spec: { domain: host } }), stop.signal);
        await applyStatus(connection, Domain, domain.metadata, { id }, "test", stop.signal);
      }
    },
    async anOperator(finalizers = [FINALIZER]) {
      const operator = aKubernetesOperator({ metadata: { ...at("ngrok"), finalizers: [...finalizers] } });
      await write.create(KubernetesOperator, operator, stop.signal);
    },
    async [Symbol.asyncDispose]() {
      await ngrok[Symbol.asyncDispose]();
      await connection[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
      await plane[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
      stop.abort();
    },
  };
}

function program(hook: string, env: Record<string, string>): Started {
  const child = startOwnProgram(`hooks/src/${hook}/main.ts`, [], env);
  let log = "";
  child.stdout.on("data", (chunk: Buffer) => (log += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const ended = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code: code ?? 137, log })));
  return { child, log: () => log, ended };
}

/** Deletes what a story left, whatever holds it. */
async function forget(kubectl: HookRig["kubectl"]): Promise<void> {
  const held = "jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.namespace}{'\\n'}{end}";
  const listed = await kubectl("get", "domains,kubernetesoperators", "-A", "-o", held);
  for (const line of listed.trim().split("\n")) {
    const [name, namespace] = line.split(" ");
    if (!name || !namespace) continue;
    await kubectl("patch", name, "-n", namespace, "--type", "merge", "-p", '{"metadata":{"finalizers":null}}');
  }
  const kinds = "domains,kubernetesoperators,configmaps,leases,pods,jobs";
  await kubectl("delete", kinds, "--all", "-n", "ops", "--force", "--grace-period=0");
  await kubectl("delete", "domains", "--all", "-n", "shop");
}
