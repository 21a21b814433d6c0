// The chart as it renders, applied without Helm, and its programs as processes with what the chart gives them: arguments,
// environment, and the token of their own ServiceAccount. What a kubelet would do is all that is missing.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { Connection } from "#kube/connection.ts";
import type { KubeObject } from "#kube/kind.ts";
import { command } from "#tools/command.ts";
import { objectsIn } from "./manifest.ts";
import { startOwnProgram } from "./own-program.ts";

/** Values as `--set` takes them. */
export type Values = Readonly<Record<string, string | boolean>>;

/** Helm's release `ngrok` in namespace `ops`, fullname `ngrok-operator`, as `helm template` renders it. */
export async function renderChart(bin: string, values: Values): Promise<KubeObject[]> {
  const all = { fullnameOverride: "ngrok-operator", "agent.enabled": false, ...values };
  const sets = Object.entries(all).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const text = await command(join(bin, "helm"), ["template", "ngrok", "chart", "--namespace", "ops", ...sets]);
  return objectsIn(text);
}

export interface Ended {
  readonly code: number;
  readonly log: string;
}

export interface Program extends AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

interface Container {
  readonly command: readonly string[];
  readonly args?: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string }[];
}
type Workload = KubeObject & {
  readonly spec: {
    readonly template: {
      readonly spec: { readonly serviceAccountName: string; readonly containers: readonly Container[] };
    };
  };
};

export interface InstallParts {
  readonly objects: readonly KubeObject[];
  readonly kubeconfig: string;
  /** Where the programs find the API server. */
  readonly server: string;
  readonly apiUrl: string;
  readonly connection: Connection;
  readonly kubectl: (args: readonly string[], input?: string) => Promise<string>;
}

export class ChartInstall implements AsyncDisposable {
  readonly #parts: InstallParts;
  readonly #folder: string;
  readonly #running = new Set<ChildProcess>();

  private constructor(parts: InstallParts, folder: string) {
    this.#parts = parts;
    this.#folder = folder;
  }

  static async start(parts: InstallParts): Promise<ChartInstall> {
    const install = new ChartInstall(parts, await mkdtemp(join(tmpdir(), "chart-install-")));
    await install.apply((object) => !isHook(object) && object.kind !== "Deployment");
    return install;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#running) child.kill("SIGKILL");
    await rm(this.#folder, { recursive: true });
  }

  /** Applies what is chosen of the rendered objects. */
  async apply(chosen: (object: KubeObject) => boolean): Promise<void> {
    const objects = this.#parts.objects.filter(chosen);
    // Under Helm's name: a hook drains nothing that kubectl has made.
    await this.#parts.kubectl(
      ["apply", "--field-manager=helm", "-f", "-"],
      objects.map((object) => stringify(object)).join("---\n"),
    );
  }

  /** The api-manager, until it is disposed of. */
  async manager(env: Readonly<Record<string, string>> = {}): Promise<Program> {
    const workload = this.#workload("Deployment", "manager");
    const [container] = workload.spec.template.spec.containers;
    const args = [
      ...(container?.args ?? []),
      `--api-url=${this.#parts.apiUrl}`,
      "--health-probe-bind-address=0",
      "--metrics-bind-address=0",
    ];
    return await this.#start("operator/managers/api-manager/main.ts", workload, args, env);
  }

  /** One pod of those of which every replica works, until it is disposed of. */
  async replica(name: "agent" | "bindings-forwarder", env: Readonly<Record<string, string>> = {}): Promise<Program> {
    const workload = this.#workload("Deployment", name);
    const [container] = workload.spec.template.spec.containers;
    const args = [...(container?.args ?? []), "--health-probe-bind-address=0", "--metrics-bind-address=0"];
    return await this.#start(`operator/managers/${name}-manager/main.ts`, workload, args, env);
  }

