// A forwarder in a cluster: BoundEndpoints, the KubernetesOperator and the Secret on a real API server, and a stand-in of
// ngrok's binding ingress with two upstreams behind it.
import { BoundEndpoint, type ForwarderReplica } from "#api/bound-endpoint.ts";
import { BINDING_SECRET, KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { KubeObject } from "#kube/kind.ts";
import { Secret } from "#kube/kinds.ts";
import { applyStatus } from "#kube/status.ts";
import { listenerController } from "#operator/controllers/listener/controller.ts";
import type { Pair } from "#operator/forwarding/forwarder.ts";
import { withHands } from "#operator/runtime/define-replica.ts";
import { aBoundEndpoint, aKubernetesOperator } from "./builders.ts";
import { type Forwarding, freePort, startForwarding } from "./forwarding.ts";
import { tcpEcho } from "./ngrok-edge/upstreams.ts";
import { type Replica, startReplicaOf } from "./replicas.ts";
import { startWorld, type World, type WorldOptions } from "./world.ts";

export interface ForwarderGround extends AsyncDisposable {
  readonly world: World;
  readonly forwarding: Forwarding;
  readonly replica: Replica;
  /** A BoundEndpoint at a free port; resolves to that. */
  bind(name: string, url?: string, port?: number): Promise<number>;
  /** The entry of this forwarder once it says so. */
  said(name: string, reason: ForwarderReplica["reason"]): Promise<ForwarderReplica>;
  change(kind: typeof BoundEndpoint | typeof Secret, name: string, path: string, value: unknown): Promise<void>;
  /** What ngrok tells the operator as its ingress. */
  register(address: string): Promise<void>;
}

export const POD = "forwarder-1";
const signal = new AbortController().signal;

export async function forwarderGround({
  drain = "rendered",
  pair = true,
  registered = true,
}: {
  readonly drain?: NonNullable<WorldOptions["drain"]>;
  readonly pair?: boolean;
  readonly registered?: boolean;
} = {}): Promise<ForwarderGround> {
  const stack = new AsyncDisposableStack();
  const echo = stack.use(await tcpEcho());
  const forwarding = stack.use(
    await startForwarding({
      endpoints: { "web.shop:80": echo, "db.shop:5432": echo },
      limits: { tellMs: 0 },
      presents: false,
    }),
  );
  const world = stack.use(await startWorld({ controllers: [], start: false, drain }));
  const operator = aKubernetesOperator({
    metadata: { name: world.release.name },
    spec: { enabledFeatures: ["bindings"], binding: { endpointSelectors: ["true"], tlsSecretName: BINDING_SECRET } },
  });
  await world.create(KubernetesOperator, operator);
  const register = async (address: string): Promise<void> => {
    const at = { name: world.release.name, namespace: world.namespace };
    await applyStatus(world.connection, KubernetesOperator, at, { bindingsIngressEndpoint: address }, "test", signal);
  };
  if (registered) await register(`localhost:${forwarding.ingress.port}`);
  if (pair) await world.create(Secret, secretOf(await forwarding.pair()));
  const replica = stack.use(startReplicaOf(world, [withHands(listenerController, forwarding.forwarder)], { pod: POD }));
  return {
    world,
    forwarding,
    replica,
    register,
    async bind(name, endpointURL = "http://web.shop:80", wished) {
      const port = wished ?? (await freePort());
      await world.create(BoundEndpoint, aBoundEndpoint({ metadata: { name }, spec: { endpointURL, port } }));
      return port;
    },
    async said(name, reason) {
      const is = (one: BoundEndpoint): boolean => entryOf(one)?.reason === reason;
      const entry = entryOf(await world.until(BoundEndpoint, name, is));
      if (entry === undefined) throw new Error("it has been there");
      return entry;
    },
    async change(kind, name, path, value) {
      const object = await world.get<KubeObject>(kind, name);
      const operation = { op: "replace" as const, path, value };
      await world.write.patch(
        kind,
        { name, namespace: world.namespace },
        object?.metadata.uid ?? "",
        [operation],
        signal,
      );
    },
    [Symbol.asyncDispose]: async () => await stack.disposeAsync(),
  };
}

export function entryOf({ status }: BoundEndpoint): ForwarderReplica | undefined {
  return status?.replicas?.find(({ pod }) => pod === POD);
}

export function dataOf({ cert, key }: Pair): Record<string, string> {
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  return { "tls.crt": base64(cert), "tls.key": base64(key) };
}

export function secretOf(pair: Pair) {
  return { metadata: { name: BINDING_SECRET }, type: "kubernetes.io/tls", data: dataOf(pair) };
}
