// A cluster without a node in which Helm installs and uninstalls all the same: whoever would be a pod of ours is a process
// of this machine, with the flags, the environment and the token of its pod, and the pod shows how it fares. A kubelet,
// a network and an image are all that is missing, and a story costs seconds.
import type { ChildProcess } from "node:child_process";
import { mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { connect, type Connection } from "#kube/connection.ts";
import { Pod, type PodObject, Secret } from "#kube/kinds.ts";
import { reader, type Reader } from "#kube/reader.ts";
import { follow } from "#kube/watch.ts";
import { writer, type Writer } from "#kube/writer.ts";
import { binaries, gatewayApiCrds } from "#tools/binaries.ts";
import type { ControlPlane } from "#tools/cluster/embedded/control-plane.ts";
import { command } from "#tools/command.ts";
import { afterUninstall } from "#wire/fence.ts";
import { ownControlPlane } from "./apiserver.ts";
import { helm, type HelmVersion } from "./helm.ts";
import { kubectlOf, type Kubectl } from "./kubectl.ts";
import { type NgrokApi, startNgrokApi } from "./ngrok-api/server.ts";
import { startOwnProgram } from "./own-program.ts";
import { patient } from "./patient.ts";
import { type Release, releaseOf, type ReleaseOptions } from "./release.ts";
import { CHART, type Stage } from "./stage.ts";

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args?: readonly string[];
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: {
      readonly fieldRef?: { readonly fieldPath: string };
      readonly secretKeyRef?: { readonly name: string; readonly key: string };
    };
  }[];
}

/** One pod of ours and what it said. */
export interface Played {
  readonly namespace: string;
  /** Helm's release. */
  readonly release: string;
  readonly component: string;
  readonly log: string;
  /** Undefined while it runs. */
  readonly code: number | undefined;
}

interface Actor extends Played {
  log: string;
  code: number | undefined;
  child?: ChildProcess;
}

const PROGRAMS: Readonly<Record<string, string>> = {
  controller: "operator/managers/api-manager/main.ts",
  drain: "hooks/src/drain/main.ts",
  cleanup: "hooks/src/cleanup/main.ts",
  rehearsal: "hooks/src/rehearsal/main.ts",
};

export class Nodeless implements AsyncDisposable {
  readonly api: NgrokApi;
  readonly connection: Connection;
  readonly read: Reader;
  readonly write: Writer;
  readonly kubectl: Kubectl;
  readonly #plane: ControlPlane;
  readonly #bin: string;
  readonly #folder: string;
  readonly #stop = new AbortController();
  readonly #actors = new Map<string, Actor>();

