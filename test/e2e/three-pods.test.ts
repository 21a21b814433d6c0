// All of the chart's pods at once: they are Ready, carry requests into the cluster and out of it, and take part in an
// uninstall in which one of them is killed.
import { expect } from "vitest";
import { featuresOf } from "#scripts/demo/features.ts";
import { startNgrok, valuesOf } from "#scripts/demo/fronts.ts";
import { progressOn } from "#scripts/demo/progress.ts";
import { exchanged, prepare } from "#scripts/demo/traffic-story.ts";
import { REQUESTS, TRAFFIC } from "#scripts/demo/traffic.ts";
import { aCloudEndpoint } from "#test/support/builders.ts";
import { FULLNAME, RELEASE, type Scene, test } from "#test/support/scene.ts";

const silent = progressOn(
  () => undefined,
  () => 0,
);
const KINDS = "cloudendpoints,agentendpoints,domains,boundendpoints";

test("all three pods serve, and an uninstall that deletes leaves nothing when the forwarder is killed in the middle (W9)", async ({
  scene,
}) => {
  const { stage, namespace, signal } = scene;
  const { kubectl } = stage;
  const { hostIp } = stage.cluster;
  const features = featuresOf("agent,bindings");
  await using ngrok = await startNgrok(features.ways, { host: hostIp, name: hostIp }, "stand-in-key");
  const { api, fronts } = ngrok;
  const own = api.objects("endpoints").map(({ id }) => id);
  const place = { stage, fronts, namespace, signal };
  await prepare(place, features);
  const apiURL = `http://${hostIp}:${api.port}`;
  const release = await scene.install({ values: { apiURL, drainPolicy: "Delete", ...valuesOf(fronts) } });
  // A pod that is Ready may miss a probe of a second on a busy machine, and be Ready again.
  const all = ["agent", "bindings-forwarder", "controller"];
  await expect.poll(async () => await readyPods(scene), { timeout: 180_000 }).toEqual(all);
  expect(await exchanged(place, features, silent)).toBe(2 * REQUESTS);

  // The drain waits at the CloudEndpoint for as long as the test needs: Domains and BoundEndpoints are of the next wave.
  const held = aCloudEndpoint({
    metadata: { name: "held", namespace: TRAFFIC },
    spec: { url: "https://held.internal" },
  });
  await kubectl.apply([held]);
  const ready = ["-n", TRAFFIC, "wait", "cloudendpoint/held", "--for=condition=Ready", "--timeout=150s"];
  await kubectl.run(ready);
  const match = { method: "DELETE", path: /^\/endpoints/ };
  const hold = api.faults.add({ kind: "status", status: 429, retryAfter: 1, match, times: Number.POSITIVE_INFINITY });
  const uninstall = release.uninstall();
  const state = ["-n", namespace, "wait", `configmap/${FULLNAME}-drain-state`, "--timeout=150s"];
  await kubectl.run([...state, "--for=jsonpath={.data.phase}=Draining"]);
  const forwarder = `app.kubernetes.io/instance=${RELEASE},app.kubernetes.io/component=bindings-forwarder`;
  const killed = await kubectl.run(["-n", namespace, "delete", "pods", "-l", forwarder, "--force", "--grace-period=0"]);
  expect(killed).toContain(`${FULLNAME}-bindings-forwarder-`);
  expect(await kubectl.run(["-n", namespace, "get", "boundendpoints", "-o", "name"])).not.toBe("");
  hold.remove();
  const run = await uninstall;

  expect(run.code, run.stderr).toBe(0);
  expect(api.objects("endpoints").map(({ id }) => id)).toEqual(own);
  expect(api.remote()).toBe(own.length);
  expect((await kubectl.run(["get", KINDS, "--all-namespaces", "-o", "name"])).trim()).toBe("");
  expect(await kubectl.run(["get", "service", "-A", "-l", "app.kubernetes.io/managed-by=ngrok-operator"])).toBe("");
  const gone = ["delete", "namespace", TRAFFIC, namespace, "--timeout=150s"];
  await kubectl.run(gone);
  expect(await scene.residue()).toEqual([]);
});

async function readyPods({ stage, namespace }: Scene): Promise<string[]> {
  const fields = '{.metadata.labels.app\\.kubernetes\\.io/component}={.status.conditions[?(@.type=="Ready")].status}';
  const template = `jsonpath={range .items[*]}${fields}{"\\n"}{end}`;
  const pods = ["-n", namespace, "get", "pods", "-l", `app.kubernetes.io/instance=${RELEASE}`, "-o", template];
  const lines = (await stage.kubectl.run(pods)).split("\n").filter((line) => line.endsWith("=True"));
  return lines.map((line) => line.replace("=True", "")).toSorted();
}
