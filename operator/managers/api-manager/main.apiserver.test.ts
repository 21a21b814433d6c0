// The api-manager as the process that it is in a pod: what it says when it is started wrongly, what its probes and metrics
// answer, and how it ends.
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { inject } from "vitest";
import { expect, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { findCondition } from "#api/conditions.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { connect } from "#kube/connection.ts";
import { Lease } from "#kube/kinds.ts";
import { ownControlPlane } from "#test/support/apiserver.ts";
import { aCloudEndpoint } from "#test/support/builders.ts";
import { installCrds } from "#test/support/crds.ts";
import { freePort } from "#test/support/forwarding.ts";
import { startNgrokApi } from "#test/support/ngrok-api/server.ts";
import { startOwnProgram } from "#test/support/own-program.ts";
import { patient } from "#test/support/patient.ts";
import { isReady, startWorld, type World } from "#test/support/world.ts";

const MAIN = new URL("main.ts", import.meta.url).pathname;

interface Program extends AsyncDisposable {
  readonly child: ChildProcess;
  output(): string;
  /** The exit code, once it has ended. */
  ended(): Promise<number | null>;
  /** `GET` of a probe or of the metrics. */
  get(port: "health" | "metrics", path: string): Promise<{ status: number; text: string }>;
}

async function start(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Program> {
  const at = { health: await freePort(), metrics: await freePort() };
  const bind = [`--health-probe-bind-address=127.0.0.1:${at.health}`, `--metrics-bind-address=127.0.0.1:${at.metrics}`];
  const child = startOwnProgram(MAIN, [...bind, ...args], { PATH: process.env["PATH"], ...env });
  // Not its exit: what it has said last may still be on the way then.
  const ended = once(child, "close").then(([code]) => code as number | null);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return {
    child,
    output: () => output,
    ended: async () => await ended,
    async get(port, path) {
      const answer = await fetch(`http://127.0.0.1:${at[port]}${path}`);
      return { status: answer.status, text: await answer.text() };
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

async function startIn(
  world: World,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Program> {
  const { name, namespace, fullname } = world.release;
  const flags = [
    `--release-name=${name}`,
    `--fullname=${fullname}`,
    `--ingress-watch-namespace=${namespace}`,
    `--api-url=${world.api.url}`,
  ];
  return await start([...flags, ...args], {
    KUBECONFIG: inject("kubeconfig"),
    POD_NAMESPACE: namespace,
    POD_NAME: "manager-1",
    POD_UID: "1",
    NGROK_API_KEY: "2abcSECRET",
    ...env,
  });
}

test.for([
  ["no namespace", [], { POD_NAMESPACE: "" }, "POD_NAMESPACE environment variable should be set, but was not"],
  ["an unknown flag", ["--nmae=x"], {}, "Unknown option '--nmae'"],
  ["an unknown policy", ["--drain-policy=Purge"], {}, "--drain-policy=Purge: it is neither Retain nor Delete"],
  ["an empty Lease name", ["--election-id="], {}, "--election-id=: it is empty"],
  ["a kubeconfig that is not there", [], { KUBECONFIG: "/nowhere/kubeconfig" }, "/nowhere/kubeconfig"],
] as const)("%s is one line with the remedy, and exit code 1", async ([, args, env, said], { expect }) => {
  await using program = await start(args, { POD_NAMESPACE: "ops", ...env });
  expect(await program.ended()).toBe(1);
  expect(program.output()).toContain(said);
  expect(program.output().trim().split("\n")).toHaveLength(1);
});

test("it works, says so in its probes, counts under the names that people know, and ends in peace", async () => {
  await using world = await startWorld({ controllers: [], start: false });
  await using program = await startIn(world);
  await world.create(CloudEndpoint, aCloudEndpoint({ spec: { url: "https://web.internal" } }));
  await world.until(CloudEndpoint, "web", isReady);
  await world.until(KubernetesOperator, "ngrok", isReady);

  expect(await program.get("health", "/healthz")).toEqual({ status: 200, text: "[+] loops\n" });
  await expect
    .poll(async () => await program.get("health", "/readyz"))
    .toEqual({
      status: 200,
      text: "[+] loops\n[+] caches\n[+] drain state\n[+] ngrok API key\n",
    });
  await expect
    .poll(async () => (await program.get("metrics", "/metrics")).text)
    .toContain('ngrok_operator_uninstall_ready{reason="NothingInTheWay"} 1');
  const { text } = await program.get("metrics", "/metrics");
  for (const line of [
    'controller_runtime_reconcile_total{controller="cloud-endpoint",result="success"}',
    'workqueue_adds_total{name="cloud-endpoint"}',
    'leader_election_master_status{name="ngrok-operator-leader"} 1',
    'ngrok_operator_drain_phase{phase="Open"} 1',
    'rest_client_requests_total{code="201",method="POST"',
  ]) {
    expect(text).toContain(line);
  }

  program.child.kill("SIGTERM");
  expect(await program.ended()).toBe(0);
  expect((await world.get(Lease, "ngrok-operator-leader"))?.spec?.holderIdentity).toBe("");
  expect(program.output()).not.toContain("SECRET");
});

test("an ngrok that cannot be reached is not ready with the reason, and no reason to end", async () => {
  await using world = await startWorld({ controllers: [], start: false });
  await using program = await startIn(world, ["--api-url=http://127.0.0.1:9"]);
  const registered = (operator: KubernetesOperator) => findCondition(operator.status?.conditions, "Registered");
  const told = await world.until(KubernetesOperator, "ngrok", (one) => registered(one) !== undefined);
  expect(registered(told)?.reason).toBe("RegistrationFailed");
  const readiness = async (): Promise<string> => (await program.get("health", "/readyz")).text;
  await expect.poll(readiness).toMatch(/\[-\] ngrok API key: .*127\.0\.0\.1:9/);
  expect((await program.get("health", "/readyz")).status).toBe(503);
  expect(program.child.exitCode).toBeNull();
});

test("CRDs that are missing at the start are said, and picked up when they come", async () => {
  await using plane = await ownControlPlane();
  await using api = await startNgrokApi();
  await using connection = patient(await connect({ kubeconfig: plane.kubeconfig }));
  const signal = AbortSignal.timeout(50_000);
  await connection.request({ method: "POST", path: "/api/v1/namespaces", body: { metadata: { name: "ops" } }, signal });
  const state = { metadata: { name: "ngrok-drain-state" } };
  await connection.request({ method: "POST", path: "/api/v1/namespaces/ops/configmaps", body: state, signal });
  await using program = await start(["--release-name=ngrok", `--api-url=${api.url}`], {
    KUBECONFIG: plane.kubeconfig,
    POD_NAMESPACE: "ops",
    NGROK_API_KEY: "key",
  });
  await expect.poll(() => program.output()).toContain("the server does not serve this kind");

  await installCrds(connection);

  await expect.poll(() => api.objects("kubernetes_operators").length, { timeout: 180_000, interval: 200 }).toBe(1);
});
