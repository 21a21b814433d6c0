// ngrok-drain as a process against a control plane of its own: in the operator's pod, with the environment, the account
// and the rights that the chart renders, or from outside with the admin's kubeconfig.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { connect, type Connection } from "#kube/connection.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { ConfigMap, type DeploymentObject, Lease, Namespace } from "#kube/kinds.ts";
import { hold, type WriteToken } from "#kube/lease.ts";
import { reader, type Reader } from "#kube/reader.ts";
import { applyStatus } from "#kube/status.ts";
import { writer, type Writer } from "#kube/writer.ts";
import { binaries } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";
import type { ControlPlane } from "#tools/cluster/embedded/control-plane.ts";
import { afterUninstall } from "#wire/fence.ts";
import { ownControlPlane } from "./apiserver.ts";
import { aDomain, aKubernetesOperator } from "./builders.ts";
import { installCrds } from "./crds.ts";
import { objectsIn } from "./manifest.ts";
import { type NgrokApi, startNgrokApi } from "./ngrok-api/server.ts";
import { startOwnProgram } from "./own-program.ts";
import { patient } from "./patient.ts";

/** The name of the drain state. */
export const STATE = "ngrok-operator-drain-state";

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** The release `ngrok` in namespace `ops`; its objects are in `shop`. */
export class DrainCli implements AsyncDisposable {
  readonly plane: ControlPlane;
  readonly api: NgrokApi;
  readonly read: Reader;
  readonly write: Writer;
  readonly #connection: Connection;
  readonly #folder: string;
  readonly #bin: string;
  readonly #stop = new AbortController();
  readonly #applied = new Map<string, string>();
  readonly #rendered = new Map<string, Promise<KubeObject[]>>();

  constructor(plane: ControlPlane, api: NgrokApi, connection: Connection, folder: string, bin: string) {
    this.plane = plane;
    this.api = api;
    this.#connection = connection;
    this.#folder = folder;
    this.#bin = bin;
    this.read = reader(connection);
    this.write = writer(connection, afterUninstall(this.#stop.signal));
  }

  /** The admin's. */
  get connection(): Connection {
    return this.#connection;
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]();
    await this.api[Symbol.asyncDispose]();
    await this.plane[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true });
    this.#stop.abort();
  }

  /** What is there of an earlier story goes, finalizers or not; the drain state is as the chart renders it. */
  async reset(): Promise<void> {
    this.api.reset();
    for (const kind of [Domain, CloudEndpoint, KubernetesOperator]) await this.#removeAll(kind, undefined);
    for (const kind of [ConfigMap, Lease]) await this.#removeAll(kind, "ops");
    const labels = { "app.kubernetes.io/managed-by": "Helm" };
    const annotations = { "meta.helm.sh/release-name": "ngrok", "meta.helm.sh/release-namespace": "ops" };
    await this.write.create(ConfigMap, { metadata: { ...ref(STATE), labels, annotations } }, this.signal);
  }

