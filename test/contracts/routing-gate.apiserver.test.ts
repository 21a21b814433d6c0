// The drain's contract with everything that turns users' objects into endpoints: while the state is not Open, no event of
// any kind it watches, and no restart, brings a write, a finalizer or a call to ngrok.
import { expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { FINALIZERS } from "#api/keys.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { resourceName, type Kind } from "#kube/kind.ts";
import { Ingress, IngressClass, Pod, Service } from "#kube/kinds.ts";
import { enabled } from "#operator/runtime/define-controller.ts";
import { kindsReadBy } from "#operator/runtime/watches.ts";
import { says } from "#test/support/agent-words.ts";
import { anAgent, goes } from "#test/support/replica-pods.ts";
import { aDomain, anAgentEndpoint, aCloudEndpoint, anNgrokTrafficPolicy, aService } from "#test/support/builders.ts";
import { closedStates, finalizersOn, heardOnceClosed, silence } from "#test/support/closed-gate.ts";
import { PATIENT } from "#test/support/hook-drives.ts";
import { type Shop, shopControllers, startShop } from "#test/support/shop.ts";

/** One object of each kind that is watched, each leaned upon by the others. */
const OLD: readonly (readonly [Kind, string])[] = [
  [Ingress, "shop"],
  [Service, "web"],
  [Service, "database"],
  [NgrokTrafficPolicy, "hello"],
  [CloudEndpoint, "shop.ngrok.app"],
  [Domain, "shop-ngrok-app"],
];

/** Made by `disturb`; while open each gets a finalizer. */
const NEW: readonly (readonly [Kind, string])[] = [
  [Ingress, "new"],
  [Service, "new-database"],
  [CloudEndpoint, "new"],
];

const annotations = { "ngrok.com/traffic-policy": "hello", "ngrok.com/mapping-strategy": "endpoints-verbose" };

async function populate(shop: Shop): Promise<void> {
  const { world } = shop;
  await shop.service("web");
  await world.create(NgrokTrafficPolicy, anNgrokTrafficPolicy());
  await world.create(Ingress, shop.ingress("shop", { "shop.ngrok.app": "web" }, { metadata: { annotations } }));
  await world.create(Service, aService());
  await world.until(Service, "database", ({ status }) => (status?.loadBalancer?.ingress?.length ?? 0) > 0);
  await world.until(CloudEndpoint, "shop.ngrok.app", ({ status }) => status?.id !== undefined);
  await world.quiet();
}

/** Each kind gets a new object, a change of an old one, and the end of one. */
async function disturb(shop: Shop): Promise<void> {
  const { world, className } = shop;
  await shop.otherClass(`${className}-more`, "example.com/other");
  await shop.service("new");
  await world.create(Service, aService({ metadata: { name: "new-database" } }));
  await world.create(Ingress, shop.ingress("new", { "new.ngrok.app": "new" }));
  await world.create(NgrokTrafficPolicy, anNgrokTrafficPolicy({ metadata: { name: "new" } }));
  await world.create(CloudEndpoint, aCloudEndpoint({ metadata: { name: "new" } }));
  await world.create(AgentEndpoint, anAgentEndpoint({ metadata: { name: "new" } }));
  await anAgent(world, "agent");
  await says(world, "agent", {}, "new");
  await goes(world, "agent");
  await world.create(Domain, aDomain({ metadata: { name: "new" } }));

  // Before the strategy, which while it is Open takes this endpoint away.
  await world.touch(CloudEndpoint, "shop.ngrok.app", "/spec/url", "https://other.ngrok.app");
  await world.touch(Ingress, "shop", "/metadata/annotations/ngrok.com~1mapping-strategy", "endpoints");
  await world.touch(Ingress, "shop", "/spec/rules/0/http/paths/0/path", "/changed");
  await world.touch(Service, "web", "/spec/ports/0/port", 81);
  await world.touch(Service, "database", "/metadata/annotations/ngrok.com~1mapping-strategy", "endpoints-verbose");
  await world.touch(NgrokTrafficPolicy, "hello", "/spec/policy", { on_http_request: [] });
  await world.touch(Domain, "shop-ngrok-app", "/spec/description", "changed");

  for (const [kind, name] of OLD.filter(([kind]) => kind !== Service)) await world.remove(kind, name);
  for (const kind of [AgentEndpoint, NgrokTrafficPolicy]) await world.remove(kind, "new");
  await world.remove(Service, "web");
}

test.for(closedStates)(
  "while the drain state is $name, no event of any kind brings a write or a call (W2, W6, W7)",
  async (state) => {
    await using shop = await startShop({ timing: PATIENT });
    const { world } = shop;
    await populate(shop);
    expect(await heardOnceClosed(world, state, async () => await disturb(shop))).toEqual(silence);
    expect(await finalizersOn(world, NEW)).toEqual([]);
  },
);

test("every kind that is watched for Ingresses and Services is among those that the events are about", () => {
  const watched = new Set(enabled(shopControllers, ["ingress"]).flatMap(kindsReadBy).map(resourceName));
  const about = [AgentEndpoint, IngressClass, Pod, ...OLD.map(([kind]) => kind)].map(resourceName);
  expect([...watched].toSorted()).toEqual([...new Set(about)].toSorted());
});

test("while it is Open each of the events is answered", async () => {
  await using shop = await startShop();
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
  await world.gone(Ingress, "shop");
  await world.quiet();
  const kinds = (): Set<string | undefined> =>
    new Set(
      world
        .written()
        .slice(before)
        .map((line) => /\/namespaces\/[^/]+\/([a-z]+)/.exec(line)?.[1]),
    );
  await expect
    .poll(kinds)
    .toEqual(new Set(["ingresses", "services", "cloudendpoints", "agentendpoints", "domains", "ngroktrafficpolicies"]));
});
