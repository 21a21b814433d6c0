// The real processes behind an embedded cluster: those of a pod, to kill, stop and continue them as the kernel would, and
// those of the cluster itself.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { command } from "#tools/command.ts";
import type { Cluster } from "#tools/cluster/provider.ts";
import { healthy } from "#tools/cluster/embedded/health.ts";
import { findRoot, members } from "#tools/cluster/embedded/members.ts";
import { NODE, PORTS } from "#tools/cluster/embedded/node.ts";
import { shapeOf } from "#tools/cluster/embedded/shape.ts";
import type { Kubectl } from "./kubectl.ts";

export type Component =
  | "kube-apiserver"
  | "etcd"
  | "kubelet"
  | "kube-controller-manager"
  | "kube-scheduler"
  | "containerd";

/** On the clock of this machine, which the audit log goes by. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Processes {
  /** The pids on this machine of a pod's containers, without its sandbox; empty when none runs. */
  ofPod(uid: string): number[];
  /** Sends it to all of them; how many there were. SIGSTOP freezes a pod as a node does that is paged out. */
  signalPod(uid: string, signal: NodeJS.Signals): number;
  /** Sends it to a component of the cluster; what is killed is started again after a second. */
  signal(component: Component, signal: NodeJS.Signals): Promise<void>;
  /** Kills the API server; resolves when it answers again. */
  restartApiServer(): Promise<void>;
  /** When it was away, or there and not ready: until it has read the roles it refuses what they grant. */
  readonly restarts: readonly Span[];
  /** Freezes the kubelet and says what the node controller would say 50 s later: the node is not ready. */
  stopNode(): Promise<void>;
  /** Resolves when the node is Ready again. */
  startNode(): Promise<void>;
  /** Compacts etcd to its newest revision: a list that is continued, or a watch from before, is answered 410. */
  compactEtcd(): Promise<void>;
}

export function processesOf(cluster: Cluster, kubectl: Kubectl): Processes {
  const nodeIp = cluster.registry.split(":")[0] ?? "";
  const pidsOf = async (component: Component): Promise<number[]> => {
    const root = await findRoot(shapeOf(cluster.name));
    if (root === undefined) throw new Error(`cluster ${cluster.name} does not run here: use --provider embedded`);
    // The kernel keeps 15 letters of a program's name.
    const found = (await members(root)).filter(({ program }) => program === component.slice(0, 15));
    if (found.length === 0) throw new Error(`cluster ${cluster.name} has no process ${component}`);
    return found.map(({ pid }) => pid);
  };
  const signal: Processes["signal"] = async (component, name) => {
    for (const pid of await pidsOf(component)) process.kill(pid, name);
  };
  const signalPod: Processes["signalPod"] = (uid, name) => {
    const pids = pidsOfPod(uid);
    for (const pid of pids) process.kill(pid, name);
    return pids.length;
  };
  const restarts: Span[] = [];
  return {
    ofPod: pidsOfPod,
    signalPod,
    signal,
    restartApiServer: async () => {
      const from = Date.now();
      const killed = await pidsOf("kube-apiserver");
      for (const pid of killed) process.kill(pid, "SIGKILL");
      await answersAgain(killed, `https://${nodeIp}:${PORTS.api}/readyz`);
      restarts.push({ from, to: Date.now() });
    },
    restarts,
    stopNode: async () => {
      await signal("kubelet", "SIGSTOP");
      await kubectl.run(["patch", "node", NODE, "--subresource=status", "--type=strategic", "-p", NOT_READY]);
    },
    startNode: async () => {
      await signal("kubelet", "SIGCONT");
      await kubectl.run(["wait", "--for=condition=Ready", `node/${NODE}`, "--timeout=150s"]);
    },
    compactEtcd: async () => await compact(cluster),
  };
}

const NOT_READY = JSON.stringify({
  status: { conditions: [{ type: "Ready", status: "Unknown", reason: "NodeStatusUnknown" }] },
});

/** Read at once, without a pause in which the process could go on. */
function pidsOfPod(uid: string): number[] {
  const inPod = (pid: string): boolean => {
    try {
      return (
        readFileSync(`/proc/${pid}/cgroup`, "utf8").includes(`pod${uid}`) &&
        readFileSync(`/proc/${pid}/comm`, "utf8").trim() !== "pause"
      );
    } catch {
      return false; // ended meanwhile
    }
  };
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter(inPod)
    .map(Number);
}

/**
 * Until the killed one is gone, so that its last answer is not taken for the new one's; then until that answers. Whether it is
 * gone is asked of the kernel: whose question is late finds the new one answering.
 */
async function answersAgain(killed: readonly number[], url: string): Promise<void> {
  const over = AbortSignal.timeout(180_000);
  while (killed.some((pid) => existsSync(`/proc/${pid}`))) await pause(20, undefined, { signal: over });
  await healthy("kube-apiserver", url, over);
}

/** By etcd's own JSON gateway, which listens inside of the cluster's network only. */
async function compact({ pid, name }: Cluster): Promise<void> {
  if (pid === undefined) throw new Error(`cluster ${name} has no process to enter: use --provider embedded`);
  const call = async (path: string, body: object): Promise<unknown> => {
    const url = `http://127.0.0.1:${PORTS.etcd}/v3/kv/${path}`;
    const enter = ["-t", String(pid), "-n", "curl", "-sS", "--fail", "--max-time", "10"];
    return JSON.parse(await command("nsenter", [...enter, "-X", "POST", "-d", JSON.stringify(body), url]));
  };
  const key = Buffer.from("/").toString("base64");
  const { header } = (await call("range", { key, limit: "1" })) as { header: { revision: string } };
  await call("compaction", { revision: header.revision, physical: true });
}