  /** `ngrok-drain` as a person runs it in the api-manager's pod. */
  async cli(args: readonly string[]): Promise<Ended> {
    const program = await this.#start(
      "hooks/src/ngrok-drain/main.ts",
      this.#workload("Deployment", "manager"),
      args,
      {},
    );
    return await program.ended;
  }

  /** A hook to its end, its own objects applied before, as Helm does. */
  async hook(name: "drain" | "cleanup", env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const given = await this.hookEnvironment(name);
    const program = await this.#start(`hooks/src/${name}/main.ts`, this.#workload("Job", name), [], {
      ...given,
      ...env,
    });
    return await program.ended;
  }

  /** The environment of a hook's pod, its own objects applied before. */
  async hookEnvironment(name: "drain" | "cleanup"): Promise<Record<string, string>> {
    await this.apply((object) => isHook(object) && object.kind !== "Job" && isOf(object, name));
    return await this.#environmentOf(this.#workload("Job", name));
  }

  #workload(kind: "Deployment" | "Job", suffix: string): Workload {
    const found = this.#parts.objects.find((one) => one.kind === kind && nameOf(one) === `ngrok-operator-${suffix}`);
    if (found === undefined) throw new Error(`the chart renders no ${kind} ngrok-operator-${suffix}`);
    return found as Workload;
  }

  async #start(
    main: string,
    workload: Workload,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<Program> {
    const child = startOwnProgram(main, args, { ...(await this.#environmentOf(workload)), ...env });
    this.#running.add(child);
    let log = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (log += chunk.toString()));
    const ended = once(child, "close").then(([code]) => {
      this.#running.delete(child);
      return { code: (code as number | null) ?? 137, log };
    });
    const stop = async (): Promise<void> => {
      child.kill("SIGTERM");
      await ended;
    };
    return { child, ended, [Symbol.asyncDispose]: stop };
  }

  /** What the chart says, and what a kubelet would add. */
  async #environmentOf(workload: Workload): Promise<Record<string, string>> {
    const { serviceAccountName, containers } = workload.spec.template.spec;
    const given = containers
      .flatMap((container) => container.env)
      .flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const]));
    return {
      ...Object.fromEntries(given),
      POD_NAMESPACE: "ops",
      POD_NAME: `${nameOf(workload)}-x1`,
      POD_UID: "00000000-0000-0000-0000-000000000001",
      JOB_UID: "00000000-0000-0000-0000-000000000002",
      NGROK_API_KEY: "key",
      NGROK_API_URL: this.#parts.apiUrl,
      KUBECONFIG: await this.#loginOf(serviceAccountName),
      TERMINATION_LOG: join(this.#folder, "termination"),
    };
  }

  /** A kubeconfig with a new token of the account, as a pod would carry it. */
  async #loginOf(account: string): Promise<string> {
    const { connection, kubeconfig, server } = this.#parts;
    const answer = (await connection.request({
      method: "POST",
      path: `/api/v1/namespaces/ops/serviceaccounts/${account}/token`,
      body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} },
      signal: AbortSignal.timeout(120_000),
    })) as { status: { token: string } };
    const admin = parse(await readFile(kubeconfig, "utf8")) as { clusters: object[]; users: object[] };
    const clusters = admin.clusters.map((one) => ({ ...one, cluster: { server } }));
    const users = admin.users.map((one) => ({ ...one, user: { token: answer.status.token } }));
    const path = join(this.#folder, `${account}.kubeconfig`);
    await writeFile(path, stringify({ ...admin, clusters, users }), { mode: 0o600 });
    return path;
  }
}

function nameOf({ metadata }: KubeObject): string {
  return metadata.name;
}

/** Whether an object is that hook's: all of them bear its name. */
function isOf(object: KubeObject, hook: string): boolean {
  return nameOf(object).startsWith(`ngrok-operator-${hook}`);
}

function isHook({ metadata }: KubeObject): boolean {
  return metadata.annotations?.["helm.sh/hook"] !== undefined;
}
