// `bench agent-ready`: how fast N new AgentEndpoints become Ready under the api-manager and one agent, against the bare SDK,
// which opens as many at the same edge.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import type { Connection } from "#kube/connection.ts";
import { keyOf, refOf } from "#kube/kind.ts";
import { Namespace } from "#kube/kinds.ts";
import { listPath } from "#kube/paths.ts";
import { follow } from "#kube/watch.ts";
import { anAgentEndpoint } from "#test/support/builders.ts";
import { startSdk } from "#test/support/ngrok-edge/agent/agent.ts";
import { startNgrokEdge } from "#test/support/ngrok-edge/edge.ts";
import { create } from "#test/support/population.ts";
import { perSecond, ratio, rounded } from "../arithmetic.ts";
import { type Ground, RELEASE, standIn, withCrds } from "../ground.ts";
import { benchNamespaces, each } from "../herd.ts";
import { loadOf, type Machine } from "../machine.ts";
import { type OperatorOptions, withOperator } from "../operator.ts";
import type { Say } from "../say.ts";
import { type AgentOptions, type EdgeAddress, startAgent } from "./process.ts";

export interface AgentReadyResult {
  readonly bench: "agent-ready";
  readonly timed: string;
  readonly count: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** The bare SDK's seconds for as many, one after the other as it makes them anyway. */
  readonly sdkSeconds: number;
  readonly sdkPerSecond: number;
  /** Of the SDK's rate. */
  readonly ratio: number;
  readonly agentMB: number;
  readonly agentCpuSeconds: number;
  readonly apiManagerMB: number;
  readonly apiManagerCpuSeconds: number;
  readonly machine: Machine;
}

const TIMED =
  "from the first AgentEndpoint's creation, by 32 connections, to the event that shows the last one Ready; the SDK alone " +
  "from its first call to the last answer";

export interface AgentReadyOptions extends OperatorOptions, AgentOptions {
  readonly count: number;
}

export async function benchAgentReady(ground: Ground, options: AgentReadyOptions, say: Say): Promise<AgentReadyResult> {
  const { count, signal, agent: bundle } = options;
  await using connection = await ground.connect();
  await using ngrok = await standIn(ground);
  await using edge = await startNgrokEdge({ host: ground.hostIp });
  const machine = loadOf();
  const sdkSeconds = await say.step(`the bare SDK opens ${count}`, async () => await bareSdk(edge, count));
  const endpoints = crowdOf(count);
  const ours = await withCrds(
    ground,
    connection,
    async () =>
      await withOperator(ground, connection, ngrok, options, async ({ leader, signal }) => {
        // The profile, where one is wanted, is the api-manager's.
        await using agent = await startAgent(ground, RELEASE, edge, { agent: bundle });
        await each(benchNamespaces(NAMESPACES), async (name) => {
          await create(connection, listPath(Namespace, "v1", undefined), { metadata: { name } }, signal);
        });
        const used = [await agent.cpuSeconds(), await leader.cpuSeconds()] as const;
        const began = performance.now();
        await say.step(`${count} AgentEndpoints are Ready`, async () => {
          const all = allReady(connection, count, 60_000 + count * 200, signal);
          await Promise.all([each(endpoints, async (one) => await made(connection, one, signal)), all]);
        });
        return {
          seconds: (performance.now() - began) / 1000,
          agentMB: rounded((await agent.memory()).residentMB),
          agentCpuSeconds: rounded((await agent.cpuSeconds()) - used[0]),
          apiManagerMB: rounded((await leader.memory()).residentMB),
          apiManagerCpuSeconds: rounded((await leader.cpuSeconds()) - used[1]),
        };
      }),
  );
  signal.throwIfAborted();
  const [rate, raw] = [perSecond(count, ours.seconds), perSecond(count, sdkSeconds)];
  return {
    bench: "agent-ready",
    timed: TIMED,
    count,
    ...ours,
    seconds: rounded(ours.seconds),
    perSecond: rounded(rate),
    sdkSeconds: rounded(sdkSeconds),
    sdkPerSecond: rounded(raw),
    ratio: rounded(ratio(rate, raw)),
    machine,
  };
}

const NAMESPACES = 3;

/** As an Ingress makes them: each with a host of its own inside of ngrok. */
function crowdOf(count: number): AgentEndpoint[] {
  return Array.from({ length: count }, (_, at) =>
    anAgentEndpoint({
      metadata: { name: `web-${at}`, namespace: benchNamespaces(NAMESPACES)[at % NAMESPACES] ?? "" },
      spec: { url: `https://web-${at}.internal`, bindings: ["internal"], upstream: { url: "http://127.0.0.1:80" } },
    }),
  );
}

async function made(connection: Connection, endpoint: AgentEndpoint, signal: AbortSignal): Promise<void> {
  const { namespace } = endpoint.metadata;
  await create(connection, listPath(AgentEndpoint, AgentEndpoint.versions[0], namespace), endpoint, signal);
}

/** Rejects with how many are Ready when it takes too long. */
async function allReady(connection: Connection, count: number, withinMs: number, signal: AbortSignal): Promise<void> {
  const ready = new Set<string>();
  const over = new AbortController();
  const until = AbortSignal.any([over.signal, signal, AbortSignal.timeout(withinMs)]);
  const changed = (one: AgentEndpoint): void => {
    if (!one.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True")) return;
    ready.add(keyOf(refOf(one)));
    if (ready.size === count) over.abort();
  };
  await follow(connection, AgentEndpoint, {}, { changed, removed() {} }, until).catch(() => undefined);
  signal.throwIfAborted();
  if (!over.signal.aborted) throw new Error(`after ${withinMs / 1000} s ${ready.size} of ${count} are Ready`);
}

/** Seconds. */
async function bareSdk(edge: EdgeAddress, count: number): Promise<number> {
  await using sdk = startSdk();
  const session = await sdk.connect(edge);
  const began = performance.now();
  for (let at = 0; at < count; at += 1)
    await session.bind({
      to: "http://127.0.0.1:80",
      calls: [
        ["domain", `bare-${at}.internal`],
        ["binding", "internal"],
      ],
    });
  return (performance.now() - began) / 1000;
}
