// The poller on a real API server and ngrok's wire: what the account serves here becomes BoundEndpoints, through bad days.
import { expect, test } from "vitest";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { controllerLabels } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { boundEndpointName } from "#api/names.ts";
import { type KubeObject, refOf } from "#kube/kind.ts";
import { Event } from "#kube/kinds.ts";
import { applyStatus } from "#kube/status.ts";
import { aBoundEndpoint, aKubernetesOperator } from "#test/support/builders.ts";
import type { Fault } from "#test/support/ngrok-api/faults.ts";
import { startWorld, type World, type WorldOptions } from "#test/support/world.ts";
import { boundEndpointController } from "../bound-endpoint/controller.ts";
import { bindingPollerController } from "./controller.ts";

const controllers = [bindingPollerController];
const { signal } = new AbortController();
const WEB = "http://web.default:80";
const DB = "tcp://db.prod:5432";

async function aWorld(more: Partial<WorldOptions> = {}): Promise<World> {
  return await startWorld({ controllers, options: { features: ["bindings"] }, ...more });
}

async function serve(world: World, url: string, pooling_enabled = true): Promise<string> {
  return await world.api.add("endpoints", { type: "cloud", url, bindings: ["kubernetes"], pooling_enabled });
}

/** A registration at ngrok, and the install's own object with its id. */
async function register(world: World): Promise<string> {
  const id = await world.api.add("kubernetes_operators", {
    deployment: { name: "ngrok", namespace: world.namespace },
    enabled_features: ["bindings"],
    binding: { endpoint_selectors: ["true"] },
  });
  const operator =
    (await world.get(KubernetesOperator, "ngrok")) ??
    (await world.create(KubernetesOperator, aKubernetesOperator({ metadata: { name: "ngrok" } })));
  const registered = { type: "Registered", status: "True", reason: "Registered", message: "" };
  const conditions = [{ ...registered, lastTransitionTime: "2026-01-01T00:00:00Z" }];
  await applyStatus(world.connection, KubernetesOperator, refOf(operator), { id, conditions }, "test", signal);
  return id;
}

async function urls(world: World): Promise<string[]> {
  const found: string[] = [];
  for await (const { items } of world.read.pages(BoundEndpoint, { namespace: world.namespace }, signal))
    found.push(...items.map(({ spec }) => spec.endpointURL));
  return found.toSorted();
}

async function there(world: World, ...wanted: string[]): Promise<void> {
  await expect.poll(async () => await urls(world)).toEqual(wanted.toSorted());
}

/** When they were asked for, in milliseconds. */
function pollTimes(world: World, id: string): number[] {
  const path = `/kubernetes_operators/${id}/bound_endpoints`;
  return world.api.ledger.entries().flatMap((entry) => (entry.path === path ? [entry.at] : []));
}

function polls(world: World, id: string): number {
  return pollTimes(world, id).length;
}

/** The note of a Warning about the install's own object. */
async function toldOf(world: World): Promise<string[]> {
  const notes: string[] = [];
  for await (const { items } of world.read.pages(Event, { namespace: world.namespace }, signal))
    for (const { type, regarding, note } of items)
      if (type === "Warning" && regarding.kind === KubernetesOperator.kind) notes.push(note);
  return notes;
}

test("what is served here when the install is registered is bound at once, and one bad endpoint is told and stops nothing (W20)", async () => {
  await using world = await aWorld();
  const ids = [await serve(world, WEB), await serve(world, "http://web.default")];
  await serve(world, DB);
  const bad = await serve(world, "https://far.too.many.parts");
  await world.quiet();
  expect(await urls(world)).toEqual([]);

  await register(world);

  await there(world, WEB, DB);
  const web = await world.until(
    BoundEndpoint,
    boundEndpointName(WEB),
    ({ status }) => status?.hashedName !== undefined,
  );
  expect(web.metadata.labels).toEqual(controllerLabels(world.namespace, "ngrok-operator-manager"));
  expect(web.spec).toMatchObject({ scheme: "http", target: { service: "web", namespace: "default", port: 80 } });
  expect(web.status?.endpointsSummary).toBe("2 endpoints");
  expect(web.status?.endpoints?.map(({ id }) => id)).toEqual(ids.toSorted());
  await expect
    .poll(async () => await toldOf(world))
    .toContainEqual(
      expect.stringContaining(`endpoint ${bad}: the host far.too.many.parts is not <service>.<namespace>`),
    );
});

