// The provider `embedded`: a whole cluster in namespaces of its own, built from Go modules; one process to kill.
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, existsSync, openSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { binaries } from "../../binaries.ts";
import { alone, type Tell } from "../../cache.ts";
import { CNI_FOLDERS, ensurePackages, NODE_PACKAGES } from "../../debian.ts";
import type { Cluster, Finding, PartStatus, Provider, UpOptions } from "../provider.ts";
import { environmentOf, record, recorded, recordProvider } from "../record.ts";
import { layoutImage, push } from "../registry.ts";
import { cgroupDirectories, removeCgroups } from "./cgroups.ts";
import { GO_MEMORY } from "./components.ts";
import { health, healthEndpoints, healthy } from "./health.ts";
import { findRoot, kill, members, type Root } from "./members.ts";
import { chooseSubnet, join as joinHost, part } from "./network.ts";
import { NODE, PORTS, writeNode } from "./node.ts";
import { packages, requirements, unmet } from "./requirements.ts";
import { tail } from "./process.ts";
import { controllersReady, seen, type Endpoint } from "./readiness.ts";
import { shapeOf, type Shape, type Subnet } from "./shape.ts";

/** How long a warm start may take on a busy machine, in milliseconds. */
const DEADLINE = 120_000;

export const embedded: Provider = { name: "embedded", up, down, find, status, doctor };

async function up(options: UpOptions): Promise<Cluster> {
  const shape = shapeOf(options.name);
  const { tell } = options;
  const missing = unmet(await requirements());
  if (missing.length > 0) throw new Error(`no cluster can be started here:\n${missing.join("\n")}`);
  await ensurePackages(NODE_PACKAGES, tell);
  const bin = await binaries(tell);
  return await alone(`cluster/${shape.id}`, tell, async () => {
    const running = await find(options.name);
    if (running) {
      tell(`cluster ${shape.name} runs already, as process ${running.pid}`);
      return running;
    }
    if (await clean(shape)) tell(`cleaned what an earlier start of ${shape.name} had left`);
    return await start(shape, bin, options);
  });
}

async function doctor(): Promise<Finding[]> {
  return [...(await requirements()), await packages()];
}

async function start(shape: Shape, bin: string, options: UpOptions): Promise<Cluster> {
  const { tell, bound = false, apiServerFlags = [], deadline = DEADLINE } = options;
  const started = Date.now();
  const ready = (name: string): void =>
    tell(`  ${name.padEnd(24)}${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s`);
  tell(`starting cluster ${shape.name}`);
  const subnet = await chooseSubnet(shape);
  const registry = `${subnet.nodeIp}:${PORTS.registry}`;
  const { digest } = await layoutImage(join(bin, "pause"));
  const cniFolder = CNI_FOLDERS.find((folder) => existsSync(join(folder, "ptp"))) ?? "/usr/lib/cni";
  await rm(failedLogs(shape), { recursive: true, force: true });
  await recordProvider(shape.name, "embedded");
  try {
    await writeNode({ shape, subnet, pause: `${registry}/pause@${digest}`, cniFolder, apiServerFlags });
    ready("certificates");
    const { pid, settle } = await launch(shape, subnet, bin, bound);
    ready("namespaces and network");
    await allReady(shape, subnet, bin, ready, AbortSignal.timeout(deadline));
    const cluster = describe(shape, subnet, bin, pid);
    await record(cluster);
    await settle();
    return cluster;
  } catch (error) {
    const log = await tail(join(shape.folder, "log/init.log"), 4);
    await rename(join(shape.folder, "log"), failedLogs(shape)).catch(() => {}); // it failed before there was a log
    await clean(shape);
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`cluster ${shape.name}: ${why}\n${log}\nIts logs are in ${failedLogs(shape)}`, { cause: error });
  }
}

interface Launched {
  readonly pid: number;
  /** Lets the cluster outlive this process, unless it is bound to it. */
  readonly settle: () => Promise<void>;
}

/** The process that is the cluster: in its namespaces, joined to the host, told to go on. */
async function launch(shape: Shape, subnet: Subnet, bin: string, bound: boolean): Promise<Launched> {
  const log = openSync(join(shape.folder, "log/init.log"), "a");
  const namespaces = ["unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child=KILL"];
  const args = [...(bound ? ["setpriv", "--pdeathsig", "KILL"] : []), ...namespaces, join(shape.folder, "init.sh")];
  const child = spawn(args[0] ?? "unshare", args.slice(1), {
    // A session of its own: ^C in the terminal is for the command, and init.sh notices when that ends too early.
    detached: true,
    stdio: ["pipe", "pipe", log],
    env: {
      PATH: process.env["PATH"],
      FOLDER: shape.folder,
      BIN: bin,
      CGROUP: shape.cgroup,
      NODE_IP: subnet.nodeIp,
      ...GO_MEMORY,
    },
  });
  closeSync(log);
  await firstLine(child);
  if (child.pid === undefined) throw new Error("unshare does not start");
  await joinHost(shape, subnet, child.pid);
  child.stdin?.write("wired\n");
  child.stdout?.destroy();
  child.unref();
  const settle = async (): Promise<void> => await new Promise((done) => child.stdin?.end("ready\n", done));
  return { pid: child.pid, settle };
}

