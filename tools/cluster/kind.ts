// The provider `kind`: a cluster in Docker, made by the kind CLI, with a registry of ours beside it on the host's end
// of Docker's network.
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { binaries, testTools } from "../binaries.ts";
import { alone, type Tell } from "../cache.ts";
import { command } from "../command.ts";
import { health, healthy } from "./embedded/health.ts";
import type { Cluster, Finding, PartStatus, Provider, UpOptions } from "./provider.ts";
import { environmentOf, folderOf, forget, record, recorded, recordProvider } from "./record.ts";
import { mirrorFiles } from "./registry.ts";

/** What the provider does to the machine; a test gives recorders. */
export interface Hands {
  /** Runs a program to its end; resolves to its stdout. */
  run: (program: string, args: readonly string[]) => Promise<string>;
  /** Starts crane's registry at an address in the background; resolves to its pid when it answers. */
  serve: (crane: string, address: string, folder: string) => Promise<number>;
  /** Ends a process that `serve` has started; one that has ended is no error. */
  stop: (pid: number) => void;
  tools: (tell: Tell) => Promise<{ bin: string; kind: string }>;
}

const REGISTRY_PORT = 5_000;
const PREFIX = "ngrok-";

/** The provider over the given hands. */
export function kindProvider(hands: Hands): Provider {
  return {
    name: "kind",
    up: async (options) => await alone(`kind/${options.name}`, options.tell, () => up(hands, options)),
    down: async (name, tell) => await alone(`kind/${name}`, tell, () => down(hands, name, tell)),
    find: (name) => find(hands, name),
    status: (cluster) => status(hands, cluster),
    doctor: () => doctor(hands),
  };
}

/** The config file of `kind create cluster`: one node that asks our registry for every image. */
export function kindConfig(folder: string): Record<string, unknown> {
  return {
    kind: "Cluster",
    apiVersion: "kind.x-k8s.io/v1alpha4",
    nodes: [
      {
        role: "control-plane",
        extraMounts: [{ hostPath: join(folder, "certs.d"), containerPath: "/etc/containerd/certs.d", readOnly: true }],
      },
    ],
    containerdConfigPatches: [
      '[plugins."io.containerd.cri.v1.images".registry]\n  config_path = "/etc/containerd/certs.d"',
    ],
  };
}

async function up(hands: Hands, { name, tell }: UpOptions): Promise<Cluster> {
  const running = await find(hands, name);
  if (running) {
    tell(`cluster ${name} runs already in Docker`);
    return running;
  }
  await hands.run("docker", ["info", "--format", "{{.ServerVersion}}"]).catch((error: unknown) => {
    throw new Error("--provider kind needs a Docker that answers: start Docker, or use --provider embedded", {
      cause: error,
    });
  });
  const { bin, kind } = await hands.tools(tell);
  await down(hands, name, tell); // what a killed `up` left
  const folder = folderOf(name);
  await recordProvider(name, "kind");
  const hostIp = await gateway(hands);
  const registry = `${hostIp}:${REGISTRY_PORT}`;
  await mkdir(join(folder, "registry"), { recursive: true });
  for (const [file, text] of Object.entries(mirrorFiles(registry))) {
    await mkdir(join(folder, file, ".."), { recursive: true });
    await writeFile(join(folder, file), text);
  }
  await writeFile(join(folder, "kind.json"), JSON.stringify(kindConfig(folder), null, 2));
  const pid = await hands.serve(join(bin, "crane"), registry, folder);
  await writeFile(join(folder, "registry.pid"), String(pid));
  const kubeconfig = join(folder, "admin.kubeconfig");
  const started = Date.now();
  tell(`kind create cluster ${PREFIX}${name} ...`);
  const flags = ["--name", `${PREFIX}${name}`, "--config", join(folder, "kind.json"), "--kubeconfig", kubeconfig];
  await hands.run(kind, ["create", "cluster", ...flags, "--wait", "120s"]);
  tell(`  node ready after ${((Date.now() - started) / 1000).toFixed(1)} s`);
  const env = environmentOf({ name, kubeconfig, hostIp, registry });
  const cluster: Cluster = { name, provider: "kind", kubeconfig, hostIp, registry, bin, folder, env };
  await record(cluster);
  return cluster;
}

/** The host's address in Docker's network `kind`, which kind would make itself, but only with its first cluster. */
async function gateway({ run }: Hands): Promise<string> {
  const format = "{{range .IPAM.Config}}{{.Gateway}} {{end}}";
  const inspect = async (): Promise<string> => await run("docker", ["network", "inspect", "kind", "--format", format]);
  const text = await inspect().catch(async () => {
    await run("docker", ["network", "create", "kind"]);
    return await inspect();
  });
  const address = text.split(/\s+/).find((word) => /^\d+\.\d+\.\d+\.\d+$/.test(word));
  if (address === undefined)
    throw new Error("Docker's network `kind` has no IPv4 gateway: docker network rm kind, then try again");
  return address;
}

async function down(hands: Hands, name: string, tell: Tell): Promise<boolean> {
  const pid = await readFile(join(folderOf(name), "registry.pid"), "utf8").catch(() => "");
  if (pid !== "") hands.stop(Number(pid));
  const made = await readFile(join(folderOf(name), "kind.json"), "utf8").then(
    () => true,
    () => false,
  );
  if (made) {
    const { kind } = await hands.tools(tell);
    await hands.run(kind, ["delete", "cluster", "--name", `${PREFIX}${name}`]);
  }
  await forget(name);
  return made;
}

async function find(hands: Hands, name: string): Promise<Cluster | undefined> {
  const cluster = await recorded(name);
  if (cluster?.provider !== "kind") return undefined;
  return (await state(hands, name)) === "running" ? cluster : undefined;
}

async function state({ run }: Hands, name: string): Promise<string> {
  const node = `${PREFIX}${name}-control-plane`;
  return await run("docker", ["inspect", "--format", "{{.State.Status}}", node]).then(
    (text) => text.trim(),
    () => "not there",
  );
}

async function status(hands: Hands, cluster: Cluster): Promise<PartStatus[]> {
  const node = await state(hands, cluster.name);
  const registry = await health(`http://${cluster.registry}/v2/`);
  return [
    { part: "node", ok: node === "running", says: node },
    { part: "registry", ok: registry === "ok", says: registry },
  ];
}

async function doctor({ run }: Hands): Promise<Finding[]> {
  const version = await run("docker", ["info", "--format", "{{.ServerVersion}}"]).then(
    (text) => text.trim(),
    () => "",
  );
  const remedy = "Install and start Docker, or use --provider embedded";
  return [{ what: "docker", ok: version !== "", found: version || "does not answer", remedy }];
}

/** The hands of a real machine. */
const machine: Hands = {
  run: async (program, args) => await command(program, args, { timeout: 300_000 }),
  serve: async (crane, address, folder) => {
    const log = openSync(join(folder, "registry.log"), "a");
    const args = ["registry", "serve", "--address", address, "--disk", join(folder, "registry")];
    const child = spawn(crane, args, { detached: true, stdio: ["ignore", log, log] });
    closeSync(log);
    const failed = new Promise<never>((_, fail) => child.once("error", fail));
    await Promise.race([healthy("registry", `http://${address}/v2/`, AbortSignal.timeout(10_000)), failed]);
    child.unref();
    if (child.pid === undefined) throw new Error(`${crane} does not start`);
    return child.pid;
  },
  stop: (pid) => {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // ended already
    }
  },
  tools: async (tell) => ({ bin: await binaries(tell), kind: join((await testTools(tell)).bin, "kind") }),
};

export const kind: Provider = kindProvider(machine);
