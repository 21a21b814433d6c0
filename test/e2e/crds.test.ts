// Whose the CustomResourceDefinitions are, from one release to the next.
import { expect } from "vitest";
import { aCloudEndpoint } from "#test/support/builders.ts";
import { pageCommands } from "#test/support/page-commands.ts";
import { releaseOf } from "#test/support/release.ts";
import { RELEASE, test } from "#test/support/scene.ts";

const page = await pageCommands("upgrading/from-go-0.24.md");

test("kept CustomResourceDefinitions are taken over by another release, and one that is being deleted is named", async ({
  scene,
}) => {
  const { stage, namespace, namespaces } = scene;
  const { kubectl } = stage;
  const apiURL = `http://${stage.cluster.hostIp}:${scene.ngrok.port}`;
  // Nothing has to be served, or drained, for a question between Helm and the API server.
  const common = { namespace, apiURL, values: { oneClickDemoMode: true } };
  const first = releaseOf(stage, { ...common, name: RELEASE, helm: 3 });
  expect((await first.install()).code).toBe(0);
  expect((await first.uninstall(["--no-hooks"])).code).toBe(0);
  const next = releaseOf(stage, { ...common, name: "next", helm: 4 });
  expect((await next.install()).stderr).toMatch(/cannot be imported into the current release[^]*must equal "next"/);
  // Between two releases somebody has brought them up to date by hand: Helm 4 wants to be told whose word counts then.
  await page.type(scene, "crds");
  const taken = await next.install({}, ["--take-ownership", "--force-conflicts"]);
  expect(taken.code, taken.stderr).toBe(0);

  await kubectl.run(["create", "namespace", namespaces[0]]);
  const finalizers = ["acme.example/hold"];
  const held = {
    metadata: { name: "held", namespace: namespaces[0], finalizers },
    spec: { url: "https://a.internal" },
  };
  await kubectl.apply([aCloudEndpoint(held)]);
  expect((await next.uninstall(["--no-hooks"])).code).toBe(0);
  await kubectl.run(["delete", "crd", "cloudendpoints.ngrok.k8s.ngrok.com", "--wait=false"]);
  const again = await next.install();
  expect(again.stderr).toMatch(
    /cloudendpoints\.ngrok\.k8s\.ngrok\.com is being deleted[^]*remedy: wait for it: kubectl/,
  );

  const free = '{"metadata":{"finalizers":null}}';
  await kubectl.run(["-n", namespaces[0], "patch", "cloudendpoint/held", "--type=merge", "-p", free]);
  const gone = ["wait", "--for=delete", "crd/cloudendpoints.ngrok.k8s.ngrok.com", "--timeout=150s"];
  await kubectl.run(gone);
  expect((await next.install({}, ["--dry-run=server"])).code).toBe(0);
});
