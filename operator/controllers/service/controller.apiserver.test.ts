// LoadBalancer Services of class ngrok on a real API server and ngrok's wire: an address of their own, both strategies, and
// the way out, in which nothing of it is left.
import { expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import type { KubeRequest } from "#kube/connection.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import { Service, type ServiceObject } from "#kube/kinds.ts";
import { says } from "#test/support/agent-words.ts";
import { anAgent } from "#test/support/replica-pods.ts";
import { aService } from "#test/support/builders.ts";
import { startShop } from "#test/support/shop.ts";
import { condition, isReady, type World } from "#test/support/world.ts";

const signal = (): AbortSignal => AbortSignal.timeout(60_000);

async function all<T extends KubeObject>({ read, namespace }: World, kind: Kind<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const { items } of read.pages(kind, { namespace }, signal())) found.push(...items);
  return found;
}

async function patch(world: World, path: string, value?: unknown): Promise<void> {
  const { uid = "" } = (await world.get(Service, "database"))?.metadata ?? {};
  const operation = value === undefined ? { op: "remove" as const, path } : { op: "add" as const, path, value };
  await world.write.patch(Service, { name: "database", namespace: world.namespace }, uid, [operation], signal());
}

/** The URLs of the AgentEndpoints, once nothing happens any more. */
async function agents(world: World): Promise<string[]> {
  await world.quiet();
  return (await all(world, AgentEndpoint)).map(({ spec }) => spec.url);
}

const isReached = ({ status }: ServiceObject): boolean => (status?.loadBalancer?.ingress?.length ?? 0) > 0;
const addressOf = ({ metadata }: ServiceObject): string => metadata.annotations?.["ngrok.com/computed-url"] ?? "";
const annotated = (annotations: Record<string, string>): ServiceObject => aService({ metadata: { annotations } });
const annotation = (key: string): string => `/metadata/annotations/ngrok.com~1${key}`;

test("a Service gets an address that is reserved for it, one AgentEndpoint, and a status; without it all of that goes (W17)", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await world.create(Service, aService());
  const service = await world.until(Service, "database", isReached);
  const url = addressOf(service);
  expect(url).toMatch(/^tcp:\/\/.+:\d+$/);
  expect(service.metadata.annotations?.["k8s.ngrok.com/computed-url"]).toBe(url);
  expect(service.metadata.finalizers).toContain(FINALIZER);
  const [host = "", port = ""] = url.slice("tcp://".length).split(":");
  expect(service.status?.loadBalancer?.ingress).toEqual([
    { hostname: host, ports: [{ port: Number(port), protocol: "TCP" }] },
  ]);
  expect(world.api.objects("reserved_addrs")).toMatchObject([
    {
      description: `Reserved for ${world.namespace}/database`,
      metadata: `{"namespace":"${world.namespace}","name":"database"}`,
    },
  ]);
  const [endpoint, ...rest] = await all(world, AgentEndpoint);
  expect(rest).toEqual([]);
  expect(endpoint?.metadata.name).toMatch(/^database-.{5}$/);
  expect(endpoint?.spec).toMatchObject({
    url,
    upstream: { url: `tcp://database.${world.namespace}.svc.cluster.local:5432` },
    trafficPolicy: { inline: {} },
  });
  expect(await all(world, CloudEndpoint)).toEqual([]);

  await world.remove(Service, "database");
  await world.gone(Service, "database");
  expect(await all(world, AgentEndpoint)).toEqual([]);
  expect(world.api.objects("reserved_addrs")).toEqual([]);
});

test("endpoints-verbose is a CloudEndpoint and an internal AgentEndpoint; a change of strategy takes the one away", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await world.create(Service, annotated({ "ngrok.com/mapping-strategy": "endpoints-verbose" }));
  const service = await world.until(Service, "database", isReached);
  const internal = `tcp://${service.metadata.uid}.database.${world.namespace}.internal:5432`;
  await expect.poll(async () => await agents(world)).toEqual([internal]);
  const [cloud] = await all(world, CloudEndpoint);
  expect(cloud?.spec.url).toBe(addressOf(service));
  expect(cloud?.spec.trafficPolicy?.inline).toEqual({
    on_tcp_connect: [{ actions: [{ type: "forward-internal", config: { url: internal } }] }],
  });
  await patch(world, annotation("mapping-strategy"));
  await expect.poll(async () => await all(world, CloudEndpoint)).toEqual([]);
  await expect.poll(async () => await agents(world)).toEqual([addressOf(service)]);
});

