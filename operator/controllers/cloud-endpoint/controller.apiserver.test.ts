// CloudEndpoints from creation to Ready, through crashes and deletions, on a real API server and ngrok's wire.
import { expect, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { pointerStep } from "#kube/paths.ts";
import { aCloudEndpoint, anNgrokTrafficPolicy } from "#test/support/builders.ts";
import { aPerson } from "#test/support/person.ts";
import { condition, isReady, startWorld, type World } from "#test/support/world.ts";
import { domainController } from "../domain/controller.ts";
import { trafficPolicyController } from "../traffic-policy/controller.ts";
import { cloudEndpointController } from "./controller.ts";

const controllers = [cloudEndpointController, domainController, trafficPolicyController];
const internal = { spec: { url: "https://web.internal", bindings: ["internal"] } };

test("an internal endpoint becomes Ready with one finalizer patch, one POST and one status write", async () => {
  await using world = await startWorld({ controllers });
  await world.create(CloudEndpoint, aCloudEndpoint(internal));

  const ready = await world.until(CloudEndpoint, "web", isReady);

  expect(ready.metadata.finalizers).toEqual([FINALIZER]);
  expect(ready.metadata.annotations?.[DRAIN_OWNER]).toBe(`${world.namespace}/ngrok`);
  expect(ready.status?.id).toMatch(/^ep_/);
  expect(ready.status?.observedGeneration).toBe(1);
  await world.quiet();
  expect(world.manager.writes.map((write) => write.replace(/^(\w+) .*\/cloudendpoints/, "$1 "))).toEqual([
    "PATCH /web",
    "PATCH /web/status",
  ]);
  expect(world.api.count("POST", "/endpoints")).toBe(1);
  expect(world.api.count("GET", "/endpoints")).toBe(0);
});

test("a public endpoint waits for its Domain, which is made beside it", async () => {
  await using world = await startWorld({ controllers, ngrok: { demandReservation: true } });
  await world.create(CloudEndpoint, aCloudEndpoint({ spec: { url: "https://shop.ngrok.app" } }));

  const ready = await world.until(CloudEndpoint, "web", isReady);

  expect(ready.status?.domainRef).toEqual({ name: "shop-ngrok-app", namespace: world.namespace });
  expect(condition(ready, "DomainReady")).toBe("True DomainActive");
  const domain = await world.get(Domain, "shop-ngrok-app");
  expect(domain?.metadata.labels?.["ngrok.com/controller-name"]).toBe("ngrok-operator-manager");
  await world.quiet();
  // Held as it is made. What takes longer than a moment, as on a busy machine, is told of before (domain.test.ts has the moment).
  const writes = world.manager.writes.map((write) => write.replace(/^(\w+) .*\/namespaces\/[^/]+\//, "$1 "));
  expect([...new Set(writes)].toSorted()).toEqual([
    "PATCH cloudendpoints/web",
    "PATCH cloudendpoints/web/status",
    "PATCH domains/shop-ngrok-app/status",
    "POST domains",
  ]);
  expect(domain?.metadata.finalizers).toEqual([FINALIZER]);
});

test("a Domain that nobody gets to is told of after a moment", async () => {
  await using world = await startWorld({ controllers: [cloudEndpointController] });
  await world.create(CloudEndpoint, aCloudEndpoint({ spec: { url: "https://shop.ngrok.app" } }));

  const waiting = await world.until(CloudEndpoint, "web", (one) => condition(one, "DomainReady") !== undefined);

  expect(condition(waiting, "DomainReady")).toBe("False DomainCreating");
  expect(condition(waiting, "CloudEndpointCreated")).toBe("False Pending");
});

test("a missing traffic policy is said, and the endpoint follows once it is there and whenever it changes", async () => {
  await using world = await startWorld({ controllers });
  await world.create(
    CloudEndpoint,
    aCloudEndpoint({ spec: { ...internal.spec, trafficPolicy: { targetRef: { name: "limits" } } } }),
  );
  const waiting = await world.until(
    CloudEndpoint,
    "web",
    (one) => condition(one, "TrafficPolicyApplied") !== undefined,
  );
  expect(condition(waiting, "Ready")).toBe("False TrafficPolicyError");
  expect(world.api.count("POST", "/endpoints")).toBe(0);

  await world.create(NgrokTrafficPolicy, anNgrokTrafficPolicy({ metadata: { name: "limits" } }));

  const ready = await world.until(CloudEndpoint, "web", isReady);
  expect(condition(ready, "TrafficPolicyApplied")).toBe("True TrafficPolicyApplied");
});

test("an endpoint with nothing to do costs no call, after a touch and after a restart only one look", async () => {
  await using world = await startWorld({ controllers });
  const created = await world.create(CloudEndpoint, aCloudEndpoint(internal));
  await world.until(CloudEndpoint, "web", isReady);
  await world.quiet();
  const calls = world.api.ledger.total;
  const writes = world.manager.writes.length;

  const touch = [{ op: "add" as const, path: "/metadata/labels", value: { touched: "yes" } }];
  await world.write.patch(
    CloudEndpoint,
    { name: "web", namespace: world.namespace },
    created.metadata.uid ?? "",
    touch,
    AbortSignal.timeout(60_000),
  );
  await world.quiet();

  expect(world.api.ledger.total).toBe(calls);
  expect(world.manager.writes.length).toBe(writes);

  expect(await world.manager.stop()).toBe(0);
  const second = world.start();
  await expect.poll(() => world.api.count("GET", "/endpoints")).toBe(1);
  await world.quiet();
  expect(world.api.count("GET", "/endpoints")).toBe(1);
  expect(second.writes).toEqual([]);
});

/** A process makes it at ngrok and is gone after so many statuses; what there is when the next one has it Ready. */
async function afterACrash(statuses: number, create: (world: World) => Promise<unknown>) {
  await using world = await startWorld({ controllers, start: false });
  let written = 0;
  const first = world.start({
    intercept: (request) =>
      request.path.endsWith("/status") && (written += 1) > statuses
        ? Promise.reject(new Error("the process is gone"))
        : undefined,
  });
  await create(world);
  await expect.poll(() => world.api.objects("endpoints").length).toBe(1);
  await first.stop();

  world.start();

  const ready = await world.until(CloudEndpoint, "web", isReady);
  const atNgrok = world.api.objects("endpoints").map(({ id }) => (id === ready.status?.id ? "its own" : "a double"));
  return { atNgrok, created: world.api.count("POST", "/endpoints") };
}

test("a crash between the creation at ngrok and the status leaves no double: the next run finds the endpoint (F28)", async () => {
  const found = await afterACrash(0, async (world) => await world.create(CloudEndpoint, aCloudEndpoint(internal)));
  expect(found).toEqual({ atNgrok: ["its own"], created: 1 });
});

test("nor where a manifest has brought our claim along: that something is begun is said before it is (F28)", async () => {
  const found = await afterACrash(1, async (world) => {
    const stamped = { finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: `${world.namespace}/ngrok` } };
    await aPerson(world).create(CloudEndpoint, aCloudEndpoint({ ...internal, metadata: stamped }));
  });
  expect(found).toEqual({ atNgrok: ["its own"], created: 1 });
});

test("an answer that is lost leaves no double either", async () => {
  await using world = await startWorld({ controllers });
  world.api.faults.add({ kind: "reset", after: "commit", match: { method: "POST", path: /^\/endpoints$/ } });

  await world.create(CloudEndpoint, aCloudEndpoint(internal));

  await world.until(CloudEndpoint, "web", isReady);
  expect(world.api.objects("endpoints")).toHaveLength(1);
});

test("a refused endpoint does not take over the one that is in its way (F17)", async () => {
  await using world = await startWorld({ controllers });
  const metadata = aCloudEndpoint().spec.metadata as string;
  await world.api.add("endpoints", { type: "cloud", url: "https://web.internal", bindings: ["internal"], metadata });

  await world.create(CloudEndpoint, aCloudEndpoint(internal));

  const refused = await world.until(
    CloudEndpoint,
    "web",
    (one) => condition(one, "CloudEndpointCreated") !== undefined,
  );
  expect(condition(refused, "Ready")).toBe("False CloudEndpointCreationFailed");
  expect(refused.status?.id).toBeUndefined();
});

test("an endpoint that waited for its Domain does not take over another cluster's", async () => {
  await using world = await startWorld({ controllers });
  const url = "https://shop.ngrok.app";
  const theirs = await addTheirs(world, { url, bindings: ["public"] });

  await world.create(CloudEndpoint, aCloudEndpoint({ spec: { url, poolingEnabled: true } }));

  const ready = await world.until(CloudEndpoint, "web", isReady);
  expect(world.api.objects("endpoints").map(({ id }) => id)).toEqual([theirs, ready.status?.id]);
});

test("nor does one whose traffic policy came later", async () => {
  await using world = await startWorld({ controllers });
  const theirs = await addTheirs(world, { url: internal.spec.url, bindings: ["internal"] });
  const trafficPolicy = { targetRef: { name: "limits" } };
  await world.create(
    CloudEndpoint,
    aCloudEndpoint({ spec: { ...internal.spec, poolingEnabled: true, trafficPolicy } }),
  );
  await world.until(CloudEndpoint, "web", (one) => condition(one, "Ready") === "False TrafficPolicyError");

  await world.create(NgrokTrafficPolicy, anNgrokTrafficPolicy({ metadata: { name: "limits" } }));

  const ready = await world.until(CloudEndpoint, "web", isReady);
  expect(world.api.objects("endpoints")).toMatchObject([{ id: theirs, traffic_policy: "" }, { id: ready.status?.id }]);
});

test("a manifest that brings our finalizer along takes nothing of another's: not what another CloudEndpoint records (F17)", async () => {
  await using world = await startWorld({ controllers });
  await world.create(CloudEndpoint, aCloudEndpoint(internal));
  await world.until(CloudEndpoint, "web", isReady);
  const person = aPerson(world);
  const metadata = { name: "thief", finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: "no/body", other: "too" } };
  await person.create(CloudEndpoint, aCloudEndpoint({ ...internal, metadata }));
  await world.remove(CloudEndpoint, "thief");
  await person.edit(CloudEndpoint, "thief", `/metadata/annotations/${pointerStep(DRAIN_OWNER)}`, undefined);

  await world.gone(CloudEndpoint, "thief");
  expect(world.api.objects("endpoints")).toHaveLength(1);
});

test("nor what another cluster has made, which a manifest with our finalizer and stamp neither takes over nor deletes (F17)", async () => {
  await using world = await startWorld({ controllers });
  const theirs = await addTheirs(world, { url: internal.spec.url, bindings: ["internal"] });
  const stamped = { finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: `${world.namespace}/ngrok` } };
  const object = aCloudEndpoint({ metadata: stamped, spec: { ...internal.spec, poolingEnabled: true } });
  await aPerson(world).create(CloudEndpoint, object);

  const ready = await world.until(CloudEndpoint, "web", isReady);
  expect(world.api.objects("endpoints").map(({ id }) => id)).toEqual([theirs, ready.status?.id]);
  await world.remove(CloudEndpoint, "web");
  await world.gone(CloudEndpoint, "web");
  expect(world.api.objects("endpoints").map(({ id }) => id)).toEqual([theirs]);
});

