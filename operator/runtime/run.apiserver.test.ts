// The runtime's promises on a real API server: one writer, a gate, and nothing lost at ngrok when a kind goes.
import { expect, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { namesOf } from "#api/release.ts";
import { parseState, stateRef } from "#drain/state.ts";
import { ConfigMap, Lease } from "#kube/kinds.ts";
import { aCloudEndpoint } from "#test/support/builders.ts";
import { HASTY, hookDrives } from "#test/support/hook-drives.ts";
import { isReady, startWorld, type World } from "#test/support/world.ts";
import { systemClock } from "#wire/clock.ts";
import { KnownError } from "#wire/errors.ts";
import { cloudEndpointController } from "../controllers/cloud-endpoint/controller.ts";
import { domainController } from "../controllers/domain/controller.ts";
import { kubernetesOperatorController } from "../controllers/kubernetes-operator/controller.ts";
import { trafficPolicyController } from "../controllers/traffic-policy/controller.ts";

const controllers = [cloudEndpointController, domainController, trafficPolicyController];

function anEndpoint(name: string) {
  return aCloudEndpoint({ metadata: { name }, spec: { url: `https://${name}.internal`, bindings: ["internal"] } });
}

async function holder(world: World): Promise<string | undefined> {
  return (await world.get(Lease, namesOf(world.release).lease))?.spec?.holderIdentity;
}

test("a mark in mid-run closes the gate: the leader frees the Lease and touches nothing that comes after (F3, W21)", async () => {
  await using world = await startWorld({ controllers });
  await world.create(CloudEndpoint, anEndpoint("before"));
  await world.until(CloudEndpoint, "before", isReady);

  // A Lease that is renewed goes to nobody before it is freed.
  await using _hook = await hookDrives(world);
  await world.create(CloudEndpoint, anEndpoint("after"));
  await world.remove(CloudEndpoint, "before");
  await world.quiet();

  expect((await world.get(CloudEndpoint, "after"))?.metadata.finalizers).toBeUndefined();
  expect((await world.get(CloudEndpoint, "before"))?.metadata.finalizers).toEqual([FINALIZER]);
  expect(world.api.count("DELETE")).toBe(0);
});

test("without a right to read CRDs an object still goes, and the KubernetesOperator still drains", async () => {
  const all = [...controllers, kubernetesOperatorController];
  await using world = await startWorld({ controllers: all, clusterWide: false, start: false });
  const forbidden = new KnownError("invalid", "forbidden", { status: 403 });
  world.start({
    intercept: ({ path }) => (path.includes("/customresourcedefinitions/") ? Promise.reject(forbidden) : undefined),
  });
  await world.create(CloudEndpoint, anEndpoint("goes"));
  await world.create(CloudEndpoint, anEndpoint("stays"));
  await world.until(CloudEndpoint, "goes", isReady);
  await world.until(CloudEndpoint, "stays", isReady);
  await world.until(KubernetesOperator, "ngrok", isReady);

  await world.remove(CloudEndpoint, "goes");
  await world.gone(CloudEndpoint, "goes");
  expect(world.api.objects("endpoints").map(({ url }) => url)).toEqual(["https://stays.internal"]);

  await world.remove(KubernetesOperator, "ngrok");
  await world.gone(KubernetesOperator, "ngrok");
  expect((await world.get(CloudEndpoint, "stays"))?.metadata.finalizers).toBeUndefined();
});

test("an object that another install has stamped is not touched, not even when it is deleted (F18, W3)", async () => {
  await using world = await startWorld({ controllers });
  const foreign = anEndpoint("foreign");
  await world.create(CloudEndpoint, {
    ...foreign,
    metadata: { ...foreign.metadata, finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: "elsewhere/ngrok" } },
  });
  await world.create(CloudEndpoint, anEndpoint("ours"));
  await world.until(CloudEndpoint, "ours", isReady);
  await world.remove(CloudEndpoint, "foreign");
  await world.quiet();

  const object = await world.get(CloudEndpoint, "foreign");
  expect(object?.metadata.finalizers).toEqual([FINALIZER]);
  expect(object?.status).toBeUndefined();
  expect(world.api.objects("endpoints").map(({ url }) => url)).toEqual(["https://ours.internal"]);
});

test("a second replica stands by, and goes on when the first one ends", async () => {
  await using world = await startWorld({ controllers });
  await world.create(CloudEndpoint, anEndpoint("one"));
  await world.until(CloudEndpoint, "one", isReady);
  const second = world.start();
  const first = await holder(world);
  await world.quiet();
  expect(second.writes).toEqual([]);

  expect(await world.manager.stop()).toBe(0);
  await world.create(CloudEndpoint, anEndpoint("two"));

  await world.until(CloudEndpoint, "two", isReady);
  expect(await holder(world)).not.toBe(first);
  expect(second.writes.some((write) => write.includes("/one"))).toBe(false);
});

test("the KubernetesOperator deleted by hand drains the install: every finalizer off, the state Drained, nothing made again (E20, W13)", async () => {
  await using world = await startWorld({ controllers: [...controllers, kubernetesOperatorController] });
  await world.until(KubernetesOperator, "ngrok", isReady);
  await world.create(CloudEndpoint, anEndpoint("web"));
  const ready = await world.until(CloudEndpoint, "web", isReady);

  await world.remove(KubernetesOperator, "ngrok");

  await world.gone(KubernetesOperator, "ngrok");
  const kept = await world.get(CloudEndpoint, "web");
  expect(kept?.metadata.finalizers).toBeUndefined();
  expect(world.api.objects("endpoints").map(({ id }) => id)).toEqual([ready.status?.id]);
  expect(world.api.objects("kubernetes_operators")).toEqual([]);
  const state = parseState(await world.get(ConfigMap, stateRef(world.release).name));
  expect(state.phase).toBe("Drained");
  await world.quiet();
  expect(await world.get(KubernetesOperator, "ngrok")).toBeUndefined();
});

