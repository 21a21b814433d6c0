// What agents say of an AgentEndpoint in a test's world, without an agent's process.
import { AgentEndpoint, agentFieldManager, type AgentReplica } from "#api/agent-endpoint.ts";
import { applyStatus } from "#kube/status.ts";
import type { World } from "./world.ts";

const signal = (): AbortSignal => AbortSignal.timeout(120_000);

/** What an agent says of an AgentEndpoint, as it does: its own entry, under its own name. */
export async function says(world: World, pod: string, entry: Partial<AgentReplica> = {}, name = "shop"): Promise<void> {
  const said = { pod, observedGeneration: 1, reason: "EndpointCreated", ...entry };
  const at = { name, namespace: world.namespace };
  await applyStatus(world.connection, AgentEndpoint, at, { replicas: [said] }, agentFieldManager(pod), signal());
}
