// Endpoint bindings in a drain that the leader drives: nobody asks a forwarder, none is there; nothing at ngrok changes but the
// registration.
import { expect, test } from "vitest";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { FINALIZERS } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { boundEndpointName } from "#api/names.ts";
import { Service, type ServiceObject } from "#kube/kinds.ts";
import { HASTY } from "#test/support/hook-drives.ts";
import { isReady, startWorld, type World } from "#test/support/world.ts";
import { controllers } from "./manager.ts";

const SERVICES = ["billing", "orders"];

async function boundWorld(): Promise<World> {
  const world = await startWorld({ controllers, options: { features: ["bindings"] }, timing: HASTY });
  await world.create<ServiceObject>(Service, { metadata: { name: "users" }, spec: { ports: [{ port: 80 }] } });
  for (const service of [...SERVICES, "users"]) {
    const url = `http://${service}.${world.namespace}`;
    await world.api.add("endpoints", { type: "cloud", url, bindings: ["kubernetes"] });
  }
  for (const service of SERVICES) await world.until(BoundEndpoint, nameOf(world, service), isReady);
  await world.until(BoundEndpoint, nameOf(world, "users"), ({ status }) => (status?.conditions?.length ?? 0) > 0);
  return world;
}

function nameOf(world: World, service: string): string {
  return boundEndpointName(`http://${service}.${world.namespace}:80`);
}

const cases = (["Retain", "Delete"] as const).flatMap((policy) => [
  { policy, features: ["bindings"] as const, how: "with bindings on" },
  { policy, features: ["ingress"] as const, how: "with bindings switched off meanwhile" },
]);

test.for(cases)(
  "$policy, $how: no BoundEndpoint is stuck, and of the Services only ours go, under Delete (W8, W10, W21)",
  async ({ policy, features }) => {
    await using world = await boundWorld();
    await world.manager.stop();
    const endpoints = world.api.objects("endpoints");
    await world.mark("Draining", { policy, driver: "leader", by: "pod/gone/1" });
    world.start({ options: { features } });
    await world.gone(KubernetesOperator, "ngrok");
    await world.quiet();
    const stays = policy === "Retain";
    for (const service of [...SERVICES, "users"]) {
      const left = await world.get(BoundEndpoint, nameOf(world, service));
      expect(left !== undefined, service).toBe(stays);
      expect(left?.metadata.finalizers?.filter((one) => FINALIZERS.includes(one)) ?? []).toEqual([]);
      expect((await world.get(Service, nameOf(world, service))) !== undefined, `in front of ${service}`).toBe(stays);
      expect((await world.get(Service, service)) !== undefined, service).toBe(stays || service === "users");
    }
    expect(world.api.objects("endpoints")).toEqual(endpoints);
    expect(world.api.objects("kubernetes_operators")).toEqual([]);
  },
);