test("what is in order is not written again: not by a touch, not after a restart", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await world.create(Service, aService());
  await world.until(Service, "database", isReached);
  await world.quiet();
  const before = world.manager.writes.length;
  await patch(world, "/metadata/labels", { seen: "yes" });
  await world.quiet();
  expect(world.manager.writes.slice(before)).toEqual([]);
  await world.manager.stop();
  const next = world.start();
  await world.quiet();
  expect(next.writes).toEqual([]);
  expect(world.api.objects("reserved_addrs")).toHaveLength(1);
});

test("an address that is reserved no more is replaced in the same go", async () => {
  await using shop = await startShop({ start: false });
  const { world } = shop;
  await world.create(Service, annotated({ "ngrok.com/computed-url": "tcp://9.tcp.ngrok.io:9" }));
  world.start();
  const service = await world.until(Service, "database", isReached);
  expect(addressOf(service)).not.toContain("9.tcp.ngrok.io:9");
  await expect.poll(async () => await agents(world)).toEqual([addressOf(service)]);
});

test("a copy of a Service, with the address that is written down on it, gets one of its own, and the first keeps its", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await world.create(Service, aService());
  const url = addressOf(await world.until(Service, "database", isReached));
  const annotations = { "ngrok.com/computed-url": url, "k8s.ngrok.com/computed-url": url };
  await world.create(Service, aService({ metadata: { name: "copy", annotations } }));
  const copy = await world.until(Service, "copy", (one) => isReached(one) && addressOf(one) !== url);
  await expect.poll(async () => (await agents(world)).toSorted()).toEqual([url, addressOf(copy)].toSorted());
  await world.remove(Service, "copy");
  await world.gone(Service, "copy");
  expect(world.api.objects("reserved_addrs")).toMatchObject([{ addr: url.slice("tcp://".length) }]);
  expect(await agents(world)).toEqual([url]);
});

test("a Service that moves to a URL of the user's gives its address back", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await world.create(Service, aService());
  await world.until(Service, "database", isReached);
  await patch(world, annotation("url"), "tls://db.ngrok.app:443");
  await world.until(Service, "database", (service) => addressOf(service) === "tls://db.ngrok.app:443");
  await expect.poll(() => world.api.objects("reserved_addrs")).toEqual([]);
  await expect.poll(async () => await agents(world)).toEqual(["tls://db.ngrok.app:443"]);
});

test("a Service that moves to an address of the user's gives back the one that was reserved for it (W17)", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await world.create(Service, aService());
  await world.until(Service, "database", isReached);
  const own = "tcp://9.tcp.ngrok.io:9";
  await patch(world, annotation("url"), own);
  await world.until(Service, "database", (service) => addressOf(service) === own);
  await expect.poll(() => world.api.objects("reserved_addrs")).toEqual([]);
  await expect.poll(async () => await agents(world)).toEqual([own]);
});

test("a Service that writes its own reserved address down as its URL keeps it", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await world.create(Service, aService());
  const url = addressOf(await world.until(Service, "database", isReached));
  await patch(world, annotation("url"), url);
  await expect.poll(async () => await agents(world)).toEqual([url]);
  expect(world.api.objects("reserved_addrs")).toHaveLength(1);
});

test("a Service that is ngrok's no more loses endpoint, address and finalizer, and stays (W18)", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await world.create(Service, aService());
  const { metadata } = await world.until(Service, "database", isReached);
  await world.quiet();
  const spec = [
    { op: "remove" as const, path: "/spec/loadBalancerClass" },
    { op: "replace" as const, path: "/spec/type", value: "ClusterIP" },
  ];
  await world.write.patch(
    Service,
    { name: "database", namespace: world.namespace },
    metadata.uid ?? "",
    spec,
    signal(),
  );
  const after = await world.until(
    Service,
    "database",
    ({ metadata: { finalizers } }) => !finalizers?.includes(FINALIZER),
  );
  expect(after.metadata.annotations?.["ngrok.com/drain-owner"]).toBeUndefined();
  expect(await all(world, AgentEndpoint)).toEqual([]);
  expect(world.api.objects("reserved_addrs")).toEqual([]);
});

const TLS = (host: string, more: Record<string, string> = {}): ServiceObject =>
  annotated({ "ngrok.com/url": `tls://${host}:443`, ...more });
