// The agent as the process that it is in its pod: what the kubelet hears of it, and how it goes.
import type { ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { anAgentEndpoint } from "#test/support/builders.ts";
import { connectProxy } from "#test/support/connect-proxy.ts";
import { freePort } from "#test/support/forwarding.ts";
import { underLoad } from "#test/support/load.ts";
import { seen } from "#test/support/manager-process.ts";
import { type NgrokEdge, startNgrokEdge } from "#test/support/ngrok-edge/edge.ts";
import { httpUpstream } from "#test/support/ngrok-edge/upstreams.ts";
import { visit } from "#test/support/ngrok-edge/visitors.ts";
import { startOwnProgram } from "#test/support/own-program.ts";
import { startWorld, type World } from "#test/support/world.ts";

interface AgentProcess extends AsyncDisposable {
  readonly child: ChildProcess;
  /** Its folder of authorities. */
  readonly authorities: string;
  log(): string;
  readonly ended: Promise<number | null>;
  /** Status and text of a probe; 0 while nobody listens. */
  probe(path: "/healthz" | "/readyz"): Promise<{ readonly status: number; readonly text: string }>;
  ready(): Promise<void>;
  /** What Prometheus reads. */
  metrics(): Promise<string>;
}

async function anAgent(
  world: World,
  edge: Pick<NgrokEdge, "serverAddr" | "ca">,
  pod: string,
  env: Readonly<Record<string, string>> = {},
): Promise<AgentProcess> {
  const folder = await mkdtemp(join(tmpdir(), "agent-"));
  await writeFile(join(folder, "ca.crt"), edge.ca);
  const port = await freePort();
  const metricsPort = await freePort();
  const flags = [
    `--release-name=${world.release.name}`,
    `--fullname=${world.release.fullname}`,
    `--watch-namespace=${world.namespace}`,
    `--server-addr=${edge.serverAddr}`,
    `--health-probe-bind-address=127.0.0.1:${port}`,
    `--metrics-bind-address=127.0.0.1:${metricsPort}`,
  ];
  const child = startOwnProgram("operator/managers/agent-manager/main.ts", flags, {
    PATH: process.env["PATH"],
    KUBECONFIG: inject("kubeconfig"),
    POD_NAMESPACE: world.namespace,
    POD_NAME: pod,
    NGROK_AUTHTOKEN: "an-authtoken",
    NGROK_EXTRA_CA_DIR: folder,
    ...env,
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const probe: AgentProcess["probe"] = async (path) => {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: answer.status, text: await answer.text() };
    } catch {
      return { status: 0, text: "" };
    }
  };
  return {
    child,
    authorities: folder,
    log: () => log,
    ended,
    probe,
    metrics: async () => await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text(),
    ready: async () =>
      await seen(
        () => `${pod} is ready; it said: ${log}`,
        async () => (await probe("/readyz")).status === 200,
      ),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true });
    },
  };
}

const endpoint = (upstream: string) =>
  anAgentEndpoint({ metadata: { name: "web" }, spec: { url: "https://web.test", upstream: { url: upstream } } });

test("one pod after the other takes over under load, and no request fails", async () => {
  await using world = await startWorld({ controllers: [], start: false });
  await using edge = await startNgrokEdge();
  await using upstream = await httpUpstream();
  await using first = await anAgent(world, edge, "agent-1");
  await world.create(AgentEndpoint, endpoint(upstream.url));
  await first.ready();
  await edge.journal.until("the first serves", () => edge.endpoints().length === 1);

  await using load = underLoad(edge, "web.test", 50);
  await load.requests(500);
  await using second = await anAgent(world, edge, "agent-2");
  await second.ready();
  // Ready means that it serves: the first may go now.
  expect(edge.endpoints()).toHaveLength(2);
  first.child.kill("SIGTERM");
  expect(await first.ended).toBe(0);
  await load.requests(500);
  const { failures, ok } = await load.stop();
  expect(failures).toEqual([]);
  expect(ok).toBeGreaterThan(1_000);
  expect(edge.endpoints()).toHaveLength(1);
});

test("an agent without a token or a folder of authorities, or with a wrong token, runs and says what to do, and never the token", async () => {
  await using world = await startWorld({ controllers: [], start: false });
  await using edge = await startNgrokEdge({ authtokens: ["right"] });
  const nothing = { NGROK_AUTHTOKEN: "", NGROK_EXTRA_CA_DIR: "/no/such/folder" };
  await using without = await anAgent(world, edge, "agent-1", nothing);
  await using wrong = await anAgent(world, edge, "agent-2", { NGROK_AUTHTOKEN: "wrong-secret" });
  const says = async (agent: AgentProcess, what: string) =>
    await seen(
      () => `it says ${what}; it said: ${agent.log()}`,
      async () => (await agent.probe("/readyz")).text.includes(what),
    );
  await says(without, "credentials Secret under AUTHTOKEN");
  await says(without, `kubectl -n ${world.namespace} rollout restart deployment`);
  await says(wrong, "ERR_NGROK_107");
  expect((await wrong.probe("/healthz")).status).toBe(200);
  expect(await wrong.metrics()).toContain("ngrok_operator_agent_session 0");
  expect(wrong.log()).not.toContain("wrong-secret");
});

