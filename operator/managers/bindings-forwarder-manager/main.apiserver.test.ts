// The bindings-forwarder-manager as the process that it is in a pod: with the rights of the chart and no other, trusting
// ngrok by NODE_EXTRA_CA_CERTS or a folder of authorities, through a drain and to its end.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { BINDING_SECRET, KubernetesOperator } from "#api/kubernetes-operator.ts";
import { ConfigMap, Pod, Secret } from "#kube/kinds.ts";
import { applyStatus } from "#kube/status.ts";
import { keyAndRequest } from "#ngrok/csr.ts";
import { aBoundEndpoint, aKubernetesOperator } from "#test/support/builders.ts";
import { connectProxy } from "#test/support/connect-proxy.ts";
import { come, endOf, exchange, freePort, isOpen } from "#test/support/forwarding.ts";
import { at, type HookRig, hookRig } from "#test/support/hook-rig.ts";
import { createAuthority } from "#test/support/ngrok-api/certificates.ts";
import { type NgrokBindings, startNgrokBindings } from "#test/support/ngrok-bindings/ingress.ts";
import { tcpEcho, type Upstream } from "#test/support/ngrok-edge/upstreams.ts";
import { startOwnProgram } from "#test/support/own-program.ts";

const MAIN = new URL("main.ts", import.meta.url).pathname;
const VALUES = { "bindings.enabled": "true" };
const TEMPLATES = ["bindings-forwarder/serviceaccount", "rbac/bindings-forwarder-manager"];
const { signal } = new AbortController();

let rig: HookRig;
let echo: Upstream;
let ingress: NgrokBindings;
let kubeconfig: string;
let ca: string;

beforeAll(async () => {
  const authority = await createAuthority(90);
  [rig, echo] = await Promise.all([hookRig(), tcpEcho()]);
  ingress = await startNgrokBindings({ clientCa: authority.certificate, endpoints: { "web.shop:80": echo } });
  kubeconfig = await rig.login(TEMPLATES, VALUES);
  ca = join(rig.folder, "ingress-ca.crt");
  await writeFile(ca, ingress.ca);
  const binding = { endpointSelectors: ["true"], tlsSecretName: BINDING_SECRET };
  await rig.write.create(
    KubernetesOperator,
    aKubernetesOperator({ metadata: at("ngrok"), spec: { enabledFeatures: ["bindings"], binding } }),
    signal,
  );
  const status = { bindingsIngressEndpoint: ingress.address };
  await applyStatus(rig.connection, KubernetesOperator, at("ngrok"), status, "test", signal);
  const { key, csr } = await keyAndRequest();
  const { pem } = await authority.issue(csr);
  const data = { "tls.crt": Buffer.from(pem).toString("base64"), "tls.key": Buffer.from(key).toString("base64") };
  await rig.write.create(Secret, { metadata: at(BINDING_SECRET), type: "kubernetes.io/tls", data }, signal);
  await rig.write.create(ConfigMap, { metadata: at("ngrok-operator-drain-state") }, signal);
});

afterAll(async () => {
  await ingress.close();
  await echo[Symbol.asyncDispose]();
  await rig[Symbol.asyncDispose]();
});

interface Program extends AsyncDisposable {
  readonly child: ChildProcess;
  output(): string;
  ended(): Promise<number | null>;
  ready(): Promise<string>;
}