  constructor(plane: ControlPlane, api: NgrokApi, connection: Connection, bin: string, folder: string) {
    this.#plane = plane;
    this.api = api;
    this.connection = connection;
    this.#bin = bin;
    this.#folder = folder;
    this.read = reader(connection);
    this.write = writer(connection, afterUninstall(this.#stop.signal));
    this.kubectl = kubectlOf({ bin, kubeconfig: plane.kubeconfig });
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Installs the chart; with `ready` (the default) it waits until the operator has registered. */
  async install(
    options: Omit<ReleaseOptions, "apiURL" | "helm"> & { readonly helm?: HelmVersion },
    { ready = true } = {},
  ): Promise<Release> {
    const release = releaseOf(this.stage, { helm: 4, apiURL: this.api.url, ...options });
    const { code, stderr } = await release.install();
    if (code !== 0) throw new Error(`helm install ${options.name}: ${stderr}`);
    if (ready) await release.ready().catch((error: unknown) => this.#explain(error));
    return release;
  }

  /** What test/support/release.ts works with. */
  get stage(): Pick<Stage, "kubectl" | "helm" | "imageFlags"> {
    const cluster = { bin: this.#bin, kubeconfig: this.#plane.kubeconfig };
    return {
      kubectl: this.kubectl,
      imageFlags: [],
      helm: async (version, args, options) => await helm(cluster, version, args, options),
    };
  }

  /** Runs a line as a person types it: `helm` is of this version, $CHART is our chart. Rejects with what it printed. */
  async type(version: HelmVersion, line: string): Promise<string> {
    const env = {
      PATH: `${join(this.#folder, `helm${version}`)}:${this.#bin}:${process.env["PATH"] ?? ""}`,
      KUBECONFIG: this.#plane.kubeconfig,
      CHART,
    };
    return await command("sh", ["-c", line], { env, timeout: 300_000 });
  }

  /** The pods of this release that there were, the oldest first. */
  played(release: { readonly name: string; readonly namespace: string }, component: string): readonly Played[] {
    return [...this.#actors.values()].filter(
      (one) => one.release === release.name && one.namespace === release.namespace && one.component === component,
    );
  }

  /** What the last pod of this component said. */
  log(release: { readonly name: string; readonly namespace: string }, component: string): string {
    return this.played(release, component).at(-1)?.log ?? "";
  }

  async gatewayApi(channel: "standard" | "experimental" = "experimental"): Promise<void> {
    const files = await gatewayApiCrds(channel);
    await this.kubectl.run(["apply", "--server-side", "--force-conflicts", ...files.flatMap((file) => ["-f", file])]);
  }

  /** Plays pods until the end. */
  async play(): Promise<void> {
    const selector = `app.kubernetes.io/component in (${Object.keys(PROGRAMS).join(",")})`;
    const seen = new Set<string>();
    await follow<PodObject>(
      this.connection,
      Pod,
      { labelSelector: selector },
      {
        changed: (pod) => {
          const uid = pod.metadata.uid ?? "";
          if (seen.has(uid)) return;
          seen.add(uid);
          this.#start(pod, uid).catch((error: unknown) => {
            if (!this.signal.aborted) console.error(`pod ${pod.metadata.name}: ${String(error)}`);
          });
        },
        removed: (pod) => this.#actors.get(pod.metadata.uid ?? "")?.child?.kill("SIGTERM"),
      },
      this.signal,
    ).catch((error: unknown) => {
      if (!this.signal.aborted) throw error;
    });
  }

  async #start(pod: PodObject, uid: string): Promise<void> {
    const { namespace = "", name, labels = {} } = pod.metadata;
    const component = labels["app.kubernetes.io/component"] ?? "";
    const release = labels["app.kubernetes.io/instance"] ?? "";
    const actor: Actor = { namespace, release, component, log: "", code: undefined };
    this.#actors.set(uid, actor);
    const [container] = (pod.spec as { containers?: readonly Container[] }).containers ?? [];
    const program = PROGRAMS[component];
    if (container === undefined || program === undefined) return;
    const env = {
      ...(await this.#environment(pod, container)),
      KUBECONFIG: await this.#login(pod),
      TERMINATION_LOG: join(this.#folder, `${uid}.termination`),
    };
    const ports = component === "controller" ? ["--health-probe-bind-address=0", "--metrics-bind-address=0"] : [];
    const child = startOwnProgram(program, [...(container.args ?? []), ...ports], env);
    actor.child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk: Buffer) => (actor.log += chunk.toString()));
    const ended = new Promise<number>((resolve) => child.once("close", (code) => resolve(code ?? 137)));
    await this.#show(namespace, name, { phase: "Running", conditions: [{ type: "Ready", status: "True" }] });
    actor.code = await ended;
    // A controller's pod would be started again by its kubelet: here it stays as it is.
    if (component === "controller") return;
    const state = { terminated: { exitCode: actor.code, reason: actor.code === 0 ? "Completed" : "Error" } };
    const statuses = [
      { name: container.name, image: container.image, imageID: "", ready: false, restartCount: 0, state },
    ];
    await this.#show(namespace, name, {
      phase: actor.code === 0 ? "Succeeded" : "Failed",
      containerStatuses: statuses,
    });
  }

