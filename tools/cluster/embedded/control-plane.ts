// A control plane without a node: etcd, API server and controller manager as plain processes of whoever calls, on
// loopback. For tests that need a real API server and no pod; needs neither root nor namespaces.
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AUDIT_POLICY } from "./audit.ts";
import { makeIdentities, writeKubeconfig } from "./certificates.ts";
import { apiServer, controllerManager, etcd, type Component, type ControlPlaneShape } from "./components.ts";
import { start, type Running } from "./process.ts";
import { apiServerReady, controllersReady, type Endpoint } from "./readiness.ts";

export interface ControlPlaneOptions {
  /** The folder of `binaries()`. */
  readonly bin: string;
  /** Flags of kube-apiserver, after ours: a repeated one wins. */
  readonly apiServerFlags?: readonly string[];
}

export interface ControlPlane extends AsyncDisposable {
  /** File of the cluster's admin (system:masters). */
  readonly kubeconfig: string;
  /** One JSON event a line; see audit.ts for what is in it. */
  readonly auditLog: string;
  /** With logs, certificates and data; gone after the disposal. */
  readonly folder: string;
  readonly server: string;
  /** Kills the API server as a crash would; the address stays and its data too. */
  stopApiServer(): Promise<void>;
  /** Starts it again; resolves when it is ready. */
  startApiServer(): Promise<void>;
  /** Both, one after the other. */
  restartApiServer(): Promise<void>;
}

const HOST = "127.0.0.1";
const PREFIX = "ngrok-operator-control-plane-";
const DEADLINE = 180_000;

/** Starts a control plane; resolves when its API server answers and its controllers work, in about 5 s. */
export async function startControlPlane({ bin, apiServerFlags = [] }: ControlPlaneOptions): Promise<ControlPlane> {
  await sweep();
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  const [api, etcdPort, etcdPeer, etcdHealth, manager] = await freePorts(5);
  const shape: ControlPlaneShape = {
    folder,
    auditLog: join(folder, "audit.log"),
    bind: HOST,
    advertise: HOST,
    health: HOST,
    ports: { api, etcd: etcdPort, etcdPeer, etcdHealth, controllerManager: manager, scheduler: 0 },
    // Endpoints of the Service `kubernetes` may not be loopback, and no pod asks for it here.
    apiServerFlags: ["--endpoint-reconciler-type=none", ...apiServerFlags],
  };
  const endpoint: Endpoint = { host: HOST, port: api, identities: join(folder, "pki") };
  const running = new Map<string, Running>();
  const run = (component: Component): Running => {
    const process = start(join(bin, component.name), component.args, join(folder, `${component.name}.log`));
    running.set(component.name, process);
    return process;
  };
  const stop = async (): Promise<void> => {
    await Promise.all([...running.values()].map((process) => process.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  const startApiServer = async (): Promise<void> => {
    const process = run(apiServer(shape));
    await Promise.race([apiServerReady(endpoint, AbortSignal.timeout(DEADLINE)), process.failed]);
  };
  const stopApiServer = async (): Promise<void> => await running.get("kube-apiserver")?.stop();
  const server = `https://${HOST}:${api}`;
  try {
    const database = run(etcd(shape));
    await files(shape, server);
    await Promise.race([startApiServer(), database.failed]);
    const controllers = run(controllerManager(shape));
    await Promise.race([controllersReady(endpoint, AbortSignal.timeout(DEADLINE)), controllers.failed]);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    kubeconfig: join(folder, "admin.kubeconfig"),
    auditLog: shape.auditLog,
    folder,
    server,
    stopApiServer,
    startApiServer,
    restartApiServer: async () => {
      await stopApiServer();
      await startApiServer();
    },
    [Symbol.asyncDispose]: stop,
  };
}

async function files({ folder }: ControlPlaneShape, server: string): Promise<void> {
  const identities = join(folder, "pki");
  await mkdir(identities);
  await writeFile(join(folder, "audit-policy.json"), AUDIT_POLICY);
  await makeIdentities({ folder: identities, addresses: [HOST], node: "none" });
  for (const client of ["admin", "controller-manager"] as const) {
    await writeKubeconfig(identities, client, server, join(folder, `${client}.kubeconfig`));
  }
}

/** Removes what control planes left whose process was killed, as far as it is ours to remove. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const owner = Number(name.slice(PREFIX.length).split("-")[0]);
    if (owner > 0 && !alive(owner)) await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {});
  }
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Processes that start control planes at the same time look at different ports: between the look and the use is a moment. */
const CLASSES = 16;

/**
 * Ports that nothing listens on, below those that the kernel gives to outgoing connections: an API server that is
 * restarted must find its own free.
 */
async function freePorts(count: 5): Promise<[number, number, number, number, number]> {
  const found = new Set<number>();
  while (found.size < count) {
    const port = 20_000 + CLASSES * Math.floor(Math.random() * (12_000 / CLASSES)) + (process.pid % CLASSES);
    if (!found.has(port) && (await isFree(port))) found.add(port);
  }
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = found;
  return [a, b, c, d, e];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once("error", () => done(false));
    server.listen(port, HOST, () => server.close(() => done(true)));
  });
}
