// The Services of BoundEndpoints on a real API server: made, kept, moved and taken away, and never a user's.
import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { FINALIZERS } from "#api/keys.ts";
import { refOf } from "#kube/kind.ts";
import { Event, Namespace, Service, type ServiceObject } from "#kube/kinds.ts";
import { applyStatus } from "#kube/status.ts";
import type { JsonPatchOperation } from "#kube/writer.ts";
import { aBoundEndpoint } from "#test/support/builders.ts";
import { aForwarder, goes } from "#test/support/replica-pods.ts";
import { condition, isReady, startWorld, type World, type WorldOptions } from "#test/support/world.ts";
import { boundEndpointController } from "./controller.ts";

const controllers = [boundEndpointController];
const { signal } = new AbortController();

async function aWorld(more: Partial<WorldOptions> = {}): Promise<World> {
  return await startWorld({ controllers, everywhere: true, options: { features: ["bindings"] }, ...more });
}

/** For the Service `service` of the world's own namespace, unless another is named. */
function bound(world: World, service: string, target: { namespace?: string; port?: number; metadata?: object } = {}) {
  const { namespace = world.namespace, port = 80, metadata } = target;
  return aBoundEndpoint({
    metadata: { name: `be-${service}` },
    spec: {
      endpointURL: `http://${service}.${namespace}:${port}`,
      port: 10_123,
      target: { service, namespace, port, ...(metadata === undefined ? {} : { metadata }) },
    },
  });
}

async function patch(world: World, name: string, ...operations: JsonPatchOperation[]): Promise<void> {
  const { uid = "" } = (await world.get(BoundEndpoint, name))?.metadata ?? {};
  await world.write.patch(BoundEndpoint, { name, namespace: world.namespace }, uid, operations, signal);
}

function message(endpoint: BoundEndpoint, type: string): string {
  return endpoint.status?.conditions?.find((one) => one.type === type)?.message ?? "";
}

/** A Warning about the object that says this. */
async function told(world: World, name: string, words: string): Promise<void> {
  const found = await expect
    .poll(async () => {
      for await (const { items } of world.read.pages(Event, { namespace: world.namespace }, signal))
        for (const { type, regarding, note } of items)
          if (type === "Warning" && regarding.name === name && note.includes(words)) return true;
      return false;
    })
    .toBe(true);
  return found;
}

test("both Services are made as workloads and forwarders need them, and nothing is written when nothing changes", async () => {
  await using world = await aWorld({
    options: { features: ["bindings"], clusterDomain: "svc.example.internal" },
  });
  const labels = {
    team: "billing",
    "app.kubernetes.io/managed-by": "us",
    "ngrok.com/endpoint-binding-name": "another",
  };
  await world.create(
    BoundEndpoint,
    bound(world, "billing", { port: 8080, metadata: { labels, annotations: { "example.com/a": "b" } } }),
  );
  const ready = await world.until(BoundEndpoint, "be-billing", isReady);
  const host = `be-billing.${world.namespace}.svc.example.internal`;
  const binding = {
    "ngrok.com/endpoint-binding-name": "be-billing",
    "ngrok.com/endpoint-binding-namespace": world.namespace,
    "bindings.k8s.ngrok.com/endpoint-binding-name": "be-billing",
    "bindings.k8s.ngrok.com/endpoint-binding-namespace": world.namespace,
  };
  const upstream = await world.get(Service, "be-billing");
  expect(upstream?.metadata.labels).toEqual({ "app.kubernetes.io/managed-by": "ngrok-operator", ...binding });
  expect(upstream?.metadata.annotations).toEqual({
    "ngrok.com/endpoint-url": host,
    "bindings.k8s.ngrok.com/endpoint-url": host,
  });
  expect(upstream?.spec).toMatchObject({
    type: "ClusterIP",
    selector: { "app.kubernetes.io/component": "bindings-forwarder", "app.kubernetes.io/instance": "ngrok" },
    ports: [{ name: "http", protocol: "TCP", port: 8080, targetPort: 10_123 }],
    sessionAffinity: "ClientIP",
    internalTrafficPolicy: "Cluster",
  });
  const target = await world.get(Service, "billing");
  expect(target?.metadata.labels).toEqual({ team: "billing", "app.kubernetes.io/managed-by": "us", ...binding });
  expect(target?.metadata.annotations).toMatchObject({ "example.com/a": "b" });
  expect(target?.spec).toMatchObject({
    type: "ExternalName",
    externalName: host,
    ports: [{ name: "http", protocol: "TCP", port: 8080, targetPort: 8080 }],
  });
  expect(ready.status?.upstreamServiceRef).toEqual({ name: "be-billing" });
  expect(ready.status?.targetServiceRef).toEqual({ name: "billing", namespace: world.namespace });
  expect(condition(ready, "ServicesCreated")).toBe("True ServicesCreated");
  expect(condition(ready, "ConnectivityVerified")).toBe("True ConnectivityVerified");
  expect(condition(ready, "Ready")).toBe("True BoundEndpointReady");
  await world.quiet();
  const before = world.written().length;
  await patch(world, "be-billing", { op: "add", path: "/metadata/labels", value: { touched: "yes" } });
  await world.quiet();
  expect(world.written().slice(before)).toEqual([]);
});

