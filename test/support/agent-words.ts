// Agents in a test's world without an agent's process: their pods, and what they say of an AgentEndpoint.
import { AgentEndpoint, agentFieldManager, type AgentReplica } from "#api/agent-endpoint.ts";
import type { KubeObject } from "#kube/kind.ts";
import { Pod } from "#kube/kinds.ts";
import { applyStatus } from "#kube/status.ts";
import type { World } from "./world.ts";

const signal = (): AbortSignal => AbortSignal.timeout(30_000);

/** A pod of the agent-manager, as the kubelet shows it. */
export async function anAgent(world: World, name: string): Promise<void> {
  const labels = { "app.kubernetes.io/instance": world.release.name, "app.kubernetes.io/component": "agent" };
  const spec = { containers: [{ name: "agent", image: "agent" }] };
  await world.create(Pod, { metadata: { name, labels }, spec } as KubeObject);
  await kubelet(world, name, true);
}

/** The kubelet finds the pod ready, or not. */
export async function kubelet(world: World, name: string, ready: boolean): Promise<void> {
  const conditions = [{ type: "Ready", status: ready ? "True" : "False" }];
  const at = { name, namespace: world.namespace };
  await applyStatus(world.connection, Pod, at, { phase: "Running", conditions }, "kubelet", signal());
}

/** What an agent says of an AgentEndpoint, as it does: its own entry, under its own name. */
export async function says(world: World, pod: string, entry: Partial<AgentReplica> = {}, name = "shop"): Promise<void> {
  const said = { pod, observedGeneration: 1, reason: "EndpointCreated", ...entry };
  const at = { name, namespace: world.namespace };
  await applyStatus(world.connection, AgentEndpoint, at, { replicas: [said] }, agentFieldManager(pod), signal());
}

/** The pod is gone, as with `--grace-period=0`. */
export async function goes(world: World, pod: string): Promise<void> {
  const path = `/api/v1/namespaces/${world.namespace}/pods/${pod}`;
  await world.connection.request({ method: "DELETE", path, body: { gracePeriodSeconds: 0 }, signal: signal() });
}
