// The drain's contract with endpoint bindings: while the state is not Open, no event of any kind they watch, no change at
// ngrok and no restart brings a write, a finalizer or a call to ngrok.
import { expect, test } from "vitest";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { boundEndpointName } from "#api/names.ts";
import { refOf, resourceName } from "#kube/kind.ts";
import { Namespace, Pod, Service } from "#kube/kinds.ts";
import { applyStatus } from "#kube/status.ts";
import { bindingPollerController } from "#operator/controllers/binding-poller/controller.ts";
import { boundEndpointController } from "#operator/controllers/bound-endpoint/controller.ts";
import { enabled } from "#operator/runtime/define-controller.ts";
import { kindsReadBy } from "#operator/runtime/watches.ts";
import { aBoundEndpoint, aKubernetesOperator } from "#test/support/builders.ts";
import { closedStates, finalizersOn, heardOnceClosed, silence } from "#test/support/closed-gate.ts";
import { PATIENT } from "#test/support/hook-drives.ts";
import { aForwarder } from "#test/support/replica-pods.ts";
import { isReady, startWorld, type World } from "#test/support/world.ts";

const controllers = [boundEndpointController, bindingPollerController];
const { signal } = new AbortController();

const urlOf = (world: World, service: string): string => `http://${service}.${world.namespace}:80`;

async function serve(world: World, service: string): Promise<void> {
  const url = urlOf(world, service);
  await world.api.add("endpoints", { type: "cloud", url, bindings: ["kubernetes"] });
}

async function register(world: World): Promise<void> {
  const id = await world.api.add("kubernetes_operators", {
    deployment: { name: "ngrok", namespace: world.namespace },
    binding: { endpoint_selectors: ["true"] },
  });
  const operator = await world.get(KubernetesOperator, "ngrok");
  if (operator === undefined) throw new Error("there is no KubernetesOperator");
  const registered = { type: "Registered", status: "True", reason: "Registered", message: "" };
  const conditions = [{ ...registered, lastTransitionTime: "2026-01-01T00:00:00Z" }];
  await applyStatus(world.connection, KubernetesOperator, refOf(operator), { id, conditions }, "test", signal);
}

async function startBound(): Promise<World> {
  const world = await startWorld({ controllers, options: { features: ["bindings"] }, timing: PATIENT });
  await world.create(KubernetesOperator, aKubernetesOperator({ metadata: { name: "ngrok" } }));
  for (const service of ["web", "going", "spoilt"]) await serve(world, service);
  await register(world);
  for (const service of ["web", "going", "spoilt"])
    await world.until(BoundEndpoint, boundEndpointName(urlOf(world, service)), isReady);
  await world.quiet();
  return world;
}

/** Each kind gets a new object, a change of an old one, and the end of one; at ngrok one endpoint comes. */
async function disturb(world: World): Promise<void> {
  const nameOf = (service: string): string => boundEndpointName(urlOf(world, service));
  await serve(world, "new");
  await register(world);
  await world.create(
    BoundEndpoint,
    aBoundEndpoint({
      metadata: { name: "persons" },
      spec: { endpointURL: urlOf(world, "persons"), target: { service: "persons", namespace: world.namespace } },
    }),
  );
  await world.touch(BoundEndpoint, nameOf("web"), "/spec/port", 12_345);
  await world.remove(BoundEndpoint, nameOf("going"));
  await world.touch(Service, nameOf("spoilt"), "/spec/selector", { app: "theirs" });
  await world.remove(Service, "spoilt");
  await world.touch(KubernetesOperator, "ngrok", "/metadata/labels", { touched: "yes" });
  await aForwarder(world, "forwarder-1");
  const { uid = "" } = (await world.read.get(Namespace, { name: world.namespace }, signal))?.metadata ?? {};
  const path = "/metadata/labels/touched";
  await world.write.patch(Namespace, { name: world.namespace }, uid, [{ op: "add", path, value: "yes" }], signal);
}

test.for(closedStates)(
  "while the drain state is $name, nothing is bound, mended or asked for (W2, W8, W21)",
  async (state) => {
    await using world = await startBound();
    expect(await heardOnceClosed(world, state, async () => await disturb(world))).toEqual(silence);
    expect(await finalizersOn(world, [[BoundEndpoint, "persons"]])).toEqual([]);
  },
);

test("every kind that is watched for bindings is among those that the events are about", () => {
  const watched = new Set(enabled(controllers, ["bindings"]).flatMap(kindsReadBy).map(resourceName));
  const about = [BoundEndpoint, Service, KubernetesOperator, Pod, Namespace].map(resourceName);
  expect([...watched].toSorted()).toEqual(about.toSorted());
});

test("while it is Open each of the events is answered", async () => {
  await using world = await startBound();
  await disturb(world);
  const nameOf = (service: string): string => boundEndpointName(urlOf(world, service));
  for (const name of ["persons", nameOf("new"), nameOf("going"), nameOf("spoilt")])
    await world.until(BoundEndpoint, name, isReady);
  await world.until(Service, nameOf("spoilt"), ({ spec }) => spec?.selector?.["app"] === undefined);
  await world.until(Service, nameOf("web"), ({ spec }) => spec?.ports?.[0]?.targetPort === 12_345);
  expect(await world.get(Service, "spoilt")).toBeDefined();
});
