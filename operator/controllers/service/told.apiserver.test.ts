// A Service that asks for what cannot be had is told so, in an event and in a condition of its own: which field, and what to
// write instead. Who mends it is served.
import { expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { Event, Service, type ServiceObject } from "#kube/kinds.ts";
import { aService } from "#test/support/builders.ts";
import { startShop } from "#test/support/shop.ts";
import type { World } from "#test/support/world.ts";
import { PROGRAMMED } from "./shown.ts";

const signal = (): AbortSignal => AbortSignal.timeout(60_000);

/** `reason: note` of each event on the Service. */
async function told({ read, namespace }: World): Promise<string[]> {
  const found: string[] = [];
  for await (const { items } of read.pages(Event, { namespace }, signal())) {
    const about = items.filter(({ regarding }) => regarding.kind === Service.kind && regarding.name === "database");
    found.push(...about.map(({ reason, note }) => `${reason}: ${note}`));
  }
  return found;
}

async function urls({ read, namespace }: World): Promise<string[]> {
  const found: string[] = [];
  for await (const { items } of read.pages(AgentEndpoint, { namespace }, signal()))
    found.push(...items.map(({ spec }) => spec.url));
  return found;
}

/** `status reason: message` of our condition. */
function said({ status }: ServiceObject): string {
  const found = status?.conditions?.find(({ type }) => type === PROGRAMMED);
  return found === undefined ? "" : `${found.status} ${found.reason}: ${found.message}`;
}

async function annotate(world: World, annotations: Record<string, string>): Promise<void> {
  const { metadata } = (await world.get(Service, "database"))!;
  const value = { ...metadata.annotations, ...annotations };
  const operation = { op: "add" as const, path: "/metadata/annotations", value };
  const at = { name: "database", namespace: world.namespace };
  await world.write.patch(Service, at, metadata.uid ?? "", [operation], signal());
}

const annotated = (annotations: Record<string, string>): ServiceObject => aService({ metadata: { annotations } });

test.for([
  ["url", "ftp://db.example.com", "FailedToGetListenerURL", /is not known: use https:\/\/, http:\/\/, tls:\/\/ or tcp/],
  ["url", "tcp://1.tcp.ngrok.io", "FailedToGetListenerURL", /names no port: write tcp:\/\/1\.tcp\.ngrok\.io:<port>$/],
  ["url", "", "FailedToGetListenerURL", /the URL is empty: write one like/],
  ["traffic-policy", "absent", "FailedToBuildEndpoints", /absent is not in namespace .*: create it or name another$/],
  ["traffic-policy", "a,b", "FailedToBuildEndpoints", /"a,b" is not exactly one name: write that of one/],
  ["bindings", "privat", "FailedToBuildEndpoints", /"privat" is not exactly one binding: write public, internal or/],
] as const)(
  "annotation %s of %j: nothing is made, and event and condition say what to write",
  async ([suffix, value, reason, remedy]) => {
    await using shop = await startShop();
    const { world } = shop;
    await world.create(Service, annotated({ [`ngrok.com/${suffix}`]: value }));
    const service = await world.until(Service, "database", (one) => said(one) !== "");
    const [, message = ""] = said(service).split(`False ${reason}: `);
    expect(message).toMatch(remedy);
    expect(message.startsWith(`metadata.annotations["ngrok.com/${suffix}"]: `)).toBe(true);
    await expect.poll(async () => await told(world)).toContain(`${reason}: ${message}`);
    await world.quiet();
    expect(await urls(world)).toEqual([]);
    expect(world.api.objects("reserved_addrs")).toEqual([]);
  },
);

test("a strategy that is unknown is served as the usual one, and that is said in event and condition", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await world.create(Service, annotated({ "k8s.ngrok.com/mapping-strategy": "edges" }));
  const service = await world.until(Service, "database", (one) => said(one) !== "");
  const problem =
    'metadata.annotations["k8s.ngrok.com/mapping-strategy"]: "edges" is not a mapping strategy: write endpoints, endpoints-collapsed or endpoints-verbose; endpoints is used';
  const [url = ""] = await urls(world);
  expect(said(service)).toBe(`True Reconciled: its endpoints serve ${url}, but for ${problem}`);
  await expect.poll(async () => await told(world)).toContain(`FailedToGetMappingStrategy: ${problem}`);
});

