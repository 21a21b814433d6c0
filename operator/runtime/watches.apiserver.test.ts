// A drain without caches on a real API server: the leader lets go of every object as it begins, drains all the same, and
// after a cancel goes on from what there is then.
import { expect, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { aCloudEndpoint } from "#test/support/builders.ts";
import { hookDrives } from "#test/support/hook-drives.ts";
import { isReady, startWorld } from "#test/support/world.ts";
import type { TestManager } from "#test/support/world-manager.ts";
import { cloudEndpointController } from "../controllers/cloud-endpoint/controller.ts";
import { domainController } from "../controllers/domain/controller.ts";
import { kubernetesOperatorController } from "../controllers/kubernetes-operator/controller.ts";
import { trafficPolicyController } from "../controllers/traffic-policy/controller.ts";

const controllers = [cloudEndpointController, domainController, trafficPolicyController, kubernetesOperatorController];

function anEndpoint(name: string) {
  return aCloudEndpoint({ metadata: { name }, spec: { url: `https://${name}.internal`, bindings: ["internal"] } });
}

/** Objects that each kind's store held as it came to rest. */
function rested({ log }: TestManager): Readonly<Record<string, unknown>> {
  const lines = log.filter(({ msg }) => String(msg).startsWith("the watch rests"));
  return Object.fromEntries(lines.map(({ kind, objects }) => [kind, objects]));
}

const EMPTIED = {
  "cloudendpoints.ngrok.k8s.ngrok.com": 2,
  "domains.ingress.k8s.ngrok.com": 0,
  "ngroktrafficpolicies.ngrok.k8s.ngrok.com": 0,
};

test("the leader that drives a drain lets go of what it has cached, and drains to the end", async () => {
  await using world = await startWorld({ controllers });
  for (const name of ["one", "two"]) {
    await world.create(CloudEndpoint, anEndpoint(name));
    await world.until(CloudEndpoint, name, isReady);
  }
  await world.until(KubernetesOperator, "ngrok", isReady);

  await world.remove(KubernetesOperator, "ngrok");

  await world.gone(KubernetesOperator, "ngrok");
  expect(rested(world.manager)).toEqual(EMPTIED);
  for (const name of ["one", "two"])
    expect((await world.get(CloudEndpoint, name))?.metadata.finalizers).toBeUndefined();
});

test("after a cancel the leader works from a new list: what went meanwhile is not made again, what came is", async () => {
  await using world = await startWorld({ controllers });
  for (const name of ["goes", "stays"]) {
    await world.create(CloudEndpoint, anEndpoint(name));
    await world.until(CloudEndpoint, name, isReady);
  }
  const hook = await hookDrives(world);
  await expect.poll(() => rested(world.manager)).toEqual(EMPTIED);
  const goes = await world.get(CloudEndpoint, "goes");
  const uid = goes?.metadata.uid ?? "";
  const free = [{ op: "remove", path: "/metadata/finalizers" }] as const;
  await world.write.patch(
    CloudEndpoint,
    { name: "goes", namespace: world.namespace },
    uid,
    [...free],
    AbortSignal.timeout(60_000),
  );
  await world.remove(CloudEndpoint, "goes");
  await world.create(CloudEndpoint, anEndpoint("comes"));
  const before = world.manager.writes.length;

  await world.mark("Open", { policy: "", driver: "", by: "", since: "" });
  await hook[Symbol.asyncDispose]();

  await world.until(CloudEndpoint, "comes", isReady);
  await world.quiet();
  expect((await world.get(CloudEndpoint, "stays"))?.metadata.finalizers).toEqual([FINALIZER]);
  expect(world.manager.writes.slice(before).filter((write) => write.includes("/goes"))).toEqual([]);
  expect(world.api.objects("endpoints").map(({ url }) => url)).toEqual([
    "https://goes.internal",
    "https://stays.internal",
    "https://comes.internal",
  ]);
});
