// An install without a single object of the cluster: its rights end at its namespace, and so it drains and leaves.
import { expect } from "vitest";
import { boundEndpointName } from "#api/names.ts";
import { caOf, startFronts, valuesOf } from "#scripts/demo/fronts.ts";
import { eventsSince, freeings, said } from "#test/support/audit.ts";
import { anAgentEndpoint } from "#test/support/builders.ts";
import { hookLines } from "#test/support/helm.ts";
import { startNgrokApi } from "#test/support/ngrok-api/server.ts";
import { FULLNAME, RELEASE, type Scene, test } from "#test/support/scene.ts";
import { CHART } from "#test/support/stage.ts";

test("with rbac.cluster=false an install in one namespace works, drains and goes without any right outside of it", async ({
  scene,
}) => {
  const { stage, namespace } = scene;
  const { hostIp } = stage.cluster;
  await using started = await startFronts(["agent", "bindings"], { host: hostIp, name: hostIp });
  const { fronts } = started;
  await using api = await startNgrokApi({ host: hostIp, keys: ["stand-in-key"], ...started.account });
  const url = `http://billing.${namespace}:80`;
  await api.add("endpoints", { type: "cloud", url, bindings: ["kubernetes"] });
  const own = api.objects("endpoints").map(({ id }) => id);
  const crds = await stage.helm(4, ["template", RELEASE, CHART, "--show-only", "templates/crds/*.yaml"]);
  await stage.kubectl.run(["apply", "-f", "-"], { input: crds.stdout });
  const around = { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } };
  await stage.kubectl.apply([around, ...[caOf(fronts, namespace) ?? []].flat()]);
  const scoped = { "ingress.watchNamespace": namespace, "ingress.ingressClass.create": false, "rbac.cluster": false };
  const account = { apiURL: `http://${hostIp}:${api.port}`, ...valuesOf(fronts) };
  const values = { ...scoped, ...account, installCRDs: false, drainPolicy: "Delete" };
  const release = await scene.install({ values });
  await scene.populate(6, [namespace]);
  await servesBoth(scene, url);
  expect((await scene.leftovers()).filter((object) => !object.includes("/") && !isCrd(object))).toEqual([]);
  const before = await scene.auditPosition();

  const run = await release.uninstall();

  expect(run.code, run.stderr).toBe(0);
  expect(hookLines(run).join("\n")).toMatch(/done .*8 objects/);
  const removals = freeings(await eventsSince(scene.auditLog, before));
  const hook = `system:serviceaccount:${namespace}:${FULLNAME}-drain`;
  expect(removals).toHaveLength(9);
  expect(removals.filter(({ user }) => user.username !== hook).map(said)).toEqual([]);
  expect(api.objects("endpoints").map(({ id }) => id)).toEqual(own);
  expect(api.remote()).toBe(own.length);
  expect(await scene.residue()).toEqual([]);
  expect((await scene.leftovers()).filter((object) => !isCrd(object))).toEqual([]);
  const left = ["-n", namespace, "get", "services,agentendpoints,boundendpoints", "-o", "name"];
  expect((await stage.kubectl.run(left)).trim()).toBe("");
});

/** Resolves when an agent's tunnel is open and an endpoint of the account is bound into the namespace. */
async function servesBoth({ stage: { kubectl }, namespace }: Scene, url: string): Promise<void> {
  const wait = async (object: string, condition: string): Promise<unknown> =>
    await kubectl.run(["-n", namespace, "wait", object, `--for=${condition}`, "--timeout=150s"]);
  const metadata = { name: "agent", namespace };
  await kubectl.apply([
    anAgentEndpoint({ metadata, spec: { url: "https://agent.internal", upstream: { url: "http://127.0.0.1:1" } } }),
  ]);
  await wait("agentendpoint/agent", "condition=Ready");
  const bound = `boundendpoint/${boundEndpointName(url)}`;
  await wait(bound, "create");
  await wait(bound, "condition=ServicesCreated");
}

function isCrd(object: string): boolean {
  return object.startsWith("customresourcedefinition ");
}