test("what somebody takes from our Services comes back, what they add beside it stays", async () => {
  await using world = await aWorld();
  await world.create(BoundEndpoint, bound(world, "billing"));
  await world.until(BoundEndpoint, "be-billing", isReady);
  const { uid = "" } = (await world.get(Service, "be-billing"))?.metadata ?? {};
  const operations: JsonPatchOperation[] = [
    { op: "replace", path: "/spec/selector", value: { app: "theirs" } },
    { op: "add", path: "/metadata/annotations/example.com~1mesh", value: "on" },
  ];
  await world.write.patch(Service, { name: "be-billing", namespace: world.namespace }, uid, operations, signal);
  const after = await world.until(Service, "be-billing", ({ spec }) => spec?.selector?.["app"] === undefined);
  expect(after.metadata.annotations).toMatchObject({ "example.com/mesh": "on" });
  await world.remove(Service, "billing");
  await world.until(Service, "billing", ({ spec }) => spec?.type === "ExternalName");
});

test("a label and an annotation that are asked for no more go from the Service, what others added stays", async () => {
  await using world = await aWorld();
  const metadata = { labels: { team: "billing" }, annotations: { "example.com/a": "b" } };
  await world.create(BoundEndpoint, bound(world, "billing", { metadata }));
  await world.until(BoundEndpoint, "be-billing", isReady);
  await world.touch(Service, "billing", "/metadata/labels/mesh", "on");
  await world.touch(Service, "billing", "/metadata/annotations/note", "theirs");
  await patch(world, "be-billing", { op: "remove", path: "/spec/target/metadata" });
  const after = await world.until(Service, "billing", (one) => one.metadata.labels?.["team"] === undefined);
  expect(after.metadata.labels).toMatchObject({ mesh: "on", "app.kubernetes.io/managed-by": "ngrok-operator" });
  expect(after.metadata.annotations).toEqual({ note: "theirs" });
});

test("a user's Service of the target's name is not touched: the condition names it, and its end is heard of", async () => {
  await using world = await aWorld();
  const users = { metadata: { name: "billing" }, spec: { ports: [{ port: 80 }], selector: { app: "billing" } } };
  const made = await world.create<ServiceObject>(Service, users);
  await world.create(BoundEndpoint, bound(world, "billing"));
  const blocked = await world.until(BoundEndpoint, "be-billing", (one) => condition(one, "Ready") !== undefined);
  expect(condition(blocked, "ServicesCreated")).toBe("False ServiceCreationFailed");
  expect(message(blocked, "Ready")).toContain(`Service ${world.namespace}/billing was not made by the operator`);
  expect(message(blocked, "Ready")).toContain("rename or delete it");
  await told(world, "be-billing", `Service ${world.namespace}/billing was not made by the operator`);
  await world.quiet();
  expect((await world.get(Service, "billing"))?.metadata.resourceVersion).toBe(made.metadata.resourceVersion);

  await world.remove(Service, "billing");
  await world.until(BoundEndpoint, "be-billing", isReady);
});

