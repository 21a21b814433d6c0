// One object of each of the twelve kinds that a drain goes through, held by the release `ops/ngrok` and by a stranger, with
// what belongs to them at ngrok: a field on which every right of a driver is used.
import { ADOPTED, controllerLabels, DRAIN_OWNER, FINALIZER, GATEWAY_CLASS_FINALIZER } from "#api/keys.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { IPPolicy } from "#api/ip-policy.ts";
import type { Connection } from "#kube/connection.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { GatewayClass, Gateway, HTTPRoute, Ingress, Service, TCPRoute, TLSRoute } from "#kube/kinds.ts";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { reader } from "#kube/reader.ts";
import { applyStatus } from "#kube/status.ts";
import { writer } from "#kube/writer.ts";
import { afterUninstall } from "#wire/fence.ts";
import {
  aBoundEndpoint,
  aCloudEndpoint,
  aDomain,
  aGateway,
  aGatewayClass,
  anAgentEndpoint,
  anHTTPRoute,
  anIngress,
  anIPPolicy,
  aService,
  aTCPRoute,
  aTLSRoute,
} from "./builders.ts";
import { STRANGER } from "./meddler.ts";
import type { NgrokApi } from "./ngrok-api/server.ts";

const annotations = { [DRAIN_OWNER]: "ops/ngrok" };
const binding = (namespace: string) => ({
  "ngrok.com/endpoint-binding-name": "billing",
  "ngrok.com/endpoint-binding-namespace": namespace,
});

/** The kinds that a field has. */
export const fieldKinds: readonly Kind[] = [
  HTTPRoute,
  TCPRoute,
  TLSRoute,
  Ingress,
  Gateway,
  GatewayClass,
  CloudEndpoint,
  AgentEndpoint,
  Domain,
  IPPolicy,
  BoundEndpoint,
  Service,
];

/**
 * @param namespace where all of them are, but for a second BoundEndpoint in the release's.
 * @param clusterWide whether the release has rights to objects of the cluster, a GatewayClass say.
 */
export async function makeField(
  connection: Connection,
  ngrok: NgrokApi,
  namespace: string,
  clusterWide: boolean,
): Promise<void> {
  const held = { namespace, annotations, finalizers: [STRANGER, FINALIZER] };
  const signal = AbortSignal.timeout(120_000);
  const write = writer(connection, afterUninstall(signal));
  const put = async <T extends KubeObject>(kind: Kind<T>, object: T): Promise<T> =>
    await write.create(kind, object, signal);
  const withId = async <T extends KubeObject>(kind: Kind<T>, object: T, id: string): Promise<void> => {
    const { metadata } = await put(kind, object);
    await applyStatus(connection, kind, metadata, { id }, "test", signal);
  };
  const [kept, own, policy, endpoint] = await Promise.all([
    ngrok.add("reserved_domains", { domain: "kept.example.com" }),
    ngrok.add("reserved_domains", { domain: "field.example.com" }),
    ngrok.add("ip_policies", { description: "field" }),
    ngrok.add("endpoints", {
      url: "https://field.internal",
      type: "cloud",
      bindings: ["internal"],
      traffic_policy: "{}",
    }),
  ]);
  const adopted = { ...held, name: "kept", annotations: { ...annotations, [ADOPTED]: "true" } };
  await Promise.all([
    put(HTTPRoute, anHTTPRoute({ metadata: held })),
    put(TCPRoute, aTCPRoute({ metadata: held })),
    put(TLSRoute, aTLSRoute({ metadata: held, spec: { hostnames: ["db.example.com"] } })),
    put(Ingress, anIngress({ metadata: held })),
    put(Gateway, aGateway({ metadata: held })),
    put(AgentEndpoint, anAgentEndpoint({ metadata: held })),
    put(Service, aService({ metadata: held })),
    withId(Domain, aDomain({ metadata: adopted, spec: { domain: "kept.example.com" } }), kept),
    withId(Domain, aDomain({ metadata: { ...held, name: "field" }, spec: { domain: "field.example.com" } }), own),
    withId(IPPolicy, anIPPolicy({ metadata: { ...held, name: "field" } }), policy),
    withId(
      CloudEndpoint,
      aCloudEndpoint({ metadata: { ...held, name: "field" }, spec: { url: "https://field.internal" } }),
      endpoint,
    ),
    ...["ops", namespace].map((at) => put(BoundEndpoint, boundIn(at, namespace))),
    ...["ops", namespace].map((at) => put(Service, boundService(at))),
  ]);
  if (!clusterWide) return;
  const finalizers = [STRANGER, GATEWAY_CLASS_FINALIZER];
  await put(GatewayClass, aGatewayClass({ metadata: { annotations, finalizers } }));
}

function boundIn(namespace: string, targets: string) {
  // Of the release's own a leader lets one with a stamp go before it drains, where bindings are off.
  const mark = namespace === "ops" ? { labels: controllerLabels("ops", "ngrok-operator-manager") } : { annotations };
  const target = { service: `billing-${namespace}`, namespace: targets, protocol: "TCP", port: 80 } as const;
  return aBoundEndpoint({
    metadata: { name: "billing", namespace, ...mark, finalizers: [STRANGER, FINALIZER] },
    spec: { target },
  });
}

/** What is made for a BoundEndpoint in its own namespace. */
function boundService(namespace: string) {
  const spec = { type: "ClusterIP", loadBalancerClass: undefined };
  return aService({ metadata: { name: "billing", namespace, labels: binding(namespace) }, spec });
}

/** Everything of the field's kinds goes, whatever holds it. */
export async function clearField(connection: Connection): Promise<void> {
  const signal = AbortSignal.timeout(120_000);
  const write = writer(connection, afterUninstall(signal));
  for (const kind of fieldKinds) {
    for await (const { items } of reader(connection).pages(kind, {}, signal)) {
      for (const { metadata } of items) {
        if (kind === Service && metadata.namespace === "default") continue;
        const uid = metadata.uid ?? "";
        const off = [{ op: "add", path: "/metadata/finalizers", value: [] } as const];
        await write.patch(kind, metadata, uid, off, signal).catch(() => undefined);
        await write.remove({ kind, ref: metadata, uid }, signal);
      }
    }
  }
}
