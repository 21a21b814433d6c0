// What an upgrade changes while objects are there: the drain policy at once, and whose the CustomResourceDefinitions are.
import { expect } from "vitest";
import { aCloudEndpoint } from "#test/support/builders.ts";
import { chartBefore } from "#test/support/chart-before.ts";
import type { HelmRun } from "#test/support/helm.ts";
import type { Kubectl } from "#test/support/kubectl.ts";
import { pageCommands } from "#test/support/page-commands.ts";
import { releaseOf } from "#test/support/release.ts";
import { RELEASE, test } from "#test/support/scene.ts";
import { CHART } from "#test/support/stage.ts";

const page = await pageCommands("upgrading/from-go-0.24.md");
const KINDS = "cloudendpoints,domains,ippolicies";

test("another drainPolicy is the KubernetesOperator's and the uninstall's at once, after an upgrade and after a rollback", async ({
  scene,
}) => {
  const { stage, namespace, ngrok } = scene;
  const { kubectl } = stage;
  await using before = await chartBefore();
  const release = await scene.install({ helm: 4, chart: before.path });
  await scene.populate(6);
  const objects = await idsOf(kubectl);
  const helm = async (...args: string[]): Promise<HelmRun> => await stage.helm(4, [...args, "-n", namespace]);

  const upgrade = ["upgrade", RELEASE, CHART, "--reset-then-reuse-values", "--set", "drainPolicy=Delete"];
  expect((await helm(...upgrade)).code).toBe(0);
  await policyIs(kubectl, namespace, "Delete");
  expect((await helm("rollback", RELEASE, "1")).code).toBe(0);
  await policyIs(kubectl, namespace, "Retain");
  expect(await idsOf(kubectl)).toEqual(objects);

  // Nobody waits for the new pod: the hook brings its own policy.
  expect((await helm(...upgrade)).code).toBe(0);
  const run = await release.uninstall();

  expect(run.code, run.stderr).toBe(0);
  expect(ngrok.remote()).toBe(0);
  expect(await idsOf(kubectl)).toEqual([]);
  expect(await scene.residue()).toEqual([]);
});

test("kept CustomResourceDefinitions are taken over by another release, and one that is being deleted is named", async ({
  scene,
}) => {
  const { stage, namespace, namespaces } = scene;
  const { kubectl } = stage;
  const first = await scene.install({ helm: 3 });
  expect((await first.uninstall()).code).toBe(0);
  const apiURL = `http://${stage.cluster.hostIp}:${scene.ngrok.port}`;
  const next = releaseOf(stage, { name: "next", namespace, helm: 4, apiURL });
  expect((await next.install()).stderr).toMatch(/cannot be imported into the current release[^]*must equal "next"/);
  // Between two releases somebody has brought them up to date by hand: Helm 4 wants to be told whose word counts then.
  await page.type(scene, "crds");
  const taken = await next.install({}, ["--take-ownership", "--force-conflicts"]);
  expect(taken.code, taken.stderr).toBe(0);
  await next.ready();

  await kubectl.run(["create", "namespace", namespaces[0]]);
  const finalizers = ["acme.example/hold"];
  const held = {
    metadata: { name: "held", namespace: namespaces[0], finalizers },
    spec: { url: "https://a.internal" },
  };
  await kubectl.apply([aCloudEndpoint(held)]);
  expect((await next.uninstall()).code).toBe(0);
  await kubectl.run(["delete", "crd", "cloudendpoints.ngrok.k8s.ngrok.com", "--wait=false"]);
  const again = await next.install();
  expect(again.stderr).toMatch(
    /cloudendpoints\.ngrok\.k8s\.ngrok\.com is being deleted[^]*remedy: wait for it: kubectl/,
  );

  const free = '{"metadata":{"finalizers":null}}';
  await kubectl.run(["-n", namespaces[0], "patch", "cloudendpoint/held", "--type=merge", "-p", free]);
  const gone = ["wait", "--for=delete", "crd/cloudendpoints.ngrok.k8s.ngrok.com", "--timeout=60s"];
  await kubectl.run(gone, { timeout: 70_000 });
  expect((await next.install({}, ["--dry-run=server"])).code).toBe(0);
});

/** The objects with what they are called here and at ngrok. */
async function idsOf(kubectl: Kubectl): Promise<string[]> {
  const fields = "{.kind} {.metadata.name} {.metadata.uid} {.status.id}";
  const text = await kubectl.run(["get", KINDS, "-A", "-o", `jsonpath={range .items[*]}${fields}{"\\n"}{end}`]);
  return text.split("\n").filter(Boolean).toSorted();
}

/** Until the KubernetesOperator says so, by itself. */
async function policyIs(kubectl: Kubectl, namespace: string, policy: string): Promise<void> {
  const wait = ["wait", `kubernetesoperator/${RELEASE}`, `--for=jsonpath={.spec.drain.policy}=${policy}`];
  await kubectl.run(["-n", namespace, ...wait, "--timeout=60s"], { timeout: 70_000 });
}