const reachedAt = ({ status }: ServiceObject): unknown => status?.loadBalancer?.ingress;

test("its AgentEndpoint is claimed, says how it fares, and goes with the Service whatever the agents do (W9)", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await anAgent(world, "agent");
  await world.create(Service, aService());
  const service = await world.until(Service, "database", isReached);
  await world.quiet();
  const name = (await all(world, AgentEndpoint))[0]?.metadata.name ?? "";
  const waiting = await world.until(AgentEndpoint, name, (one) => condition(one, "Ready") !== undefined);
  expect(waiting.metadata.finalizers).toEqual([FINALIZER]);
  expect(condition(waiting, "Ready")).toBe("False Pending");
  expect(condition(waiting, "DomainReady")).toBe("True DomainReady");

  await says(world, "agent", { assignedURL: addressOf(service) }, name);
  const ready = await world.until(AgentEndpoint, name, isReady);
  expect(ready.status).toMatchObject({ assignedURL: addressOf(service), trafficPolicy: "inline" });
  expect(await all(world, Domain)).toEqual([]);
  await world.quiet();
  expect(reachedAt((await world.get(Service, "database")) ?? service)).toEqual(reachedAt(service));

  await world.remove(Service, "database");
  await world.gone(Service, "database");
  expect(await all(world, AgentEndpoint)).toEqual([]);
  expect(world.api.objects("reserved_addrs")).toEqual([]);
});

test("at a TLS host it is reached where the host's Domain says: at the host itself where that is ngrok's", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await world.create(Service, TLS("db.ngrok.app"));
  const service = await world.until(Service, "database", isReached);
  expect(reachedAt(service)).toEqual([{ hostname: "db.ngrok.app", ports: [{ port: 443, protocol: "TCP" }] }]);
  const [domain] = await all(world, Domain);
  expect(domain?.spec.domain).toBe("db.ngrok.app");
  expect(domain?.status?.id).toBeTruthy();
});

test("at a TLS host of the user's own it is reached at the Domain's CNAME target, and nowhere once the Domain is gone", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await world.create(Service, TLS("db.example.com"));
  const service = await world.until(Service, "database", isReached);
  const [domain] = await all(world, Domain);
  const target = domain?.status?.cnameTarget;
  expect(target).toMatch(/\.cname\.ngrok\.io$/);
  expect(reachedAt(service)).toEqual([{ hostname: target, ports: [{ port: 443, protocol: "TCP" }] }]);

  // It is made anew for the endpoint, and cannot be reserved yet.
  world.api.faults.add({
    kind: "status",
    status: 503,
    times: Infinity,
    match: { path: /reserved_domains/, method: "POST" },
  });
  await world.remove(Domain, "db-example-com");
  await world.until(Service, "database", (one) => !isReached(one));
});

test("at a TLS host inside of the account nothing has to be reserved for it", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await world.create(Service, TLS("db.internal", { "ngrok.com/bindings": "internal" }));
  const service = await world.until(Service, "database", isReached);
  expect(reachedAt(service)).toEqual([{ hostname: "db.internal", ports: [{ port: 443, protocol: "TCP" }] }]);
  expect(await all(world, Domain)).toEqual([]);
});

test("in a namespace that is going no Service is taken up, and what is ours already is served to its end", async () => {
  await using shop = await startShop({ start: false });
  const { world } = shop;
  await world.create(Service, aService());
  const ours = { finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: `${world.namespace}/ngrok` } };
  await world.create(Service, aService({ metadata: { name: "ours", ...ours } }));
  // On this quiet API server the Services would go in the same moment.
  const going = async (request: KubeRequest): Promise<unknown> => {
    const answer = (await world.connection.request(request)) as { items: KubeObject[] };
    const items = answer.items.map((one) =>
      one.metadata.name === world.namespace
        ? { ...one, metadata: { ...one.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } }
        : one,
    );
    return { ...answer, items };
  };
  world.start({
    intercept: (request) =>
      request.method === "GET" && request.path === "/api/v1/namespaces" ? going(request) : undefined,
  });
  await world.until(Service, "ours", isReached);
  await world.quiet();
  expect((await world.get(Service, "database"))?.metadata.finalizers).toBeUndefined();
  expect(world.api.objects("reserved_addrs")).toMatchObject([{ description: `Reserved for ${world.namespace}/ours` }]);
});
