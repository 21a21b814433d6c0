// The agent-manager's program as a process inside of the cluster's network, in a session with a stand-in of ngrok's edge.
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Release } from "#api/release.ts";
import { freePort } from "#test/support/forwarding.ts";
import { systemClock as clock } from "#wire/clock.ts";
import type { BundledProgram } from "../bundled-program.ts";
import { ended } from "../child.ts";
import type { Ground } from "../ground.ts";
import { cpuSecondsOf, type Memory, memoryOfProcess } from "../memory.ts";
import { profileFlags } from "../verdict.ts";

export interface AgentOptions {
  /** The agent-manager's bundle. */
  readonly agent: BundledProgram;
  /** A folder for a CPU profile of its whole life. */
  readonly profile?: string;
}

/** Where the stand-in listens, and what it is trusted by. */
export interface EdgeAddress {
  readonly serverAddr: string;
  /** PEM. */
  readonly ca: string;
}

export interface AgentProcess extends AsyncDisposable {
  memory(): Promise<Memory>;
  /** Seconds of processor so far. */
  cpuSeconds(): Promise<number>;
}

const READY_MS = 60_000;
const POD = "agent-bench";

/** Resolves when the agent is ready: it has a session, and serves what there is to serve. */
export async function startAgent(
  ground: Ground,
  release: Release,
  edge: EdgeAddress,
  { agent, profile }: AgentOptions,
): Promise<AgentProcess> {
  await ground.kubectl.apply([podOf(release)]);
  const folder = await mkdtemp(join(tmpdir(), "ngrok-operator-bench-agent-"));
  await writeFile(join(folder, "ca.crt"), edge.ca);
  const health = await freePort();
  const flags = [
    `--release-name=${release.name}`,
    `--fullname=${release.fullname}`,
    `--server-addr=${edge.serverAddr}`,
    "--termination-grace-seconds=1",
    `--health-probe-bind-address=127.0.0.1:${health}`,
    "--metrics-bind-address=0",
  ];
  const node = [process.execPath, ...agent.flags, ...profileFlags(profile === undefined ? {} : { profile })];
  const [command, ...args] = ground.inside([...node, agent.path, ...flags]);
  const child = spawn(command, args, {
    env: {
      PATH: process.env["PATH"],
      ...agent.env,
      KUBECONFIG: ground.kubeconfig,
      POD_NAMESPACE: release.namespace,
      POD_NAME: POD,
      NGROK_AUTHTOKEN: "an-authtoken",
      NGROK_EXTRA_CA_DIR: folder,
    },
    stdio: ["ignore", "ignore", "inherit"],
  });
  const stop = async (): Promise<void> => {
    await ended(child);
    await rm(folder, { recursive: true });
  };
  const until = clock.now() + READY_MS;
  while (!(await isReady(health))) {
    if (clock.now() > until || child.exitCode !== null) {
      await stop();
      throw new Error("the agent did not become ready");
    }
    await clock.sleep(100);
  }
  // Every launcher of `inside` becomes the program, so the child's id is the program's.
  const pid = child.pid ?? 0;
  return {
    memory: async () => await memoryOfProcess(pid),
    cpuSeconds: async () => await cpuSecondsOf(pid),
    [Symbol.asyncDispose]: stop,
  };
}

/** Whose word the leader believes: that of a pod which there is. No node runs this one. */
function podOf({ name, namespace }: Release): object {
  const labels = { "app.kubernetes.io/instance": name, "app.kubernetes.io/component": "agent" };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: POD, namespace, labels },
    spec: { containers: [{ name: "agent", image: "none" }], nodeSelector: { nobody: "here" } },
  };
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
  } catch {
    return false;
  }
}