/** As another cluster would have made it: with the metadata that all have. */
async function addTheirs({ api }: World, body: Record<string, unknown>): Promise<string> {
  const { metadata } = aCloudEndpoint().spec;
  return await api.add("endpoints", { type: "cloud", metadata, pooling_enabled: true, ...body });
}

test("one that is gone at ngrok is made anew, and looked for when the answer to that is lost", async () => {
  await using world = await startWorld({ controllers });
  await world.create(CloudEndpoint, aCloudEndpoint({ spec: { ...internal.spec, poolingEnabled: true } }));
  const before = await world.until(CloudEndpoint, "web", isReady);
  await world.manager.stop();
  world.api.reset();
  world.api.faults.add({ kind: "reset", after: "commit", match: { method: "POST", path: /^\/endpoints$/ } });

  world.start();

  const after = await world.until(CloudEndpoint, "web", (one) => isReady(one) && one.status?.id !== before.status?.id);
  expect(world.api.objects("endpoints")).toMatchObject([{ id: after.status?.id }]);
});

test("what changes in the spec changes at ngrok", async () => {
  await using world = await startWorld({ controllers });
  const created = await world.create(CloudEndpoint, aCloudEndpoint(internal));
  const ready = await world.until(CloudEndpoint, "web", isReady);

  const replace = [{ op: "replace" as const, path: "/spec/description", value: "now with words" }];
  await world.write.patch(
    CloudEndpoint,
    { name: "web", namespace: world.namespace },
    created.metadata.uid ?? "",
    replace,
    AbortSignal.timeout(60_000),
  );

  await world.until(CloudEndpoint, "web", (one) => one.status?.observedGeneration === 2);
  expect(world.api.objects("endpoints")).toMatchObject([{ id: ready.status?.id, description: "now with words" }]);
});

test("deletion takes the endpoint away at ngrok, then the finalizer off", async () => {
  await using world = await startWorld({ controllers });
  await world.create(CloudEndpoint, aCloudEndpoint(internal));
  await world.until(CloudEndpoint, "web", isReady);

  await world.remove(CloudEndpoint, "web");

  await world.gone(CloudEndpoint, "web");
  expect(world.api.objects("endpoints")).toEqual([]);
});

test("without an API key it says what to do, and nothing is lost", async () => {
  await using world = await startWorld({ controllers, keyless: true });
  await world.create(CloudEndpoint, aCloudEndpoint(internal));
  const waiting = await world.until(CloudEndpoint, "web", (one) => condition(one, "Ready") !== undefined);
  expect(waiting.status?.conditions?.find(({ type }) => type === "Ready")?.message).toContain(
    "credentials Secret under API_KEY",
  );
});
