// Ingresses become endpoints on a real API server, and what they lean on re-makes what leans on it and nothing else.
import { expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { Ingress, Service } from "#kube/kinds.ts";
import { anNgrokTrafficPolicy } from "#test/support/builders.ts";
import { type Shop, startShop } from "#test/support/shop.ts";
import type { World } from "#test/support/world.ts";

const signal = (): AbortSignal => AbortSignal.timeout(60_000);

async function all<T extends KubeObject>({ read, namespace }: World, kind: Kind<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const { items } of read.pages(kind, { namespace }, signal())) found.push(...items);
  return found;
}

/** The URLs of what is there, once it is quiet. */
async function urls({ world }: Shop): Promise<{ cloud: string[]; agent: string[] }> {
  await world.quiet();
  const of = (endpoints: readonly { spec: { url: string } }[]): string[] =>
    endpoints.map(({ spec }) => spec.url.replace(/[0-9a-f]{5}-/, "#-").replace(world.namespace, "NS")).toSorted();
  return { cloud: of(await all(world, CloudEndpoint)), agent: of(await all(world, AgentEndpoint)) };
}

test("a host on a Service of its own is one public AgentEndpoint; the Ingress is held and shows where it leads", async () => {
  await using shop = await startShop();
  await shop.service("web");
  await shop.world.create(Ingress, shop.ingress("shop", { "shop.ngrok.app": "web" }));
  const ingress = await shop.world.until(
    Ingress,
    "shop",
    ({ status }) => status?.loadBalancer?.ingress?.[0]?.hostname === "shop.ngrok.app",
  );
  expect(ingress.metadata.finalizers).toEqual(["k8s.ngrok.com/finalizer"]);
  expect(ingress.metadata.annotations?.["ngrok.com/drain-owner"]).toBe(`${shop.world.namespace}/ngrok`);
  await expect.poll(async () => await urls(shop)).toEqual({ cloud: [], agent: ["https://shop.ngrok.app"] });
  const [endpoint] = await all(shop.world, AgentEndpoint);
  expect(endpoint?.metadata.labels).toMatchObject({
    "ngrok.com/controller-namespace": shop.world.namespace,
    "k8s.ngrok.com/controller-name": "ngrok-operator-manager",
  });
  expect(endpoint?.spec.upstream.url).toBe(`http://web.${shop.world.namespace}:80`);
  const domain = await shop.world.get(Domain, "shop-ngrok-app");
  expect(domain?.spec).toMatchObject({ domain: "shop.ngrok.app", reclaimPolicy: "Delete" });
  // What is generated is held from its creation: a claim of its own would be a write more for each.
  for (const { metadata } of [endpoint, domain].flatMap((one) => one ?? []))
    expect(metadata).toMatchObject({
      finalizers: ["k8s.ngrok.com/finalizer"],
      annotations: { "ngrok.com/drain-owner": `${shop.world.namespace}/ngrok` },
    });
  const changed = shop.world.manager.writes.filter((line) => /^PATCH .*\/(domains|agentendpoints)\//.test(line));
  expect(changed.filter((line) => !line.endsWith("/status"))).toEqual([]);
});

test("a second host on the Service takes both out of it into CloudEndpoints; without it the first is one again", async () => {
  await using shop = await startShop();
  await shop.service("web");
  await shop.world.create(Ingress, shop.ingress("one", { "one.ngrok.app": "web" }));
  await expect.poll(async () => await urls(shop)).toEqual({ cloud: [], agent: ["https://one.ngrok.app"] });
  await shop.world.create(Ingress, shop.ingress("two", { "two.ngrok.app": "web" }));
  await expect
    .poll(async () => await urls(shop))
    .toEqual({
      cloud: ["https://one.ngrok.app", "https://two.ngrok.app"],
      agent: ["https://#-web-NS-80.internal"],
    });
  await shop.world.remove(Ingress, "two");
  await shop.world.gone(Ingress, "two");
  await expect.poll(async () => await urls(shop)).toEqual({ cloud: [], agent: ["https://one.ngrok.app"] });
  await shop.world.remove(Ingress, "one");
  await expect.poll(async () => await urls(shop)).toEqual({ cloud: [], agent: [] });
  expect((await all(shop.world, Domain)).length).toBe(2);
});

test("what changes re-makes what leans on it, and nothing is written where nothing differs", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await shop.service("web");
  await shop.service("other");
  await world.create(NgrokTrafficPolicy, anNgrokTrafficPolicy());
  const annotations = { "ngrok.com/traffic-policy": "hello", "ngrok.com/mapping-strategy": "endpoints-verbose" };
  await world.create(Ingress, shop.ingress("shop", { "shop.ngrok.app": "web" }, { metadata: { annotations } }));
  await world.create(Ingress, shop.ingress("far", { "far.ngrok.app": "other" }));
  await expect
    .poll(async () => await urls(shop))
    .toEqual({
      cloud: ["https://shop.ngrok.app"],
      agent: ["https://#-web-NS-80.internal", "https://far.ngrok.app"],
    });
  const since = world.manager.writes.length;
  const written = async (): Promise<string[]> => {
    await world.quiet();
    return world.manager.writes.slice(since).map((line) => line.replace(/^(\w+) .*\/namespaces\/[^/]+\//, "$1 "));
  };
  await world.touch(Service, "web", "/metadata/labels", { seen: "yes" });
  await world.touch(NgrokTrafficPolicy, "hello", "/metadata/labels", { seen: "yes" });
  await world.touch(Ingress, "far", "/metadata/labels", { seen: "yes" });
  expect(await written()).toEqual([]);

  const rule = { actions: [{ type: "deny", config: { status_code: 403 } }] };
  await world.touch(NgrokTrafficPolicy, "hello", "/spec/policy", { on_http_request: [rule] });
  const changes = async (): Promise<string[]> => (await written()).filter((line) => !line.includes("/status"));
  // The CloudEndpoint, beside its status and the status of the policy.
  await expect.poll(changes).toEqual(["PATCH cloudendpoints/shop.ngrok.app"]);

  await world.touch(Service, "web", "/spec/ports/0/appProtocol", "kubernetes.io/h2c");
  await expect
    .poll(changes)
    .toEqual([
      "PATCH cloudendpoints/shop.ngrok.app",
      expect.stringMatching(/^PATCH agentendpoints\/[0-9a-f]{5}-web-.*-80$/),
    ]);
});

test("what is changed or deleted by hand comes back; what somebody else made under a wanted name stays and is told", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await shop.service("web");
  await world.create(CloudEndpoint, { metadata: { name: "taken.ngrok.app" }, spec: { url: "https://mine.internal" } });
  const annotations = { "ngrok.com/mapping-strategy": "endpoints-verbose" };
  await world.create(
    Ingress,
    shop.ingress("shop", { "shop.ngrok.app": "web", "taken.ngrok.app": "web" }, { metadata: { annotations } }),
  );
  await world.until(CloudEndpoint, "shop.ngrok.app", () => true);
  await world.touch(CloudEndpoint, "shop.ngrok.app", "/spec/url", "https://wrong.internal");
  await world.until(CloudEndpoint, "shop.ngrok.app", ({ spec }) => spec.url === "https://shop.ngrok.app");
  const { uid } = (await world.get(CloudEndpoint, "shop.ngrok.app"))?.metadata ?? {};
  await world.remove(CloudEndpoint, "shop.ngrok.app");
  await world.until(CloudEndpoint, "shop.ngrok.app", ({ metadata }) => metadata.uid !== uid);
  expect((await world.get(CloudEndpoint, "taken.ngrok.app"))?.spec.url).toBe("https://mine.internal");
  await world.remove(CloudEndpoint, "taken.ngrok.app");
  await world.until(CloudEndpoint, "taken.ngrok.app", ({ spec }) => spec.url === "https://taken.ngrok.app");
});