async function start(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Program> {
  const health = await freePort();
  const flags = ["--release-name=ngrok", "--fullname=ngrok-operator", "--metrics-bind-address=0"];
  const bind = `--health-probe-bind-address=127.0.0.1:${health}`;
  const child = startOwnProgram(MAIN, [...flags, bind, "--zap-log-level=debug", ...args], {
    PATH: process.env["PATH"],
    KUBECONFIG: kubeconfig,
    POD_NAMESPACE: "ops",
    POD_NAME: "forwarder-1",
    NODE_EXTRA_CA_CERTS: ca,
    ...env,
  });
  // Not its exit: what it has said last may still be on the way then.
  const ended = once(child, "close").then(([code]) => code as number | null);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return {
    child,
    output: () => output,
    ended: async () => await ended,
    ready: async () =>
      await fetch(`http://127.0.0.1:${health}/readyz`).then(
        async (answer) => `${answer.status} ${await answer.text()}`,
        () => "no answer",
      ),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

/** A ready pod opens its listeners a moment later. */
async function listens(name: string): Promise<void> {
  await expect
    .poll(async () => (await rig.read.get(BoundEndpoint, at(name), signal))?.status?.replicas)
    .toEqual([{ pod: "forwarder-1", observedGeneration: 1, reason: "Listening" }]);
}

async function mark(data: Record<string, string>): Promise<void> {
  await rig.connection.request({
    method: "PATCH",
    path: "/api/v1/namespaces/ops/configmaps/ngrok-operator-drain-state",
    body: { data },
    contentType: "application/merge-patch+json",
    signal,
  });
}

test.for([
  ["no namespace", [], { POD_NAMESPACE: "" }, "POD_NAMESPACE environment variable should be set, but was not"],
  ["an unknown flag", ["--nmae=x"], {}, "Unknown option '--nmae'"],
  ["a grace that is no time", ["--termination-grace-seconds=long"], {}, "write whole seconds"],
  ["a kubeconfig that is not there", [], { KUBECONFIG: "/nowhere/kubeconfig" }, "/nowhere/kubeconfig"],
] as const)("%s is one line with the remedy, and exit code 1", async ([, args, env, said], { expect }) => {
  await using program = await start(args, env);
  expect(await program.ended()).toBe(1);
  expect(program.output()).toContain(said);
  expect(program.output().trim().split("\n").length).toBeLessThan(3);
});

test("behind a proxy it reaches ngrok through it, and the API server without", async () => {
  await using proxy = await connectProxy({ login: "forwarder:hunter2" });
  const port = await freePort();
  const spec = { endpointURL: "http://web.shop:80", port };
  await rig.write.create(BoundEndpoint, aBoundEndpoint({ metadata: at("proxied"), spec }), signal);
  await using program = await start([], { HTTPS_PROXY: proxy.url });
  await listens("proxied");
  expect(String(await exchange(port, "x"))).toBe("x");
  expect(new Set(proxy.opened)).toEqual(new Set([ingress.address]));
  expect(program.output()).not.toContain("hunter2");
});

test("it trusts ngrok by a folder of authorities alone, and ends with 0, to start anew, when they change and it is told to", async () => {
  const folder = join(rig.folder, "authorities");
  await mkdir(folder);
  await writeFile(join(folder, "ngrok.crt"), ingress.ca);
  const port = await freePort();
  const spec = { endpointURL: "http://web.shop:80", port };
  await rig.write.create(BoundEndpoint, aBoundEndpoint({ metadata: at("trusting"), spec }), signal);
  await using program = await start([], {
    NODE_EXTRA_CA_CERTS: "",
    NGROK_EXTRA_CA_DIR: folder,
    NGROK_OPERATOR_RESTART_ON_CERT_CHANGE: "true",
  });
  await listens("trusting");
  expect(String(await exchange(port, "x"))).toBe("x");
  await writeFile(join(folder, "next.crt"), (await createAuthority(90)).certificate);
  expect(await program.ended()).toBe(0);
  expect(program.output()).toMatch(/the authorities have changed.*takes no new connections.*stopped/s);
});

test("with the chart's rights alone it serves, through a drain as well, and lets connections end when it is stopped", async () => {
  await using program = await start(["--termination-grace-seconds=30"]);
  const pod = { containers: [{ name: "c", image: "none" }], automountServiceAccountToken: false } as object;
  await rig.write.create(Pod, { metadata: { name: "client", namespace: "shop" }, spec: pod }, signal);
  const ips = { phase: "Running", podIP: "127.0.0.99", podIPs: [{ ip: "127.0.0.99" }] };
  await applyStatus(rig.connection, Pod, { name: "client", namespace: "shop" }, ips, "test", signal);
  const port = await freePort();
  const spec = { endpointURL: "http://web.shop:80", port };
  await rig.write.create(BoundEndpoint, aBoundEndpoint({ metadata: at("web"), spec }), signal);
  await expect.poll(async () => (await program.ready()).slice(0, 3)).toBe("200");
  await listens("web");

  /** Of the pod, which it hears of by a watch of its own. */
  const asked = async (): Promise<Socket> => {
    const socket = await come(port, "127.0.0.1", "127.0.0.99");
    socket.write("a");
    await once(socket, "data");
    return socket;
  };
  let held = await asked();
  await expect
    .poll(async () => {
      held.destroy();
      await ingress.journal.until("it ends", () => ingress.connections().length === 0);
      held = await asked();
      return ingress.connections()[0]?.request.pod;
    })
    .toMatchObject({ name: "client", namespace: "shop" });

  await mark({ phase: "Draining", policy: "Retain", driver: "hook", by: "pod/hook/1", since: "2026-01-01T00:00:00Z" });
  await expect.poll(() => program.output()).toContain("closed: nothing is written");
  expect(String(await exchange(port, "b"))).toBe("b");
  expect(await program.ready()).toMatch(/^200/);

  program.child.kill("SIGTERM");
  await expect.poll(async () => (await program.ready()).slice(0, 3)).toBe("503");
  // Until Services have heard of it, for which they have three seconds, new connections still come.
  const isOver = (): boolean => program.output().includes("takes no new connections");
  const echo = await exchange(port, "c").catch((error: unknown) => (isOver() ? "c" : error));
  expect(String(echo)).toBe("c");
  await expect.poll(async () => await isOpen(port)).toBe(false);
  held.end("d");
  expect(String((await once(held, "data"))[0])).toBe("d");
  expect(await endOf(held)).toBe("end");
  expect(await program.ended()).toBe(0);
  expect(program.output()).not.toMatch(/is forbidden|cannot (list|watch)|PRIVATE KEY/i);
});