test("with the BoundEndpoint both Services go, a user's of the same name stays (W10)", async () => {
  await using world = await aWorld();
  await world.create<ServiceObject>(Service, { metadata: { name: "users" }, spec: { ports: [{ port: 80 }] } });
  for (const service of ["billing", "half", "users"]) await world.create(BoundEndpoint, bound(world, service));
  for (const service of ["billing", "half"]) await world.until(BoundEndpoint, `be-${service}`, isReady);
  await world.until(BoundEndpoint, "be-users", (one) => condition(one, "Ready") !== undefined);
  // As if another had just taken it: its own Service has to go all the same.
  await world.manager.stop();
  await world.remove(Service, "half");
  world.start();
  for (const service of ["billing", "half", "users"]) await world.remove(BoundEndpoint, `be-${service}`);
  for (const service of ["billing", "half", "users"]) await world.gone(BoundEndpoint, `be-${service}`);
  for (const service of ["billing", "half"])
    for (const name of [service, `be-${service}`]) expect(await world.get(Service, name), name).toBeUndefined();
  expect(await world.get(Service, "be-users")).toBeUndefined();
  expect(await world.get(Service, "users")).toBeDefined();
});

test("where the target becomes another, what was made for the one before goes, also if it is deleted in the middle (W10)", async () => {
  await using world = await aWorld();
  await world.create(BoundEndpoint, bound(world, "old"));
  await world.until(BoundEndpoint, "be-old", isReady);
  await patch(world, "be-old", { op: "replace", path: "/spec/target/service", value: "new" });
  await world.until(BoundEndpoint, "be-old", ({ status }) => status?.targetServiceRef?.name === "new");
  expect(await world.get(Service, "old")).toBeUndefined();
  await world.manager.stop();
  await patch(world, "be-old", { op: "replace", path: "/spec/target/service", value: "newest" });
  await world.remove(BoundEndpoint, "be-old");
  world.start();
  await world.gone(BoundEndpoint, "be-old");
  for (const name of ["new", "newest", "be-old"]) expect(await world.get(Service, name)).toBeUndefined();
});

test("of two endpoints of one host the first is served, the other says which it is", async () => {
  await using world = await aWorld();
  await world.create(BoundEndpoint, bound(world, "billing"));
  await world.until(BoundEndpoint, "be-billing", isReady);
  const second = bound(world, "billing", { port: 443 });
  await world.create(BoundEndpoint, { ...second, metadata: { ...second.metadata, name: "be-second" } });
  const blocked = await world.until(BoundEndpoint, "be-second", (one) => condition(one, "Ready") !== undefined);
  expect(message(blocked, "Ready")).toContain(`serves BoundEndpoint ${world.namespace}/be-billing`);
  await world.remove(BoundEndpoint, "be-billing");
  await world.until(BoundEndpoint, "be-second", isReady);
});

test("a namespace that is missing is named, and its coming is heard of", async () => {
  await using world = await aWorld();
  const namespace = `late-${randomUUID().slice(0, 8)}`;
  await world.create(BoundEndpoint, bound(world, "billing", { namespace }));
  const waiting = await world.until(BoundEndpoint, "be-billing", (one) => condition(one, "Ready") !== undefined);
  expect(condition(waiting, "Ready")).toBe("False ServiceCreationFailed");
  expect(message(waiting, "Ready")).toContain(`namespace ${namespace} is not there: create it`);
  await world.write.create(Namespace, { metadata: { name: namespace } }, signal);
  await world.until(BoundEndpoint, "be-billing", isReady);
  await world.remove(BoundEndpoint, "be-billing");
  await world.gone(BoundEndpoint, "be-billing");
  expect(await world.read.get(Service, { name: "billing", namespace }, signal)).toBeUndefined();
});

