// The drain's contract with everything that serves Gateway API: while the state is not Open, no event of any kind it
// watches, and no restart, brings a write, a finalizer or a call to ngrok.
import { afterAll, beforeAll, expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { FINALIZERS, GATEWAY_CLASS_FINALIZER } from "#api/keys.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { type Kind, type KubeObject, resourceName } from "#kube/kind.ts";
import {
  ConfigMap,
  Gateway,
  GatewayClass,
  HTTPRoute,
  Namespace,
  ReferenceGrant,
  Secret,
  Service,
  TCPRoute,
  TLSRoute,
} from "#kube/kinds.ts";
import { enabled } from "#operator/runtime/define-controller.ts";
import { kindsReadBy } from "#operator/runtime/watches.ts";
import { ownControlPlane } from "#test/support/apiserver.ts";
import {
  aCloudEndpoint,
  aDomain,
  anAgentEndpoint,
  anNgrokTrafficPolicy,
  aTCPRoute,
  aTLSRoute,
} from "#test/support/builders.ts";
import { closedStates, finalizersOn, heardOnceClosed, silence } from "#test/support/closed-gate.ts";
import { aCaConfigMap, aGrant, aTlsSecret } from "#test/support/gateway-ground.ts";
import {
  type GatewayShop,
  gatewayControllers,
  installGatewayApi,
  startGatewayShop,
} from "#test/support/gateway-shop.ts";
import { PATIENT } from "#test/support/hook-drives.ts";

let plane: Awaited<ReturnType<typeof ownControlPlane>>;
beforeAll(async () => {
  plane = await ownControlPlane();
  await installGatewayApi(plane.kubeconfig);
});
afterAll(async () => await plane[Symbol.asyncDispose]());

const signal = (): AbortSignal => AbortSignal.timeout(60_000);

/** Each is there before the state turns, leaned upon by the others; all are changed and then deleted. */
const OLD: readonly (readonly [Kind, string])[] = [
  [HTTPRoute, "web"],
  [TCPRoute, "database"],
  [TLSRoute, "database"],
  [Gateway, "edge"],
  [Service, "web"],
  [NgrokTrafficPolicy, "hello"],
  [ReferenceGrant, "grant"],
  [Secret, "cert"],
  [ConfigMap, "ca"],
  [CloudEndpoint, "of its host"],
  [Domain, "shop-ngrok-app"],
];

/** Made by `disturb`; while open each gets a finalizer. */
const NEW: readonly (readonly [Kind, string])[] = [
  [Gateway, "new"],
  [HTTPRoute, "new"],
  [TCPRoute, "new"],
  [TLSRoute, "new"],
  [CloudEndpoint, "new"],
];

const annotations = { "ngrok.com/traffic-policy": "hello", "ngrok.com/mapping-strategy": "endpoints-verbose" };

function endpointIn({ world }: GatewayShop): string {
  return `edge.${world.namespace}-shop.ngrok.app`;
}

function routes(name: string, parent: string): readonly (readonly [Kind, KubeObject])[] {
  const spec = { parentRefs: [{ name: parent }], rules: [{ backendRefs: [{ name: "web", port: 80 }] }] };
  return [
    [TCPRoute, { ...aTCPRoute({ metadata: { name } }), spec } as KubeObject],
    [
      TLSRoute,
      { ...aTLSRoute({ metadata: { name } }), spec: { ...spec, hostnames: ["shop.ngrok.app"] } } as KubeObject,
    ],
  ];
}

async function populate(shop: GatewayShop): Promise<void> {
  const { world } = shop;
  await shop.makeClass(shop.className, shop.controllerName);
  await shop.service("web");
  await world.create(NgrokTrafficPolicy, anNgrokTrafficPolicy());
  await world.create(Secret, aTlsSecret());
  await world.create(ConfigMap, aCaConfigMap());
  const from = { kind: "HTTPRoute", namespace: world.namespace };
  await world.create(ReferenceGrant, aGrant({ in: world.namespace, from, to: { kind: "Service" } }));
  await world.create(Gateway, shop.gateway("shop.ngrok.app", { metadata: { annotations } }));
  await world.create(HTTPRoute, shop.route("web", "web"));
  for (const [kind, route] of routes("database", "edge")) await world.create(kind, route);
  await world.until(CloudEndpoint, endpointIn(shop), ({ status }) => status?.id !== undefined);
  await world.quiet();
}

/** Each kind gets a new object, a change of an old one, and the end of one. */
async function disturb(shop: GatewayShop): Promise<void> {
  const { world, className, controllerName } = shop;
  await shop.makeClass(`${className}-more`, controllerName);
  await world.create(Gateway, shop.gateway("new.ngrok.app", { metadata: { name: "new" } }));
  await world.create(HTTPRoute, shop.route("new", "web", { spec: { parentRefs: [{ name: "new" }] } }));
  for (const [kind, route] of routes("new", "new")) await world.create(kind, route);
  await shop.service("new");
  await world.create(Secret, aTlsSecret("new"));
  await world.create(ConfigMap, aCaConfigMap("new"));
  await world.create(NgrokTrafficPolicy, anNgrokTrafficPolicy({ metadata: { name: "new" } }));
  await world.create(CloudEndpoint, aCloudEndpoint({ metadata: { name: "new" } }));
  await world.create(AgentEndpoint, anAgentEndpoint({ metadata: { name: "new" } }));
  await world.create(Domain, aDomain({ metadata: { name: "new" } }));

  // First: where it is Open, the next change takes it away.
  await world.touch(CloudEndpoint, endpointIn(shop), "/spec/url", "https://other.ngrok.app");
  await world.touch(Gateway, "edge", "/spec/listeners/0/hostname", "other.ngrok.app");
  await world.touch(HTTPRoute, "web", "/spec/hostnames", ["other.ngrok.app"]);
  await world.touch(TCPRoute, "database", "/spec/rules/0/backendRefs/0/port", 81);
  await world.touch(TLSRoute, "database", "/spec/rules/0/backendRefs/0/port", 81);
  await world.touch(Service, "web", "/spec/ports/0/port", 81);
  await world.touch(NgrokTrafficPolicy, "hello", "/spec/policy", { on_http_request: [] });
  await world.touch(ReferenceGrant, "grant", "/metadata/labels", { seen: "yes" });
  await world.touch(Secret, "cert", "/metadata/labels", { seen: "yes" });
  await world.touch(ConfigMap, "ca", "/data/ca.crt", "changed");
  await world.touch(Domain, "shop-ngrok-app", "/spec/description", "changed");
  const { uid = "" } = (await world.read.get(Namespace, { name: world.namespace }, signal()))?.metadata ?? {};
  const labelled = [{ op: "add" as const, path: "/metadata/labels/seen", value: "yes" }];
  await world.write.patch(Namespace, { name: world.namespace }, uid, labelled, signal());

  for (const [kind, name] of OLD) await world.remove(kind, kind === CloudEndpoint ? endpointIn(shop) : name);
  await world.remove(AgentEndpoint, "new");
  const found = await world.read.get(GatewayClass, { name: className }, signal());
  await world.write.remove({ kind: GatewayClass, ref: { name: className }, uid: found?.metadata.uid ?? "" }, signal());
}

test.for(closedStates)(
  "while the drain state is $name, no event of Gateway API brings a write or a call (W2, W6, W7, W12)",
  async (state) => {
    await using shop = await startGatewayShop({ kubeconfig: plane.kubeconfig, timing: PATIENT });
    const { world } = shop;
    await populate(shop);
    expect(await heardOnceClosed(world, state, async () => await disturb(shop))).toEqual(silence);
    expect(await finalizersOn(world, NEW)).toEqual([]);
    const more = await world.read.get(GatewayClass, { name: `${shop.className}-more` }, signal());
    expect(more?.metadata.finalizers ?? []).not.toContain(GATEWAY_CLASS_FINALIZER);
  },
);

test("every kind that is watched for Gateway API is among those that the events are about", () => {
  const watched = new Set(enabled(gatewayControllers, ["gateway"]).flatMap(kindsReadBy).map(resourceName));
  const about = [AgentEndpoint, GatewayClass, Namespace, ...OLD.map(([kind]) => kind)].map(resourceName);
  expect([...watched].toSorted()).toEqual([...new Set(about)].toSorted());
});

test("while it is Open the same events are answered", async () => {
  await using shop = await startGatewayShop({ kubeconfig: plane.kubeconfig });
  const { world } = shop;
  await populate(shop);
  const before = world.written().length;
  await disturb(shop);
  for (const [kind, name] of NEW)
    await world.until(
      kind,
      name,
      ({ metadata }) => metadata.finalizers?.some((one) => FINALIZERS.includes(one)) === true,
    );
  for (const kind of [Gateway, HTTPRoute]) await world.gone(kind, kind === Gateway ? "edge" : "web");
  await world.quiet();
  const kinds = (): Set<string | undefined> =>
    new Set(
      world
        .written()
        .slice(before)
        .map((line) => /\/v1[a-z0-9]*\/(?:namespaces\/[^/]+\/)?([a-z]+)/.exec(line)?.[1]),
    );
  await expect
    .poll(kinds)
    .toEqual(
      new Set([
        "gateways",
        "httproutes",
        "tcproutes",
        "tlsroutes",
        "gatewayclasses",
        "cloudendpoints",
        "agentendpoints",
        "domains",
      ]),
    );
});