function firstLine(child: ChildProcess): Promise<void> {
  return new Promise((done, fail) => {
    child.once("error", fail);
    child.once("exit", (code) => fail(new Error(`unshare ended (${code}) before its namespaces were there`)));
    if (child.stdout) createInterface(child.stdout).once("line", () => done());
  });
}

/** Waits for every component at once; the last is the node, without the taint that a pod would not tolerate. */
async function allReady(
  shape: Shape,
  subnet: Subnet,
  bin: string,
  ready: (name: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const endpoint: Endpoint = { host: subnet.nodeIp, port: PORTS.api, identities: join(shape.folder, "pki") };
  const urls = healthEndpoints(subnet.nodeIp);
  const waits = Object.entries(urls).map(async ([name, url]) => {
    await healthy(name, url, signal).catch(async (error: unknown) => {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`${why}\n${await tail(join(shape.folder, `log/${name}.log`), 4)}`, { cause: error });
    });
    ready(name);
    if (name === "registry") {
      await push(bin, `${subnet.nodeIp}:${PORTS.registry}`, join(bin, "pause"));
      ready("pause image");
    }
    if (name === "kube-apiserver") {
      await seen(endpoint, `/api/v1/nodes?watch=true&fieldSelector=metadata.name%3D${NODE}`, isUsable, signal);
      ready(`node ${NODE}`);
    }
    if (name === "kube-controller-manager") await controllersReady(endpoint, signal);
  });
  // In the order of the endpoints: that the API server is not ready explains all who wait for it.
  const failed = (await Promise.allSettled(waits)).find((wait) => wait.status === "rejected");
  if (failed) throw failed.reason;
}

interface NodeObject {
  readonly spec?: { readonly taints?: readonly unknown[] };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

function isUsable(node: NodeObject): boolean {
  const isReady = node.status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false;
  return isReady && (node.spec?.taints ?? []).length === 0;
}

function describe(shape: Shape, { hostIp, nodeIp }: Subnet, bin: string, pid: number): Cluster {
  const registry = `${nodeIp}:${PORTS.registry}`;
  const kubeconfig = join(shape.folder, "admin.kubeconfig");
  const env = environmentOf({ name: shape.name, kubeconfig, hostIp, registry });
  const auditLog = join(shape.folder, "log/audit.log");
  return {
    name: shape.name,
    provider: "embedded",
    kubeconfig,
    hostIp,
    registry,
    bin,
    folder: shape.folder,
    auditLog,
    pid,
    env,
  };
}

async function find(name: string): Promise<Cluster | undefined> {
  const shape = shapeOf(name);
  const cluster = await recorded(name);
  const root = await findRoot(shape);
  if (cluster === undefined || root === undefined || root.init === 0) return undefined;
  return { ...cluster, pid: root.pid };
}

async function down(name: string, tell: Tell): Promise<boolean> {
  const shape = shapeOf(name);
  return await alone(`cluster/${shape.id}`, tell, async () => {
    await rm(failedLogs(shape), { recursive: true, force: true });
    return await clean(shape);
  });
}

/** Ends and removes all that there is of the cluster; false when there was nothing. */
async function clean(shape: Shape): Promise<boolean> {
  const root = await findRoot(shape);
  const found = root !== undefined || existsSync(shape.folder) || (await cgroupDirectories(shape.cgroup)).length > 0;
  if (!found) return false;
  if (root) await kill(root);
  await part(shape);
  await removeCgroups(shape.cgroup);
  await rm(shape.folder, { recursive: true, force: true });
  return true;
}

/** Where the logs of a failed start are kept until the next start or `down`. */
function failedLogs({ folder }: Shape): string {
  return `${folder}.failed`;
}

async function status(cluster: Cluster): Promise<PartStatus[]> {
  const nodeIp = cluster.registry.split(":")[0] ?? "";
  const parts = Object.entries(healthEndpoints(nodeIp)).map(async ([name, url]) => {
    const says = await health(url);
    return { part: name, ok: says === "ok", says };
  });
  const root: Root | undefined = await findRoot(shapeOf(cluster.name));
  const processes = root ? await members(root) : [];
  const running = {
    part: "processes",
    ok: processes.length > 0,
    says: `${processes.length}, all ended with ${cluster.pid}`,
  };
  return [...(await Promise.all(parts)), running];
}
