// What an uninstall under Delete would take, as the leader counts it for NOTES and for people: under either policy, and
// told a minute later at the latest, but not with each object. In a file of its own, since a minute is long.
import { expect, test } from "vitest";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { refOf } from "#kube/kind.ts";
import { applyStatus } from "#kube/status.ts";
import { aCloudEndpoint, aKubernetesOperator } from "#test/support/builders.ts";
import { isReady, startWorld, type World } from "#test/support/world.ts";
import { cloudEndpointController } from "../controllers/cloud-endpoint/controller.ts";
import { domainController } from "../controllers/domain/controller.ts";
import { kubernetesOperatorController } from "../controllers/kubernetes-operator/controller.ts";
import { trafficPolicyController } from "../controllers/traffic-policy/controller.ts";

const controllers = [kubernetesOperatorController, cloudEndpointController, domainController, trafficPolicyController];
const uninstall = { hook: true, helmSeconds: 300, crdsGo: false, callsPerMinute: undefined };

/** An endpoint as this install has had it for long, or another one has it. */
async function endpoint(world: World, name: string, owner = `${world.namespace}/ngrok`): Promise<void> {
  const metadata = { name, finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: owner } };
  const spec = { url: `https://${name}.internal`, bindings: ["internal" as const] };
  await world.create(CloudEndpoint, aCloudEndpoint({ metadata, spec }));
}

function told(world: World): number {
  return world.manager.writes.filter((write) => write.endsWith("/kubernetesoperators/ngrok/status")).length;
}

test("when the last object goes, none is counted, and the status is written still", async () => {
  await using world = await startWorld({ controllers, start: false });
  const { metadata } = await world.create(KubernetesOperator, aKubernetesOperator({ metadata: { name: "counted" } }));
  const counts = async (deleted: Record<string, number>): Promise<KubernetesOperator> =>
    await applyStatus(
      world.connection,
      KubernetesOperator,
      { ...refOf({ metadata }), uid: metadata.uid },
      { underDelete: { deleted, domainsKept: 0 } },
      "counts",
      AbortSignal.timeout(60_000),
    );
  expect((await counts({ Domain: 1 })).status?.underDelete?.deleted).toEqual({ Domain: 1 });
  expect((await counts({})).status?.underDelete?.deleted ?? {}).toEqual({});
});

test("counts are there from the start, and follow once within a minute", async () => {
  await using world = await startWorld({ controllers, start: false, options: { drainPolicy: "Retain", uninstall } });
  await endpoint(world, "pay");
  await endpoint(world, "shop");
  await endpoint(world, "stranger", "other/ngrok");
  world.start();
  const counted = (count: number): Promise<KubernetesOperator> =>
    world.until(
      KubernetesOperator,
      "ngrok",
      ({ status }) => status?.underDelete?.deleted["CloudEndpoint"] === count,
      90_000,
    );
  const { status } = await counted(2);
  expect(status?.underDelete).toEqual({ deleted: { CloudEndpoint: 2 }, domainsKept: 0 });
  await world.until(KubernetesOperator, "ngrok", isReady);
  await world.quiet();
  const before = told(world);
  for (const name of ["a", "b", "c"]) await endpoint(world, name);
  await counted(5);
  expect(told(world)).toBe(before + 1);
});