test("an agent that finds no certificate in a file of authorities ends, and names the file and what to do", async () => {
  await using world = await startWorld({ controllers: [], start: false });
  await using edge = await startNgrokEdge();
  await using agent = await anAgent(world, { ...edge, ca: "no certificate" }, "agent-1");
  expect(await agent.ended).not.toBe(0);
  expect(agent.log()).toMatch(/ca\.crt is no PEM certificate.*put the authority's certificate there/s);
});

test("an agent that cannot read the folder of authorities ends, and names it and what to do", async () => {
  await using world = await startWorld({ controllers: [], start: false });
  await using edge = await startNgrokEdge();
  // Root reads everything, but lists no file.
  await using agent = await anAgent(world, edge, "agent-1", { NGROK_EXTRA_CA_DIR: import.meta.filename });
  expect(await agent.ended).not.toBe(0);
  expect(agent.log()).toMatch(/the authorities in \S+ cannot be read: ENOTDIR.*: let the pod's user read/);
});

test("an agent whose authorities change says so, and goes on with those before unless it is told to start anew", async () => {
  await using world = await startWorld({ controllers: [], start: false });
  await using edge = await startNgrokEdge();
  await using stays = await anAgent(world, edge, "agent-1");
  await using goes = await anAgent(world, edge, "agent-2", { NGROK_OPERATOR_RESTART_ON_CERT_CHANGE: "true" });
  for (const agent of [stays, goes]) {
    await agent.ready();
    await writeFile(join(agent.authorities, "next.crt"), edge.ca);
  }
  expect(await goes.ended).toBe(0);
  await seen(
    () => `it says so; it said: ${stays.log()}`,
    () => Promise.resolve(/the authorities have changed/.test(stays.log())),
  );
  expect(stays.log()).toContain(`kubectl -n ${world.namespace} rollout restart deployment`);
  expect((await stays.probe("/readyz")).status).toBe(200);
});

test("an agent that loses its session is alive and not ready, says why, and is ready again when it serves again", async () => {
  await using world = await startWorld({ controllers: [], start: false });
  await using edge = await startNgrokEdge();
  await using upstream = await httpUpstream();
  await using agent = await anAgent(world, edge, "agent-1");
  await world.create(AgentEndpoint, endpoint(upstream.url));
  await agent.ready();
  await edge.goDown();
  await seen(
    () => `it is not ready; it said: ${agent.log()}`,
    async () => (await agent.probe("/readyz")).text.includes("ngrok's edge is not reached: check serverAddr"),
  );
  expect((await agent.probe("/readyz")).status).toBe(503);
  expect((await agent.probe("/healthz")).status).toBe(200);
  await edge.comeBack();
  await agent.ready();
  expect((await visit(edge, "web.test")).status).toBe(200);
});

test("an agent that ngrok has told to restart is not alive any more", async () => {
  await using world = await startWorld({ controllers: [], start: false });
  await using edge = await startNgrokEdge();
  await using agent = await anAgent(world, edge, "agent-1");
  await agent.ready();
  expect(await agent.metrics()).toContain("ngrok_operator_agent_session 1");
  await edge.sessions()[0]?.restart();
  await seen(
    () => `it is not alive: ${agent.log()}`,
    async () => (await agent.probe("/healthz")).status === 503,
  );
  expect((await agent.probe("/healthz")).text).toContain("restart");
});

test("an agent behind a proxy reaches ngrok through it and the API server without, and says what the proxy says", async () => {
  await using world = await startWorld({ controllers: [], start: false });
  await using edge = await startNgrokEdge();
  await using upstream = await httpUpstream();
  await using proxy = await connectProxy({ login: "agent:hunter2" });
  await using agent = await anAgent(world, edge, "agent-1", { HTTPS_PROXY: proxy.url });
  await using stranger = await anAgent(world, edge, "agent-2", { HTTPS_PROXY: proxy.url.replace("agent:", "other:") });
  await world.create(AgentEndpoint, endpoint(upstream.url));
  await agent.ready();
  expect((await visit(edge, "web.test")).status).toBe(200);
  expect(new Set(proxy.opened)).toEqual(new Set([edge.serverAddr]));
  await seen(
    () => `it says what to do; it said: ${stranger.log()}`,
    async () => (await stranger.probe("/readyz")).text.includes("extraEnv.HTTPS_PROXY"),
  );
  const told = JSON.stringify(await world.get(AgentEndpoint, "web"));
  expect(stranger.log() + agent.log() + told).not.toContain("hunter2");
});