test("every ten seconds it is seen what is served here, and what is no more; where nothing changes nothing is written", async () => {
  await using world = await aWorld();
  const first = await serve(world, WEB);
  const id = await register(world);
  await there(world, WEB);
  await world.quiet();
  const [before, asked] = [world.written().length, polls(world, id)];
  await expect.poll(() => polls(world, id)).toBeGreaterThan(asked);
  await world.quiet();
  expect(world.written().slice(before)).toEqual([]);
  // Not sooner: one that comes late, as a busy machine lets it, makes the next seem early by as much.
  const times = pollTimes(world, id);
  expect(((times.at(-1) ?? 0) - (times[0] ?? 0)) / (times.length - 1)).toBeGreaterThan(7_000);

  await serve(world, DB);
  const path = `/endpoints/${first}`;
  await fetch(`${world.api.url}${path}`, {
    method: "DELETE",
    headers: { authorization: "Bearer k", "ngrok-version": "2" },
  });
  await there(world, DB);
});

test("another registration is asked for at once", async () => {
  await using world = await aWorld();
  let id = await register(world);
  await expect.poll(() => polls(world, id)).toBeGreaterThan(0);
  // The next look would be ten seconds after the one before, each time; a busy machine is late by chance.
  const lags: number[] = [];
  while (lags.length < 4 && !lags.some((ms) => ms < 9_000)) {
    const before = id;
    id = await register(world);
    await expect.poll(() => polls(world, id)).toBeGreaterThan(0);
    const [last = 0, next = 0] = [pollTimes(world, before).at(-1), pollTimes(world, id)[0]];
    lags.push(next - last);
  }
  expect(Math.min(...lags)).toBeLessThan(9_000);
});

const bound = { path: /bound_endpoints/ };

test.for<readonly [string, Fault]>([
  ["answers 500 three times", { kind: "status", status: 500, match: bound, times: 3 }],
  ["asks to wait a second", { kind: "status", status: 429, retryAfter: 1, match: bound, times: 2 }],
  ["resets the connection", { kind: "reset", match: bound, times: 2 }],
  ["breaks off in the middle", { kind: "partial", match: bound, times: 2 }],
  ["does not answer at all", { kind: "hang", match: bound, times: 1 }],
  ["does not know the registration for a while", { kind: "status", status: 404, match: bound, times: 1 }],
])("ngrok %s: nothing is taken away, and it goes on as soon as it can", async ([, fault]) => {
  await using world = await aWorld();
  await serve(world, WEB);
  const id = await register(world);
  await there(world, WEB);
  const added = world.api.faults.add(fault);
  await serve(world, DB);
  // Asked at once.
  const again = await register(world);
  expect(again).not.toBe(id);
  await there(world, WEB, DB);
  expect(added.hits).toBeGreaterThan(0);
  expect(world.written().filter((write) => write.startsWith("DELETE"))).toEqual([]);
});

test("an entry without id is told, takes nothing away and stops none of the others (W20)", async () => {
  await using world = await aWorld();
  await serve(world, WEB);
  await register(world);
  await there(world, WEB);
  const endpoints = [null, { public_url: "http://lost.default" }, { id: "ep_db", proto: "tcp", public_url: DB }];
  const text = JSON.stringify({ endpoints });
  const spoilt = world.api.faults.add({ kind: "status", status: 200, text, match: bound, times: Infinity });
  await register(world);
  await there(world, WEB, DB);
  await expect
    .poll(async () => await toldOf(world))
    .toContainEqual(expect.stringMatching(/no BoundEndpoint is taken away.*ngrok lists http:\/\/lost.default:80/));
  await world.quiet();
  expect(await urls(world)).toEqual([WEB, DB].toSorted());
  spoilt.remove();
  await there(world, WEB);
});

test("a second page that fails takes nothing away", async () => {
  await using world = await aWorld();
  for (let n = 0; n < 150; n += 1) await serve(world, `http://s${n}.default`);
  await register(world);
  await expect.poll(async () => (await urls(world)).length).toBe(150);
  world.api.faults.add({ kind: "status", status: 500, match: bound, skip: 1, times: 2 });
  const again = await register(world);
  await expect.poll(() => polls(world, again)).toBeGreaterThan(3);
  await world.quiet();
  expect(await urls(world)).toHaveLength(150);
  expect(world.written().filter((write) => write.startsWith("DELETE"))).toEqual([]);
});

