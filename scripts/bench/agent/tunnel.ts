// `bench tunnel`: what visitors get through the agent's program, against the same upstream reached directly, and against the
// SDK used bare through the same edge, all in turns.
import { join } from "node:path";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { writer } from "#kube/writer.ts";
import { anAgentEndpoint } from "#test/support/builders.ts";
import { installCrds } from "#test/support/crds.ts";
import { startSdk } from "#test/support/ngrok-edge/agent/agent.ts";
import { afterUninstall } from "#wire/fence.ts";
import { median, percentile, perSecond, rounded } from "../arithmetic.ts";
import { beside } from "../child.ts";
import { anInstall, type Ground, RELEASE } from "../ground.ts";
import { loadOf, type Machine } from "../machine.ts";
import type { Say } from "../say.ts";
import type { Far } from "./far.ts";
import { ask, type Asked } from "./load.ts";
import { type AgentOptions, type AgentProcess, startAgent } from "./process.ts";

export interface TunnelOptions extends AgentOptions {
  /** How often each is measured, in turns. */
  readonly rounds: number;
  readonly signal: AbortSignal;
}

/** One way to the upstream. */
export interface Carried {
  /** The middle of the rounds. */
  readonly requestsPerSecond: number;
  /** Of the requests of all rounds: in one round it hangs on two or three pauses of whoever answers. */
  readonly p99Ms: number;
}

export interface TunnelResult {
  readonly bench: "tunnel";
  readonly timed: string;
  readonly agent: Carried;
  readonly sdk: Carried;
  readonly direct: Carried;
  /** The agent's shares of the bare SDK's, above 1 where it is better. */
  readonly ofSdk: { readonly requests: number; readonly p99: number };
  readonly ofDirect: { readonly requests: number; readonly p99: number };
  /** Milliseconds of the agent's processor for a thousand requests. */
  readonly agentCpuMs: number;
  readonly agentMB: number;
  readonly machine: Machine;
}

const TIMED =
  "50 visitors, each on a connection of its own that is used again, ask 200 times for 1 KiB over HTTP/1.1; edge and upstream " +
  "are one process, which is the narrowest part of the way";
const VISITORS = 50;
const ASKED = 200;
const HOST = "web.bench.test";
const BARE = "bare.bench.test";

export async function benchTunnel(ground: Ground, options: TunnelOptions, say: Say): Promise<TunnelResult> {
  const { rounds, signal } = options;
  const machine = loadOf();
  await using connection = await ground.connect();
  await using world = await beside<Far>(join(import.meta.dirname, "far.ts"));
  const far = world.said;
  const to = `http://127.0.0.1:${far.upstream}`;
  await using sdk = startSdk();
  await (await sdk.connect(far)).bind({ to, calls: [["domain", BARE]] });
  await installCrds(connection);
  await anInstall(connection, RELEASE, signal);
  const metadata = { name: "web", namespace: RELEASE.namespace };
  const endpoint = anAgentEndpoint({ metadata, spec: { url: `https://${HOST}`, upstream: { url: to } } });
  await writer(connection, afterUninstall(signal)).create(AgentEndpoint, endpoint, signal);
  await using agent = await say.step("the agent serves", async () => await startAgent(ground, RELEASE, far, options));
  const ways = { direct: [far.upstream, HOST], sdk: [far.visitors, BARE], agent: [far.visitors, HOST] } as const;
  const runs = { direct: [] as Asked[], sdk: [] as Asked[], agent: [] as Asked[] };
  const cpu: number[] = [];
  // The first turn is everybody's warm-up.
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of turnOf(round)) {
      signal.throwIfAborted();
      const [port, host] = ways[name];
      const took = await say.step(`round ${round}: ${name}`, async () => await carried(port, host, agent));
      if (round === 0) continue;
      runs[name].push(took.asked);
      if (name === "agent") cpu.push(took.cpuMs);
    }
  }
  const [ours, bare, direct] = [whole(runs.agent), whole(runs.sdk), whole(runs.direct)];
  return {
    bench: "tunnel",
    timed: TIMED,
    agent: ours,
    sdk: bare,
    direct,
    ofSdk: sharesOf(ours, bare),
    ofDirect: sharesOf(ours, direct),
    agentCpuMs: rounded(median(cpu)),
    agentMB: rounded((await agent.memory()).residentMB),
    machine,
  };
}

/** Who comes first has what the others left in caches and queues. */
function turnOf(round: number): readonly ("direct" | "sdk" | "agent")[] {
  return round % 2 === 0 ? ["direct", "sdk", "agent"] : ["direct", "agent", "sdk"];
}

async function carried(
  port: number,
  host: string,
  agent: AgentProcess,
): Promise<{ readonly asked: Asked; readonly cpuMs: number }> {
  const before = await agent.cpuSeconds();
  const asked = await ask(port, host, VISITORS, ASKED);
  const cpuMs = (((await agent.cpuSeconds()) - before) * 1e6) / asked.times.length;
  return { asked, cpuMs };
}

function whole(runs: readonly Asked[]): Carried {
  return {
    requestsPerSecond: rounded(median(runs.map(({ times, seconds }) => perSecond(times.length, seconds)))),
    p99Ms: rounded(
      percentile(
        runs.flatMap(({ times }) => times),
        0.99,
      ),
    ),
  };
}

function sharesOf(ours: Carried, theirs: Carried): { readonly requests: number; readonly p99: number } {
  return {
    requests: rounded(ours.requestsPerSecond / theirs.requestsPerSecond),
    p99: rounded(theirs.p99Ms / ours.p99Ms),
  };
}