test("who mends one mistake hears of the next, and in the end is served; what others say of the Service stays, and is nothing to write about", async () => {
  await using shop = await startShop();
  const { world } = shop;
  const bad = { "ngrok.com/bindings": "privat" };
  await world.create(Service, annotated({ ...bad, "ngrok.com/url": "ftp://db" }));
  await world.until(Service, "database", (one) => said(one).includes("bindings"));
  await annotate(world, { "ngrok.com/bindings": "public" });
  await world.until(Service, "database", (one) => said(one).includes("ngrok.com/url"));
  const theirs = {
    type: "example.com/Seen",
    status: "True",
    reason: "Seen",
    message: "",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  };
  const { metadata, status } = (await world.get(Service, "database"))!;
  await world.connection.request({
    method: "PATCH",
    path: `/api/v1/namespaces/${world.namespace}/services/${metadata.name}/status`,
    query: { fieldManager: "example" },
    contentType: "application/merge-patch+json",
    body: { status: { conditions: [...(status?.conditions ?? []), theirs] } },
    signal: signal(),
  });
  await annotate(world, { "ngrok.com/url": "tls://db.ngrok.app:443" });
  const served = await world.until(Service, "database", (one) => said(one).startsWith("True"));
  expect(said(served)).toBe("True Reconciled: its endpoints serve tls://db.ngrok.app:443");
  expect(served.status?.conditions).toContainEqual(theirs);
  await world.quiet();
  const written = world.written().length;
  await world.touch(Service, "database", "/metadata/labels", { seen: "yes" });
  await world.quiet();
  expect(world.written().slice(written)).toEqual([]);
});

test("an address that ngrok does not give is said in the condition, until there is one", async () => {
  await using shop = await startShop();
  const { world } = shop;
  const refuse = world.api.faults.add({
    kind: "status",
    status: 503,
    times: Infinity,
    match: { path: /reserved_addrs/, method: "POST" },
  });
  await world.create(Service, aService());
  const waits = await world.until(Service, "database", (one) => said(one).startsWith("False"));
  expect(said(waits)).toMatch(/^False FailedToReserveTCPAddr: ./);
  await expect.poll(async () => await told(world)).toContainEqual(expect.stringMatching(/^FailedToReserveTCPAddr: ./));
  // The Service is there: nobody is told that it could not be made.
  expect((await told(world)).filter((one) => one.startsWith("Creat"))).toEqual([]);
  refuse.remove();
  const served = await world.until(Service, "database", (one) => said(one).startsWith("True"));
  expect(said(served)).toMatch(/^True Reconciled: its endpoints serve tcp:/);
});

test("legacy annotations on a Service that is served already are told, one event for each", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await world.create(Service, annotated({ "ngrok.com/url": "tls://db.ngrok.app:443" }));
  await world.until(Service, "database", (one) => said(one).startsWith("True"));
  await annotate(world, { "k8s.ngrok.com/bindings": "public", "k8s.ngrok.com/pooling-enabled": "false" });
  const legacy = (key: string): string =>
    `LegacyAnnotation: k8s.ngrok.com/${key}: the prefix k8s.ngrok.com/ is read for now only, write ngrok.com/${key}`;
  await expect
    .poll(async () => await told(world))
    .toEqual(expect.arrayContaining([legacy("bindings"), legacy("pooling-enabled")]));
});

test("a Service that is ngrok's no more says nothing of it any more", async () => {
  await using shop = await startShop();
  const { world } = shop;
  await world.create(Service, aService());
  const { metadata } = await world.until(Service, "database", (one) => said(one).startsWith("True"));
  const at = { name: "database", namespace: world.namespace };
  const operations = [
    { op: "remove" as const, path: "/spec/loadBalancerClass" },
    { op: "replace" as const, path: "/spec/type", value: "ClusterIP" },
  ];
  await world.write.patch(Service, at, metadata.uid ?? "", operations, signal());
  const free = await world.until(Service, "database", (one) => said(one) === "");
  expect(free.metadata.finalizers).toBeUndefined();
});
