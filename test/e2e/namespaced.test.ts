// An install without a single object of the cluster: its rights end at its namespace, and so it drains and leaves.
import { expect } from "vitest";
import { eventsSince, finalizerRemovals, said } from "#test/support/audit.ts";
import { hookLines } from "#test/support/helm.ts";
import { FULLNAME, RELEASE, test } from "#test/support/scene.ts";
import { CHART } from "#test/support/stage.ts";

test("with rbac.cluster=false an install in one namespace works, drains and goes without any right outside of it", async ({
  scene,
}) => {
  const { stage, ngrok, namespace } = scene;
  const crds = await stage.helm(4, ["template", RELEASE, CHART, "--show-only", "templates/crds/*.yaml"]);
  await stage.kubectl.run(["apply", "-f", "-"], { input: crds.stdout });
  const scoped = { "ingress.watchNamespace": namespace, "ingress.ingressClass.create": false, "rbac.cluster": false };
  const release = await scene.install({ values: { ...scoped, installCRDs: false, drainPolicy: "Delete" } });
  await scene.populate(6, [namespace]);
  expect((await scene.leftovers()).filter((object) => !object.includes("/") && !isCrd(object))).toEqual([]);
  const before = await scene.auditPosition();

  const run = await release.uninstall();

  expect(run.code, run.stderr).toBe(0);
  expect(hookLines(run).join("\n")).toMatch(/done .*6 objects/);
  const removals = finalizerRemovals(await eventsSince(scene.auditLog, before));
  const hook = `system:serviceaccount:${namespace}:${FULLNAME}-drain`;
  expect(removals).toHaveLength(7);
  expect(removals.filter(({ user }) => user.username !== hook).map(said)).toEqual([]);
  expect(ngrok.remote()).toBe(0);
  expect(await scene.residue()).toEqual([]);
  expect((await scene.leftovers()).filter((object) => !isCrd(object))).toEqual([]);
});

function isCrd(object: string): boolean {
  return object.startsWith("customresourcedefinition ");
}
