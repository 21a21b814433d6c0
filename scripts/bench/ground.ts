// Where a bench runs: a whole cluster, or a control plane without a node. Load is made by processes inside of the
// cluster's network, where it meets no veth on its way.
import { namesOf, type Release } from "#api/release.ts";
import { connect, type Connection } from "#kube/connection.ts";
import { ConfigMap, Namespace } from "#kube/kinds.ts";
import { writer } from "#kube/writer.ts";
import { crdObjects } from "#scripts/generate/crds.ts";
import { installCrds } from "#test/support/crds.ts";
import { kubectlOf, type Kubectl } from "#test/support/kubectl.ts";
import { startNgrokApi, type NgrokApi } from "#test/support/ngrok-api/server.ts";
import { binaries } from "#tools/binaries.ts";
import { down, find, up } from "#tools/cluster/cluster.ts";
import { startControlPlane } from "#tools/cluster/embedded/control-plane.ts";
import type { Cluster } from "#tools/cluster/provider.ts";
import { CONTROL_PLANE_PACKAGES, ensurePackages } from "#tools/debian.ts";
import { isClass } from "#wire/errors.ts";
import { afterUninstall } from "#wire/fence.ts";
import type { Say } from "./say.ts";

export interface Ground extends AsyncDisposable {
  readonly what: "cluster" | "plane";
  readonly kubeconfig: string;
  readonly kubectl: Kubectl;
  /** The API server's audit log, one JSON event a line. */
  readonly auditLog: string;
  /** Address at which programs inside, pods too, reach a program of this process. */
  readonly hostIp: string;
  /** The command line that runs a program inside of the cluster's network and ends it with this process. */
  inside(line: readonly string[]): [string, ...string[]];
  /** A connection of the admin; the caller ends it. */
  connect(): Promise<Connection>;
  /** Absent on a plane. */
  readonly cluster?: Cluster;
}

export interface GroundOptions {
  readonly name: string;
  /** API server, etcd and controller manager only: starts in 5 s, without root. */
  readonly plane: boolean;
  /** Leave a cluster running that was started here. */
  readonly keep: boolean;
  readonly say: Say;
}

/** Starts it, or takes the cluster of that name that runs already; what was started ends with the disposal. */
export async function raiseGround(options: GroundOptions): Promise<Ground> {
  return options.plane ? await raisePlane(options.say) : await raiseCluster(options);
}

async function raisePlane(say: Say): Promise<Ground> {
  await ensurePackages(CONTROL_PLANE_PACKAGES, say.line);
  const bin = await binaries(say.line);
  const plane = await say.step("a control plane without a node", async () => await startControlPlane({ bin }));
  const { kubeconfig } = plane;
  return {
    what: "plane",
    kubeconfig,
    kubectl: kubectlOf({ bin, kubeconfig }),
    auditLog: plane.auditLog,
    hostIp: "127.0.0.1",
    inside: (line) => ["setpriv", "--pdeathsig", "KILL", ...line],
    connect: async () => await connect({ kubeconfig, userAgent: "ngrok-operator-bench" }),
    [Symbol.asyncDispose]: async () => await plane[Symbol.asyncDispose](),
  };
}

async function raiseCluster({ name, keep, say }: GroundOptions): Promise<Ground> {
  const ranBefore = (await find(name)) !== undefined;
  const mayEnd = !keep && !ranBefore;
  const cluster = await say.step(
    `cluster ${name}`,
    async () => await up({ name, provider: "embedded", tell: say.line, bound: mayEnd }),
  );
  const { kubeconfig, pid } = cluster;
  const enter = pid === undefined ? [] : ["nsenter", "-t", String(pid), "-n"];
  return {
    what: "cluster",
    kubeconfig,
    kubectl: kubectlOf(cluster),
    // The embedded provider, which is the only one here, has one.
    auditLog: cluster.auditLog ?? "",
    hostIp: cluster.hostIp,
    inside: (line) => [...enter, "setpriv", "--pdeathsig", "KILL", ...line] as [string, ...string[]],
    connect: async () => await connect({ kubeconfig, userAgent: "ngrok-operator-bench" }),
    cluster,
    async [Symbol.asyncDispose]() {
      if (mayEnd) await say.step(`cluster ${name} is gone`, async () => await down(name, () => {}));
      else say.line(`cluster ${name} stays; npm run cluster -- down --name ${name} ends it`);
    },
  };
}

export const KEY = "bench-key";

/** Whose install it is where no chart makes one. */
export const RELEASE = { name: "bench", namespace: "bench-release", fullname: "bench-ngrok-operator" };

/** ngrok's stand-in in this process, without latency. */
export async function standIn(ground: Ground): Promise<NgrokApi> {
  return await startNgrokApi({ host: ground.hostIp, keys: [KEY] });
}

/** What an install leaves for whoever works in it: its namespace, and a drain state that nobody has marked. */
export async function anInstall(connection: Connection, release: Release, signal: AbortSignal): Promise<void> {
  const write = writer(connection, afterUninstall(signal));
  const { namespace } = release;
  await write.create(Namespace, { metadata: { name: namespace } }, signal).catch((error: unknown) => {
    if (!isClass(error, "conflict")) throw error;
  });
  const state = namesOf(release).drainState;
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  await connection.request({ method: "DELETE", path: `${path}/${state}`, signal }).catch((error: unknown) => {
    if (!isClass(error, "gone")) throw error;
  });
  await write.create(ConfigMap, { metadata: { name: state, namespace } }, signal);
}

/** Our kinds without a chart: Helm refuses CRDs that are not its own, so they go again before anybody installs. */
export async function withCrds<T>(ground: Ground, connection: Connection, work: () => Promise<T>): Promise<T> {
  await installCrds(connection);
  const result = await work();
  // A plane goes with all that is in it.
  if (ground.cluster === undefined) return result;
  const names = crdObjects().map(({ metadata }) => metadata.name);
  // An API server takes minutes to take away tens of thousands of objects.
  await ground.kubectl.run(["delete", "crd", ...names, "--ignore-not-found"], { timeout: 900_000 });
  return result;
}
