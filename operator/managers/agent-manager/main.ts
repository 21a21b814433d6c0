// The program of the agent-manager: the process's environment, arguments and signals, handed to the runtime.
import process from "node:process";
import { type Release, restartCommand } from "#api/release.ts";
import { VERSION } from "#api/version.ts";
import { USER_AGENT } from "#kube/written.ts";
import { agentConnect } from "#ngrok/agent.ts";
import { Agent } from "#ngrok/agent-keep.ts";
import type { AgentState } from "#ngrok/agent-port.ts";
import { KnownError } from "#wire/errors.ts";
import { proxyFrom } from "#wire/proxy-from.ts";
import { tunnelController } from "../../controllers/tunnel/controller.ts";
import { Tunnels } from "../../controllers/tunnel/tunnels.ts";
import { withHands } from "../../runtime/define-replica.ts";
import type { FlagValues } from "../../runtime/flags.ts";
import type { Check } from "../../runtime/health.ts";
import { type Opened, replicaProgram, type Work } from "../../runtime/replica-program.ts";
import { agentManager } from "./manager.ts";

/** Of the pod's grace, what is left for the process to end. */
const SPARE_MS = 2_000;

const stop = new AbortController();
for (const name of ["SIGTERM", "SIGINT"] as const)
  process.once(name, () => stop.abort(new Error(`${name} was received`)));
process.exitCode = await replicaProgram(
  { manager: agentManager, secrets: ["NGROK_AUTHTOKEN"], open },
  { argv: process.argv.slice(2), env: process.env, out: process.stdout, err: process.stderr, signal: stop.signal },
);
// The SDK's connection would keep nothing alive, but its threads must not outlive what was asked of them.
process.exit();

function open({ flags, release, clock, log, signal, graceMs, metrics, extraRoots }: Opened): Work {
  const authtoken = process.env["NGROK_AUTHTOKEN"] ?? "";
  const connect = agentConnect({
    authtoken,
    serverAddr: flags["server-addr"] ?? "",
    roots: flags["root-cas"] === "host" ? "host" : "trusted",
    extraRoots,
    proxy: proxyFrom(process.env),
    client: { name: USER_AGENT, version: VERSION, comment: commentOf(flags) },
  });
  const agent = new Agent({
    // Without a token ngrok would say the same, in words for people at a keyboard.
    connect: authtoken === "" ? () => Promise.reject(noToken(release)) : connect,
    clock,
    service: apiServer(process.env),
    tell: ({ is, why }) => {
      const line = { state: is, ...(why === undefined ? {} : { why }) };
      if (is === "down" || is === "stopped") log.warn(line, "the session with ngrok");
      else log.info(line, "the session with ngrok");
    },
    trouble: (why) => log.warn({ why }, "an endpoint's visitors"),
  });
  metrics.session(() => agent.state.is === "up");
  const tunnels = new Tunnels(agent, clock);
  const running = agent.run(signal);
  // A call that was under way at SIGTERM has had its part of the grace when it is our turn to close.
  let toldAt = clock.now();
  signal.addEventListener("abort", () => (toldAt = clock.now()));
  return {
    works: [withHands(tunnelController, tunnels)],
    checks: {
      alive: [{ name: "ngrok agent", ask: () => agent.dead }],
      ready: [{ name: "ngrok session", ask: () => reasonOf(agent.state) }, openCheck(tunnels)],
    },
    async closing() {
      await agent.shutDown(Math.max(0, graceMs - SPARE_MS - (clock.now() - toldAt)));
      await running;
    },
  };
}

function noToken(release: Release): KnownError {
  const remedy = `put one into the credentials Secret under AUTHTOKEN, then start the pods anew: ${restartCommand(release)}`;
  return new KnownError("invalid", `no ngrok authtoken: ${remedy}`);
}

/** As its Service is told to each pod; undefined outside of a cluster. */
function apiServer({ KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port }: NodeJS.ProcessEnv) {
  return host === undefined || port === undefined ? undefined : { host, port: Number(port) };
}

/** A pod that takes another's place is ready when it serves what the other one has served. */
function openCheck(tunnels: Tunnels): Check {
  return {
    name: "endpoints",
    ask: () => (tunnels.waiting === 0 ? undefined : `${tunnels.waiting} wait for a session, or for their turn on it`),
  };
}

function reasonOf(state: AgentState): string | undefined {
  switch (state.is) {
    case "up":
      return undefined;
    case "connecting":
      return "the session is being connected";
    case "down":
    case "stopped":
      return state.why;
  }
}

/** What ngrok's dashboard shows of this client, as it always has. */
function commentOf(flags: FlagValues): string {
  return flags["enable-feature-gateway"] === "true" ? '{"gateway": "gateway-api"}' : "{}";
}
