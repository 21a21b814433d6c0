// `bench bindings`: what pods get through the forwarder's program, against a plain TCP proxy of the same language before the
// same ingress, to which the pods speak TLS themselves; against a bare proxy that does that for them, and one that carries the
// bytes over TCP alone; and the memory that it has with a thousand silent connections.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createSecureContext } from "node:tls";
import { parse } from "yaml";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { BINDING_SECRET, KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { Release } from "#api/release.ts";
import type { Connection } from "#kube/connection.ts";
import { Secret } from "#kube/kinds.ts";
import { applyStatus } from "#kube/status.ts";
import { writer } from "#kube/writer.ts";
import { keyAndRequest } from "#ngrok/csr.ts";
import { installCrds } from "#test/support/crds.ts";
import { aBoundEndpoint, aKubernetesOperator } from "#test/support/builders.ts";
import { createAuthority, type Authority } from "#test/support/ngrok-api/certificates.ts";
import { systemClock as clock } from "#wire/clock.ts";
import { afterUninstall } from "#wire/fence.ts";
import { isOpen } from "#test/support/forwarding.ts";
import { median, percentile, rounded } from "../arithmetic.ts";
import type { BundledProgram } from "../bundled-program.ts";
import { beside, ended } from "../child.ts";
import { anInstall, type Ground } from "../ground.ts";
import { loadOf, type Machine } from "../machine.ts";
import { cpuSecondsOf, memoryOfProcess } from "../memory.ts";
import type { Say } from "../say.ts";
import type { Far } from "./far.ts";
import { ask, type Come, overTcp, sit, takeAll } from "./load.ts";
import type { PlainProxy } from "./plain-proxy.ts";
import { wayIn } from "./way-in.ts";

export interface BindingsOptions {
  readonly program: BundledProgram;
  /** How often each is measured, in turns. */
  readonly rounds: number;
  /** Silent connections whose memory is told. */
  readonly idle: number;
  readonly signal: AbortSignal;
}

/** Of one proxy; the middle of the rounds. */
export interface Carried {
  /** MB of 1,000,000 bytes in a second, eight connections at once. */
  readonly megabytesPerSecond: number;
  /** The same over the seconds of processor that the proxy used for it. */
  readonly megabytesPerCpuSecond: number;
  /** Round trips in a second, fifty connections at once. */
  readonly answersPerSecond: number;
  readonly p99Ms: number;
}

export interface Shares {
  readonly bytes: number;
  readonly bytesPerCpuSecond: number;
  readonly answers: number;
  readonly p99: number;
}

export interface BindingsResult {
  readonly bench: "bindings";
  readonly machine: Machine;
  readonly forwarder: Carried;
  /** A plain TCP proxy before the same ingress: TLS begins in those who come. */
  readonly endToEnd: Carried;
  /** A bare proxy that speaks TLS to the same ingress for them, and a plain one where nobody speaks TLS. */
  readonly tls: Carried;
  readonly plain: Carried;
  /** The forwarder's share of each. */
  readonly ofEndToEnd: Shares;
  readonly ofTls: Shares;
  readonly ofPlain: Shares;
  readonly idle: number;
  readonly idleMB: number;
  readonly emptyMB: number;
}

const BULK = { connections: 8, bytes: 64 * 1024 * 1024 };
const ASKED = { connections: 50, rounds: 200 };
const PORTS = { bulk: 17_001, echo: 17_002 };
const release: Release = { name: "bench", namespace: "bench-bindings", fullname: "bench-ngrok-operator" };

interface Proxy {
  readonly pid: number;
  readonly bulk: Come;
  readonly echo: Come;
}

type Name = "plain" | "tls" | "endToEnd" | "forwarder";

export async function benchBindings(ground: Ground, options: BindingsOptions, say: Say): Promise<BindingsResult> {
  const machine = loadOf();
  await using stack = new AsyncDisposableStack();
  const connection = stack.use(await ground.connect());
  const authority = await createAuthority(90);
  const clientCa = Buffer.from(authority.certificate).toString("base64");
  const started = async <T>(path: string, args: readonly string[]) =>
    stack.use(await beside<T>(join(import.meta.dirname, path), args));
  const { said: far } = await started<Far>("far.ts", [clientCa, String(BULK.bytes)]);
  const pair = await signed(authority);
  const bare = async (given: PlainProxy): Promise<{ readonly pid: number; readonly said: [number, number] }> =>
    await started<[number, number]>("plain-proxy.ts", [JSON.stringify(given)]);
  const proxy = async (given: PlainProxy): Promise<Proxy> => {
    const { pid, said } = await bare(given);
    return { pid, bulk: overTcp(said[0]), echo: overTcp(said[1]) };
  };
  const plain = await proxy({ targets: [{ port: far.bulk }, { port: far.echo }] });
  const port = Number(far.ingress.split(":").at(-1));
  const through = await bare({ targets: [{ port }, { port }] });
  const context = createSecureContext({ ...pair, ca: far.ca });
  const endToEnd: Proxy = {
    pid: through.pid,
    // Nothing more comes before something is asked.
    bulk: async () => (await wayIn(through.said[0], helloOf("bulk.bench"), context)).resume(),
    echo: async () => (await wayIn(through.said[1], helloOf("echo.bench"), context)).resume(),
  };
  const tls = await proxy({
    targets: [
      { port, hello: helloOf("bulk.bench") },
      { port, hello: helloOf("echo.bench") },
    ],
    tls: { ...pair, ca: far.ca },
  });
  await installed(connection, far, pair, options.signal);
  const child = await say.step("the forwarder listens", async () => await startForwarder(ground, options.program, far));
  stack.defer(async () => await ended(child));
  const forwarder: Proxy = { pid: child.pid ?? 0, bulk: overTcp(PORTS.bulk), echo: overTcp(PORTS.echo) };
  const emptyMB = rounded((await memoryOfProcess(forwarder.pid)).residentMB);
  const idle = await say.step(
    `${options.idle} silent connections`,
    async () => await sit(forwarder.echo, options.idle),
  );
  // What a collector leaves behind after a while is what silent connections take; it comes when nothing else is to be done.
  await clock.sleep(20_000, options.signal);
  const idleMB = rounded((await memoryOfProcess(forwarder.pid)).residentMB);
  for (const socket of idle) socket.destroy();

  const runs = { plain: [], tls: [], endToEnd: [], forwarder: [] } as Record<Name, Carried[]>;
  for (let round = 1; round <= options.rounds; round += 1) {
    for (const [name, one] of Object.entries({ plain, tls, endToEnd, forwarder }) as [Name, Proxy][])
      runs[name].push(await say.step(`round ${round}: ${name}`, async () => await carried(one)));
  }
  const ours = middle(runs.forwarder);
  const theirs = { endToEnd: middle(runs.endToEnd), tls: middle(runs.tls), plain: middle(runs.plain) };
  return {
    bench: "bindings",
    machine,
    forwarder: ours,
    ...theirs,
    ofEndToEnd: sharesOf(ours, theirs.endToEnd),
    ofTls: sharesOf(ours, theirs.tls),
    ofPlain: sharesOf(ours, theirs.plain),
    idle: options.idle,
    idleMB,
    emptyMB,
  };
}

function sharesOf(ours: Carried, theirs: Carried): Shares {
  return {
    bytes: rounded(ours.megabytesPerSecond / theirs.megabytesPerSecond),
    bytesPerCpuSecond: rounded(ours.megabytesPerCpuSecond / theirs.megabytesPerCpuSecond),
    answers: rounded(ours.answersPerSecond / theirs.answersPerSecond),
    p99: rounded(theirs.p99Ms / ours.p99Ms),
  };
}

/** What the bare proxy says of an endpoint: its host, port 1, and nobody. */
function helloOf(host: string): string {
  const message = Buffer.concat([Buffer.from([0x0a, host.length]), Buffer.from(host), Buffer.from([0x10, 1, 0x1a, 0])]);
  return Buffer.concat([Buffer.from([message.length, 0]), message]).toString("base64");
}

async function signed(authority: Authority): Promise<{ readonly cert: string; readonly key: string }> {
  const { key, csr } = await keyAndRequest();
  return { key, cert: (await authority.issue(csr)).pem };
}

async function carried(proxy: Proxy): Promise<Carried> {
  const before = await cpuSecondsOf(proxy.pid);
  const seconds = await takeAll(proxy.bulk, BULK.connections, BULK.bytes);
  const cpu = (await cpuSecondsOf(proxy.pid)) - before;
  const megabytes = (BULK.connections * BULK.bytes) / 1e6;
  const asked = await ask(proxy.echo, ASKED.connections, ASKED.rounds);
  return {
    megabytesPerSecond: rounded(megabytes / seconds),
    megabytesPerCpuSecond: rounded(megabytes / cpu),
    answersPerSecond: rounded(asked.times.length / asked.seconds),
    p99Ms: rounded(percentile(asked.times, 0.99)),
  };
}

function middle(runs: readonly Carried[]): Carried {
  const of = (name: keyof Carried): number => rounded(median(runs.map((run) => run[name])));
  return {
    megabytesPerSecond: of("megabytesPerSecond"),
    megabytesPerCpuSecond: of("megabytesPerCpuSecond"),
    answersPerSecond: of("answersPerSecond"),
    p99Ms: of("p99Ms"),
  };
}

/** What the leader would have made: the registration, the certificate, and two endpoints. */
async function installed(
  connection: Connection,
  far: Far,
  { cert, key }: { readonly cert: string; readonly key: string },
  signal: AbortSignal,
): Promise<void> {
  const { namespace } = release;
  const write = writer(connection, afterUninstall(signal));
  await installCrds(connection);
  await anInstall(connection, release, signal);
  const binding = { endpointSelectors: ["true"], tlsSecretName: BINDING_SECRET };
  const metadata = { name: release.name, namespace };
  const operator = aKubernetesOperator({ metadata, spec: { enabledFeatures: ["bindings"], binding } });
  await write.create(KubernetesOperator, operator, signal);
  const status = { bindingsIngressEndpoint: far.ingress };
  await applyStatus(connection, KubernetesOperator, metadata, status, "bench", signal);
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const data = { "tls.crt": base64(cert), "tls.key": base64(key) };
  const secret = { metadata: { name: BINDING_SECRET, namespace }, type: "kubernetes.io/tls", data };
  await write.create(Secret, secret, signal);
  for (const [name, port] of Object.entries(PORTS)) {
    const spec = { endpointURL: `tcp://${name}.bench:1`, port, scheme: "tcp" as const };
    await write.create(BoundEndpoint, aBoundEndpoint({ metadata: { name, namespace }, spec }), signal);
  }
}

async function startForwarder(ground: Ground, program: BundledProgram, far: Far): Promise<ChildProcess> {
  const ca = join(dirname(program.path), "ingress-ca.crt");
  await writeFile(ca, far.ca);
  const flags = [
    `--release-name=${release.name}`,
    `--fullname=${release.fullname}`,
    "--termination-grace-seconds=0",
    "--health-probe-bind-address=0",
    "--metrics-bind-address=0",
  ];
  const { folder, env } = await podLogin(ground, dirname(program.path));
  const line = asPod(folder, [process.execPath, ...program.flags, program.path, ...flags]);
  const [command, ...args] = ground.inside(line);
  const child = spawn(command, args, {
    env: {
      PATH: process.env["PATH"],
      ...program.env,
      ...env,
      NODE_EXTRA_CA_CERTS: ca,
      POD_NAMESPACE: release.namespace,
      POD_NAME: "forwarder-bench",
    },
    stdio: ["pipe", "ignore", "inherit"],
  });
  const until = clock.now() + 20_000;
  for (const port of Object.values(PORTS)) {
    while (!(await isOpen(port))) {
      if (clock.now() > until || child.exitCode !== null) throw new Error(`the forwarder does not listen at ${port}`);
      await clock.sleep(100);
    }
  }
  return child;
}

/** A ServiceAccount's token as a kubelet would lay it down: with a kubeconfig a program loads what no pod ever does. */
async function podLogin({ kubectl, kubeconfig }: Ground, top: string) {
  const { namespace } = release;
  await kubectl.run(["create", "serviceaccount", "forwarder", "-n", namespace]);
  const account = `--serviceaccount=${namespace}:forwarder`;
  await kubectl.run(["create", "clusterrolebinding", "bench-forwarder", "--clusterrole=cluster-admin", account]);
  const { cluster } = (parse(await readFile(kubeconfig, "utf8")) as Kubeconfig).clusters[0];
  const { hostname, port } = new URL(cluster.server);
  const folder = join(top, "serviceaccount");
  await mkdir(folder);
  await writeFile(join(folder, "token"), await kubectl.run(["create", "token", "forwarder", "-n", namespace]));
  await writeFile(join(folder, "ca.crt"), Buffer.from(cluster["certificate-authority-data"], "base64"));
  await writeFile(join(folder, "namespace"), namespace);
  return { folder, env: { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port } };
}

interface Kubeconfig {
  readonly clusters: readonly [
    { readonly cluster: { readonly server: string; readonly "certificate-authority-data": string } },
  ];
}

/** Where the token is looked for stands below /run, which is the process's own then; that needs no root. */
function asPod(folder: string, line: readonly string[]): readonly string[] {
  const place = "/run/secrets/kubernetes.io/serviceaccount";
  const script = `mount -t tmpfs tmpfs /run && mkdir -p ${place} && cp "$0"/* ${place} && exec "$@"`;
  return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, folder, ...line];
}