test("a thousand endpoints come in pages and are bound, each at a port of its own", async () => {
  await using world = await aWorld();
  for (let n = 0; n < 1000; n += 1) await serve(world, `http://s${n}.default`);
  const id = await register(world);
  await expect.poll(async () => (await urls(world)).length, { timeout: 240_000, interval: 500 }).toBe(1000);
  const ports = new Set<number>();
  for await (const { items } of world.read.pages(BoundEndpoint, { namespace: world.namespace }, signal))
    for (const { spec } of items) ports.add(spec.port);
  expect(ports.size).toBe(1000);
  // A look under way has not had all of its pages yet.
  await expect.poll(() => polls(world, id) % 10).toBe(0);
});

test("what others made stays whatever ngrok lists, here and elsewhere (W20)", async () => {
  await using world = await aWorld({ everywhere: true });
  await using elsewhere = await aWorld({ start: false });
  const labelled = (name: string) => controllerLabels(world.namespace, name);
  const others: readonly KubeObject["metadata"][] = [
    { name: "others", labels: labelled("another-manager") },
    { name: "persons", annotations: { "ngrok.com/drain-owner": `${world.namespace}/ngrok` } },
    { name: boundEndpointName(WEB), annotations: { "ngrok.com/drain-owner": `${world.namespace}/another` } },
  ];
  for (const metadata of others) await world.create(BoundEndpoint, aBoundEndpoint({ metadata }));
  await elsewhere.create(
    BoundEndpoint,
    aBoundEndpoint({ metadata: { name: "there", labels: labelled("ngrok-operator-manager") } }),
  );
  await world.create(
    BoundEndpoint,
    aBoundEndpoint({ metadata: { name: "ours", labels: labelled("ngrok-operator-manager") } }),
  );
  await serve(world, WEB);
  await serve(world, DB);
  await register(world);
  await world.gone(BoundEndpoint, "ours");
  await world.until(BoundEndpoint, boundEndpointName(DB), () => true);
  await world.quiet();
  for (const { name } of others)
    expect((await world.get(BoundEndpoint, name))?.metadata.deletionTimestamp).toBeUndefined();
  expect(await elsewhere.get(BoundEndpoint, "there")).toBeDefined();
  expect(await toldOf(world)).toContainEqual(
    expect.stringContaining(`belongs to the release ${world.namespace}/another`),
  );
});

test("a mark in the middle stops it there and then, not at the next tick (W21)", async () => {
  await using world = await aWorld({ start: false });
  for (let n = 0; n < 300; n += 1) await serve(world, `http://s${n}.default`);
  const creations = (): number => world.written().filter((write) => /^POST .*boundendpoints/.test(write)).length;
  const hasHeard = (): boolean => world.manager.log.some(({ msg }) => msg === "closed: nothing is written");
  let marked: Promise<void> | undefined;
  world.start({
    intercept(request) {
      if (request.method !== "POST" || !request.path.endsWith("/boundendpoints") || creations() < 20) return undefined;
      marked ??= world.mark("Draining").then(async () => await expect.poll(hasHeard).toBe(true));
      // No faster than the mark is heard of.
      return marked.then(async () => await world.connection.request(request));
    },
  });
  await register(world);
  await expect.poll(hasHeard).toBe(true);
  await world.quiet();
  const made = (await urls(world)).length;
  expect(made).toBeGreaterThan(0);
  // Those in flight as the mark was heard of, and the few begun before.
  expect(made).toBeLessThan(60);
  world.start();
  await world.quiet();
  expect(await urls(world)).toHaveLength(made);
});

test("with bindings switched off what was bound goes, and a person's own BoundEndpoint stays", async () => {
  await using world = await aWorld({ controllers: [bindingPollerController, boundEndpointController] });
  await serve(world, WEB);
  await register(world);
  await world.create(BoundEndpoint, aBoundEndpoint({ metadata: { name: "theirs" } }));
  await world.until(BoundEndpoint, boundEndpointName(WEB), ({ metadata }) => (metadata.finalizers ?? []).length > 0);
  await world.until(BoundEndpoint, "theirs", ({ metadata }) => (metadata.finalizers ?? []).length > 0);
  await world.manager.stop();

  world.start({ options: { features: [] } });
  await world.gone(BoundEndpoint, boundEndpointName(WEB));
  await world.until(BoundEndpoint, "theirs", ({ metadata }) => (metadata.finalizers ?? []).length === 0);
  await world.quiet();
  expect(await world.get(BoundEndpoint, "theirs")).toBeDefined();
});