  async #show(namespace: string, name: string, status: object): Promise<void> {
    await this.connection
      .request({
        method: "PATCH",
        path: `/api/v1/namespaces/${namespace}/pods/${name}/status`,
        contentType: "application/merge-patch+json",
        body: { status },
        signal: this.signal,
      })
      .catch(() => undefined); // gone meanwhile
  }

  async #environment(pod: PodObject, { env = [] }: Container): Promise<Record<string, string>> {
    const values: Record<string, string> = {};
    for (const { name, value, valueFrom } of env) {
      // The server leaves an empty value out.
      const found = valueFrom === undefined ? (value ?? "") : await this.#valueFrom(pod, valueFrom);
      if (found !== undefined) values[name] = found;
    }
    return values;
  }

  async #valueFrom(
    { metadata }: PodObject,
    { fieldRef, secretKeyRef }: NonNullable<NonNullable<Container["env"]>[number]["valueFrom"]>,
  ): Promise<string | undefined> {
    const field = fieldRef?.fieldPath.replace("metadata.", "");
    if (field === "namespace" || field === "name" || field === "uid") return metadata[field];
    const label = /^labels\['(.*)'\]$/.exec(field ?? "")?.[1];
    if (label !== undefined) return metadata.labels?.[label] ?? "";
    if (secretKeyRef === undefined) return undefined;
    const secret = await this.read.get(Secret, { ...secretKeyRef, namespace: metadata.namespace }, this.signal);
    const value = secret?.data?.[secretKeyRef.key];
    return value === undefined ? undefined : Buffer.from(value, "base64").toString();
  }

  /** A kubeconfig with the pod's own token, which dies with the pod. */
  async #login({ metadata, spec }: PodObject): Promise<string> {
    const { namespace = "", name, uid } = metadata;
    const boundObjectRef = { apiVersion: "v1", kind: "Pod", name, uid };
    const answer = (await this.connection.request({
      method: "POST",
      path: `/api/v1/namespaces/${namespace}/serviceaccounts/${spec?.serviceAccountName ?? "default"}/token`,
      body: { spec: { boundObjectRef, expirationSeconds: 3600 } },
      signal: this.signal,
    })) as { status: { token: string } };
    const admin = parse(await readFile(this.#plane.kubeconfig, "utf8")) as { users: object[] };
    const users = admin.users.map((user) => ({ ...user, user: { token: answer.status.token } }));
    const path = join(this.#folder, `${uid}.kubeconfig`);
    await writeFile(path, stringify({ ...admin, users }), { mode: 0o600 });
    return path;
  }

  #explain(error: unknown): never {
    const logs = [...this.#actors.values()].map(
      ({ namespace, release, component, log }) => `--- ${namespace}/${release} ${component}\n${log.slice(-3000)}`,
    );
    throw new Error(`${String(error)}\n${logs.join("\n")}`, { cause: error });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the cluster ends"));
    const ends = [...this.#actors.values()].map(async ({ child }) => {
      if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("close", resolve));
    });
    await Promise.all(ends);
    await this.connection[Symbol.asyncDispose]();
    await this.api[Symbol.asyncDispose]();
    await this.#plane[Symbol.asyncDispose]();
    await rm(this.#folder, { recursive: true });
  }
}

/** Ready in about five seconds. */
export async function nodeless(): Promise<Nodeless> {
  const [plane, api, bin, folder] = await Promise.all([
    ownControlPlane(),
    startNgrokApi({ keys: ["stand-in-key"] }),
    binaries(console.log),
    mkdtemp(join(tmpdir(), "nodeless-test-")),
  ]);
  for (const version of [3, 4]) {
    await command("mkdir", [join(folder, `helm${version}`)]);
    await symlink(join(bin, `helm${version}`), join(folder, `helm${version}`, "helm"));
  }
  const connection = patient(await connect({ kubeconfig: plane.kubeconfig }));
  const cluster = new Nodeless(plane, api, connection, bin, folder);
  cluster.play().catch((error: unknown) => console.error(error));
  return cluster;
}
