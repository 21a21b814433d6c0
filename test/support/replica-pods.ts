// The pods of replicas in a test's world, as a kubelet would show them. What a replica says without one is of somebody gone:
// the leader takes it out.
import type { KubeObject } from "#kube/kind.ts";
import { Pod } from "#kube/kinds.ts";
import { applyStatus } from "#kube/status.ts";
import type { World } from "./world.ts";

const signal = (): AbortSignal => AbortSignal.timeout(120_000);

/** A pod of the agent-manager that is ready. */
export async function anAgent(world: World, name: string): Promise<void> {
  await aReplicaPod(world, "agent", name);
}

/** A pod of the bindings-forwarder-manager that is ready. */
export async function aForwarder(world: World, name: string): Promise<void> {
  await aReplicaPod(world, "bindings-forwarder", name);
}

async function aReplicaPod(world: World, component: string, name: string): Promise<void> {
  const labels = { "app.kubernetes.io/instance": world.release.name, "app.kubernetes.io/component": component };
  const spec = { containers: [{ name: component, image: component }] };
  await world.create(Pod, { metadata: { name, labels }, spec } as KubeObject);
  await kubelet(world, name, true);
}

/** The kubelet finds the pod ready, or not. */
export async function kubelet(world: World, name: string, ready: boolean): Promise<void> {
  const conditions = [{ type: "Ready", status: ready ? "True" : "False" }];
  const at = { name, namespace: world.namespace };
  await applyStatus(world.connection, Pod, at, { phase: "Running", conditions }, "kubelet", signal());
}

/** The pod is gone, as with `--grace-period=0`. */
export async function goes(world: World, pod: string): Promise<void> {
  const path = `/api/v1/namespaces/${world.namespace}/pods/${pod}`;
  await world.connection.request({ method: "DELETE", path, body: { gracePeriodSeconds: 0 }, signal: signal() });
}