test.for([
  ["Retain", "true"],
  ["Delete", "true"],
  ["Delete", "false"],
] as const)(
  "a pod that is stopped since its namespace is being deleted drains before it ends, by policy %s and with rbac.cluster=%s (F16, E21)",
  async ([drainPolicy, cluster], { expect }) => {
    const all = [...controllers, kubernetesOperatorController];
    const clusterWide = cluster === "true";
    await using world = await startWorld({ controllers: all, clusterWide, options: { drainPolicy } });
    await world.until(KubernetesOperator, "ngrok", isReady);
    await world.create(CloudEndpoint, anEndpoint("web"));
    await world.until(CloudEndpoint, "web", isReady);
    const { signal } = new AbortController();
    // Its pods go first: the KubernetesOperator is not being deleted yet.
    await world.connection.request({ method: "DELETE", path: `/api/v1/namespaces/${world.namespace}`, signal });

    expect(await world.manager.stop()).toBe(0);

    expect(await world.get(KubernetesOperator, "ngrok")).toBeUndefined();
    expect((await world.get(CloudEndpoint, "web"))?.metadata.finalizers).toBeUndefined();
    expect(world.api.objects("endpoints")).toHaveLength(drainPolicy === "Retain" ? 1 : 0);
    // The Lease goes with the namespace, sooner or later.
    expect((await holder(world)) ?? "").toBe("");
  },
);

test("a pod that is stopped for any other reason frees the Lease and drains nothing (F1)", async () => {
  await using world = await startWorld({ controllers: [...controllers, kubernetesOperatorController] });
  await world.until(KubernetesOperator, "ngrok", isReady);
  await world.create(CloudEndpoint, anEndpoint("web"));
  await world.until(CloudEndpoint, "web", isReady);

  expect(await world.manager.stop()).toBe(0);

  expect((await world.get(CloudEndpoint, "web"))?.metadata.finalizers).toEqual([FINALIZER]);
  expect((await world.get(KubernetesOperator, "ngrok"))?.metadata.deletionTimestamp).toBeUndefined();
  expect(await holder(world)).toBe("");
});

test("a hook that marked and died is followed by the leader, once the Lease has been free for long enough (E14, F3)", async () => {
  await using world = await startWorld({ controllers: [...controllers, kubernetesOperatorController], timing: HASTY });
  await world.create(CloudEndpoint, anEndpoint("web"));
  await world.until(CloudEndpoint, "web", isReady);
  await world.until(KubernetesOperator, "ngrok", isReady);

  await world.mark("Draining", { policy: "Delete" });

  await world.gone(KubernetesOperator, "ngrok");
  expect(await world.get(CloudEndpoint, "web")).toBeUndefined();
  expect(world.api.remote()).toBe(0);
  const state = parseState(await world.get(ConfigMap, stateRef(world.release).name));
  expect(state).toMatchObject({ phase: "Drained", policy: "Delete", driver: "leader" });
});

test("a mark that a backup brought back drains nothing: closed, loud, until somebody cancels or uninstalls (decision 16)", async () => {
  await using world = await startWorld({ controllers: [...controllers, kubernetesOperatorController], timing: HASTY });
  await world.create(CloudEndpoint, anEndpoint("web"));
  await world.until(CloudEndpoint, "web", isReady);
  await world.until(KubernetesOperator, "ngrok", isReady);

  await world.mark("Draining", { policy: "Delete", uid: "of the ConfigMap that was backed up" });
  await world.create(CloudEndpoint, anEndpoint("later"));
  await systemClock.sleep(HASTY.durationMs * 2);
  await world.quiet();

  expect((await world.get(KubernetesOperator, "ngrok"))?.metadata.deletionTimestamp).toBeUndefined();
  expect((await world.get(CloudEndpoint, "web"))?.metadata.finalizers).toEqual([FINALIZER]);
  expect((await world.get(CloudEndpoint, "later"))?.metadata.finalizers).toBeUndefined();
  expect(world.api.objects("endpoints")).toHaveLength(1);

  await world.mark("Open", { policy: "", uid: "" });

  await world.until(CloudEndpoint, "later", isReady);
});

test("a drain that is cancelled lets the work go on where it stood", async () => {
  await using world = await startWorld({ controllers });
  await world.create(CloudEndpoint, anEndpoint("before"));
  await world.until(CloudEndpoint, "before", isReady);
  const hook = await hookDrives(world);
  await world.create(CloudEndpoint, anEndpoint("after"));

  await world.mark("Open", { policy: "", driver: "", by: "", since: "" });
  await hook[Symbol.asyncDispose]();

  await world.until(CloudEndpoint, "after", isReady);
  expect((await world.get(CloudEndpoint, "before"))?.metadata.finalizers).toEqual([FINALIZER]);
});

test("who cannot read the drain state stops writing and ends (F3)", async () => {
  await using world = await startWorld({
    controllers,
    start: false,
    timing: HASTY,
  });
  let blind = false;
  const state = namesOf(world.release).drainState;
  const manager = world.start({
    intercept: (request) =>
      blind && request.path.endsWith(state) ? Promise.reject(new KnownError("transient", "no answer")) : undefined,
  });
  await world.create(CloudEndpoint, anEndpoint("web"));
  await world.until(CloudEndpoint, "web", isReady);

  blind = true;

  expect(await manager.ended).toBe(1);
  expect(manager.log.some(({ msg }) => msg === "lost the Lease")).toBe(true);
});