test("a connection that hangs holds up no other endpoint, and one that fails is a condition with the command to look", async () => {
  await using world = await aWorld({
    dial: async ({ host }, ending) => {
      if (host.startsWith("hangs"))
        await new Promise((_, reject) => ending.addEventListener("abort", () => reject(new Error("ended"))));
      if (host.startsWith("fails")) throw new Error(`${host}:80: connect ECONNREFUSED`);
    },
  });
  const hanging = Array.from({ length: 9 }, (_, n) => `hangs-${n}`);
  for (const service of [...hanging, "fails", "works"]) await world.create(BoundEndpoint, bound(world, service));
  await world.until(BoundEndpoint, "be-works", isReady);
  for (const service of hanging)
    await world.until(
      BoundEndpoint,
      `be-${service}`,
      (one) =>
        condition(one, "Ready") === "False ConnectivityNotVerified" && one.status?.targetServiceRef !== undefined,
    );
  const failing = await world.until(
    BoundEndpoint,
    "be-fails",
    (one) => condition(one, "Ready") === "False ConnectivityFailed",
  );
  expect(message(failing, "Ready")).toContain("ECONNREFUSED");
  expect(message(failing, "Ready")).toContain("kubectl -n");
  await world.mark("Draining");
  await world.quiet();
});

test("what a forwarder says is in the way is in the condition, until it is not, or its pod is gone", async () => {
  await using world = await aWorld();
  await aForwarder(world, "forwarder-1");
  const made = await world.create(BoundEndpoint, bound(world, "billing"));
  await world.until(BoundEndpoint, "be-billing", isReady);
  const say = async (reason: string): Promise<void> => {
    const replicas = [{ pod: "forwarder-1", observedGeneration: 1, reason, message: "port 10123 is in use" }];
    await applyStatus(world.connection, BoundEndpoint, refOf(made), { replicas }, "forwarder-1", signal);
  };
  await say("PortUnavailable");
  const failing = await world.until(BoundEndpoint, "be-billing", (one) => !isReady(one));
  expect(condition(failing, "ConnectivityVerified")).toBe("False ConnectivityFailed");
  expect(message(failing, "Ready")).toContain("forwarder forwarder-1: port 10123 is in use");
  expect(failing.status?.replicas).toHaveLength(1);
  await say("Listening");
  await world.until(BoundEndpoint, "be-billing", isReady);
  await say("PortUnavailable");
  await world.until(BoundEndpoint, "be-billing", (one) => !isReady(one));
  await goes(world, "forwarder-1");
  const after = await world.until(BoundEndpoint, "be-billing", isReady);
  expect(after.status?.replicas ?? []).toEqual([]);
});

test("with bindings off the Services go, the claim comes off, and a deletion ends", async () => {
  await using world = await aWorld();
  for (const service of ["billing", "going"]) await world.create(BoundEndpoint, bound(world, service));
  for (const service of ["billing", "going"]) await world.until(BoundEndpoint, `be-${service}`, isReady);
  await world.manager.stop();
  await world.remove(BoundEndpoint, "be-going");
  world.start({ options: { features: ["ingress"] } });
  await world.gone(BoundEndpoint, "be-going");
  const isHeld = ({ metadata }: BoundEndpoint): boolean =>
    metadata.finalizers?.some((one) => FINALIZERS.includes(one)) === true;
  await world.until(BoundEndpoint, "be-billing", (one) => !isHeld(one));
  for (const name of ["billing", "be-billing", "going", "be-going"])
    expect(await world.get(Service, name)).toBeUndefined();
});