  async #removeAll(kind: Kind, namespace: string | undefined): Promise<void> {
    for await (const { items } of this.read.pages(kind, { namespace }, this.signal)) {
      for (const { metadata } of items) {
        const uid = metadata.uid ?? "";
        await this.write.remove({ kind, ref: metadata, uid }, this.signal);
        const off = [{ op: "remove", path: "/metadata/finalizers" } as const];
        if (metadata.finalizers?.length) await this.write.patch(kind, metadata, uid, off, this.signal);
      }
    }
  }

  async kubectl(...args: string[]): Promise<string> {
    return await command(join(this.#bin, "kubectl"), ["--kubeconfig", this.plane.kubeconfig, ...args]);
  }

  /** `typed` is what a person answers; without it there is nobody. */
  async program(args: readonly string[], env: Record<string, string>, typed = ""): Promise<Ended> {
    const child = startOwnProgram("hooks/src/ngrok-drain/main.ts", args, env);
    child.stdin.on("error", () => undefined); // who asks nothing has ended before it reads
    child.stdin.end(typed);
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    const code = await new Promise<number>((resolve) => child.on("close", (exit) => resolve(exit ?? 1)));
    return { code, out, err };
  }

  /** With the environment of the chart's Deployment, the token of its ServiceAccount and the rights of its Roles. */
  async inPod(args: readonly string[], values: Record<string, string> = {}, key = "key"): Promise<Ended> {
    const { env, account } = await this.installed(values);
    return await this.program(args, {
      ...env,
      POD_NAMESPACE: "ops",
      NGROK_API_KEY: key,
      KUBECONFIG: await this.loginOf(account),
    });
  }

  async outside(args: readonly string[], env: Record<string, string> = {}, typed = ""): Promise<Ended> {
    const all = { NGROK_API_URL: this.api.url, ...env };
    return await this.program([...args, "--kubeconfig", this.plane.kubeconfig], all, typed);
  }

  /** Applies what the chart renders for the api-manager's rights; says with what it would run. */
  async installed(values: Record<string, string>): Promise<{ env: Record<string, string>; account: string }> {
    const objects = await this.rendered(values);
    await this.apply(
      "rights",
      objects.filter(({ kind }) => kind !== "Deployment"),
    );
    const deployment = objects.find(({ kind }) => kind === "Deployment") as DeploymentObject;
    const variables = deployment.spec?.template.spec.containers[0]?.env ?? [];
    const env = variables.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const]));
    const account = objects.find(({ kind }) => kind === "ServiceAccount")?.metadata.name ?? "";
    return { env: Object.fromEntries(env), account };
  }

  /** The api-manager's objects by the chart; they go with the returned value. */
  async deployed(values: Record<string, string>): Promise<AsyncDisposable> {
    await this.apply("deployment", await this.rendered(values));
    return {
      [Symbol.asyncDispose]: async () => {
        this.#applied.delete("deployment");
        await this.kubectl("delete", "deployments", "--all", "-n", "ops", "--cascade=orphan");
      },
    };
  }

  async rendered(values: Record<string, string>): Promise<KubeObject[]> {
    const text = JSON.stringify(values);
    const known = this.#rendered.get(text) ?? this.#render(values);
    this.#rendered.set(text, known);
    return await known;
  }

  async #render(values: Record<string, string>): Promise<KubeObject[]> {
    const sets = Object.entries({ apiURL: this.api.url, fullnameOverride: "ngrok-operator", ...values });
    const shown = ["rbac/api-manager", "api-manager/serviceaccount", "api-manager/deployment"];
    const rendered = await command(join(this.#bin, "helm"), [
      "template",
      "ngrok",
      "chart",
      "-n",
      "ops",
      ...shown.flatMap((name) => ["-s", `templates/${name}.yaml`]),
      ...sets.flatMap(([key, value]) => ["--set", `${key}=${value}`]),
    ]);
    return objectsIn(rendered);
  }

  /** Objects that no story changes are applied once. */
  async apply(name: string, objects: readonly object[]): Promise<void> {
    const text = objects.map((object) => stringify(object)).join("---\n");
    if (this.#applied.get(name) === text) return;
    const path = join(this.#folder, `${name}.yaml`);
    await writeFile(path, text);
    await this.kubectl("apply", "-f", path);
    this.#applied.set(name, text);
  }

  /** A kubeconfig with the token of a ServiceAccount, as a pod would carry it. */
  async loginOf(account: string): Promise<string> {
    const path = join(this.#folder, `${account}.kubeconfig`);
    if (this.#applied.has(path)) return path;
    this.#applied.set(path, account);
    const token = (await this.kubectl("create", "token", account, "-n", "ops")).trim();
    const admin = parse(await readFile(this.plane.kubeconfig, "utf8")) as { users: object[] };
    const users = admin.users.map((user) => ({ ...user, user: { token } }));
    await writeFile(path, stringify({ ...admin, users }), { mode: 0o600 });
    return path;
  }

  async domain(name: string, owner: string, finalizers = [FINALIZER]): Promise<void> {
    const id = await this.api.add("reserved_domains", { domain: `${name}.example.com` });
    const metadata = { name, namespace: "shop", finalizers, annotations: { [DRAIN_OWNER]: owner } };
    const created = await this.write.create(
      Domain,
      aDomain({ metadata, spec: { domain: `${name}.example.com` } }),
      this.signal,
    );
    await applyStatus(this.#connection, Domain, created.metadata, { id }, "test", this.signal);
  }

  async operator(): Promise<void> {
    const metadata = { ...ref("ngrok"), finalizers: [FINALIZER] };
    await this.write.create(KubernetesOperator, aKubernetesOperator({ metadata }), this.signal);
  }

  async state(data: Record<string, string>): Promise<void> {
    const object = await this.read.get(ConfigMap, ref(STATE), this.signal);
    const value = { ...object?.data, ...data };
    const uid = object?.metadata.uid ?? "";
    await this.write.patch(ConfigMap, ref(STATE), uid, [{ op: "add", path: "/data", value }], this.signal);
  }

  /** Somebody who holds the write token until the state is open. */
  async driver(): Promise<WriteToken> {
    return await hold(this.#connection, {
      lease: ref("ngrok-operator-leader"),
      holder: "pod/drain-x/1",
      signal: this.signal,
      onRenew: async () => ((await this.stateNow())?.["phase"] === "Open" ? "yield" : "keep"),
    });
  }

  async uidOfOperator(): Promise<string> {
    return (await this.read.get(KubernetesOperator, ref("ngrok"), this.signal))?.metadata.uid ?? "";
  }

  async drainProgress(done: number, total: number): Promise<void> {
    const at = { ...ref("ngrok"), uid: await this.uidOfOperator() };
    const drain = {
      drainedResources: done,
      totalResources: total,
      failedResources: 0,
      phase: "Draining",
      driver: "hook",
    };
    await applyStatus(this.#connection, KubernetesOperator, at, { drain }, "test", this.signal);
  }

  async stateNow() {
    return (await this.read.get(ConfigMap, ref(STATE), this.signal))?.data;
  }
}

/** Takes about 6 s. */
export async function startDrainCli(): Promise<DrainCli> {
  const [plane, api, folder, bin] = await Promise.all([
    ownControlPlane(),
    startNgrokApi(),
    mkdtemp(join(tmpdir(), "ngrok-drain-test-")),
    binaries(console.log),
  ]);
  const connection = patient(await connect({ kubeconfig: plane.kubeconfig }));
  await installCrds(connection);
  const cli = new DrainCli(plane, api, connection, folder, bin);
  for (const name of ["ops", "shop"]) await cli.write.create(Namespace, { metadata: { name } }, cli.signal);
  return cli;
}

const ref = (name: string) => ({ name, namespace: "ops" });
