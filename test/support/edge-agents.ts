// Agents of ours, with the real SDK, at a stand-in of ngrok's edge.
import { type AgentConnection, agentConnect } from "#ngrok/agent.ts";
import { Agent, type AgentOptions } from "#ngrok/agent-keep.ts";
import type { AgentSpec, AgentState } from "#ngrok/agent-port.ts";
import { systemClock } from "#wire/clock.ts";
import { type NgrokEdge, startNgrokEdge } from "./ngrok-edge/edge.ts";

export interface TestAgent extends AsyncDisposable {
  readonly agent: Agent;
  /** Everything it has told of its session. */
  readonly told: readonly string[];
  /** Resolves once it holds, asked at every change. */
  until(what: string, holds: () => boolean, withinMs?: number): Promise<void>;
  open(spec: Partial<AgentSpec> & Pick<AgentSpec, "url">, to: string): ReturnType<Agent["open"]>;
}

export type TestAgentOptions = Partial<Pick<AgentOptions, "clock">> & Partial<AgentConnection>;

/** Resolves at once; `until` waits for its session. */
export function startAgent(edge: Pick<NgrokEdge, "serverAddr" | "ca">, options: TestAgentOptions = {}): TestAgent {
  const { clock = systemClock, ...more } = options;
  const end = new AbortController();
  const told: string[] = [];
  const agent = new Agent({
    connect: agentConnect({
      authtoken: "an-authtoken",
      serverAddr: edge.serverAddr,
      roots: "trusted",
      extraRoots: [edge.ca],
      client: { name: "ngrok-operator", version: "0.0.0", comment: "test" },
      ...more,
    }),
    clock,
    tell: ({ is, why = "" }) => told.push(`${is} ${why}`.trim()),
  });
  const running = agent.run(end.signal);
  return {
    agent,
    told,
    until: async (what, holds, withinMs = 50_000) => {
      await new Promise<void>((resolve, reject) => {
        const look = (): void => {
          if (!holds()) return;
          clearTimeout(late);
          stop();
          resolve();
        };
        const stop = agent.onChange(look);
        const late = setTimeout(() => {
          stop();
          reject(new Error(`not within ${withinMs} ms: ${what}; the agent: ${told.join("; ")}`));
        }, withinMs);
        look();
      });
    },
    open: async (spec, to) => await agent.open(aSpec(spec, to), new AbortController().signal),
    async [Symbol.asyncDispose]() {
      end.abort(new Error("the test has ended"));
      await running;
    },
  };
}

export function aSpec(spec: Partial<AgentSpec> & Pick<AgentSpec, "url">, to: string): AgentSpec {
  const upstream = { url: to, certificates: [] };
  return { bindings: [], trafficPolicy: "", metadata: "", ...spec, upstream: { ...upstream, ...spec.upstream } };
}

export const isUp = (state: AgentState): boolean => state.is === "up";

/** An agent that is in a session, and the edge of its own. */
export async function agentAtEdge(options: TestAgentOptions = {}) {
  const edge = await startNgrokEdge();
  const at = startAgent(edge, options);
  await at.until("it has a session", () => isUp(at.agent.state));
  return {
    edge,
    at,
    async [Symbol.asyncDispose]() {
      await at[Symbol.asyncDispose]();
      await edge.close();
    },
  };
}
