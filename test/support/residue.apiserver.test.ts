// The count must see what it is there for: each sort of residue planted by hand, and nothing else.
import { expect, inject, test } from "vitest";
import { binaries } from "#tools/binaries.ts";
import { kubectlOf, type Kubectl } from "./kubectl.ts";
import { carriers, labelled, residue } from "./residue.ts";

const widgets = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "widgets.residue.k8s.ngrok.com" },
  spec: {
    group: "residue.k8s.ngrok.com",
    scope: "Namespaced",
    names: { kind: "Widget", plural: "widgets" },
    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
  },
};

const namespace = "residue";
const widget = (name: string, finalizers: readonly string[] = []) => ({
  apiVersion: "residue.k8s.ngrok.com/v1",
  kind: "Widget",
  metadata: { name, namespace, finalizers },
});

async function cluster(): Promise<Kubectl> {
  const kubectl = kubectlOf({ bin: await binaries(() => {}), kubeconfig: inject("kubeconfig") });
  await kubectl.apply([widgets, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }]);
  await kubectl.run(["wait", "--for=condition=Established", "crd/widgets.residue.k8s.ngrok.com", "--timeout=150s"]);
  return kubectl;
}

/** The apiserver tier shares one server: what other tests leave there is not this test's. */
const here = (lines: readonly string[]) => lines.filter((line) => line.includes(namespace));

test("a planted finalizer is one, whichever of ours it is and whatever kind it is on", async () => {
  const kubectl = await cluster();
  expect(here((await residue(kubectl)).lines)).toEqual([]);

  await kubectl.apply([
    widget("planted", ["k8s.ngrok.com/finalizer", "example.com/hold"]),
    {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "planted", namespace, finalizers: ["ngrok.com/finalizer"] },
    },
    widget("foreign", ["example.com/hold"]),
  ]);
  const { count, lines } = await residue(kubectl);
  expect(here(lines).toSorted()).toEqual([
    "finalizer on configmap residue/planted",
    "finalizer on widget residue/planted",
  ]);
  expect(count).toBe(lines.length);
  expect(here(await carriers(kubectl)).toSorted()).toEqual(["configmap residue/planted", "widget residue/planted"]);
  await free(kubectl, "widget/planted", "widget/foreign", "configmap/planted");
});

test("what terminates counts when it is ours and nobody else holds it", async () => {
  const kubectl = await cluster();
  await kubectl.apply([widget("held", ["example.com/hold"]), widget("owner", ["foregroundDeletion"])]);
  await kubectl.run(["-n", namespace, "delete", "widget/held", "widget/owner", "--wait=false"]);
  // The garbage collector lets go of `owner` as soon as it looks; `held` waits for its stranger for ever.
  expect(here((await residue(kubectl)).lines).filter((line) => line.includes("held"))).toEqual([]);

  await kubectl.run(["delete", "namespace", namespace, "--wait=false"]);
  expect(here((await residue(kubectl)).lines)).toContain("namespace residue is stuck");
  await free(kubectl, "widget/held");
  await kubectl.run(["wait", "--for=delete", `namespace/${namespace}`, "--timeout=150s"]);
  expect(here((await residue(kubectl)).lines)).toEqual([]);
});

test("objects are found by label across kinds", async () => {
  const kubectl = await cluster();
  const labels = { "app.kubernetes.io/instance": "residue-test" };
  await kubectl.apply([
    { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "one", namespace, labels } },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: "residue-two", labels },
      rules: [],
    },
  ]);
  expect(await labelled(kubectl, "app.kubernetes.io/instance=residue-test")).toEqual(
    expect.arrayContaining(["configmap residue/one", "clusterrole residue-two"]),
  );
  await kubectl.run(["delete", "clusterrole/residue-two"]);
});

async function free(kubectl: Kubectl, ...objects: readonly string[]): Promise<void> {
  for (const object of objects) {
    await kubectl.run(["-n", namespace, "patch", object, "--type=merge", "-p", '{"metadata":{"finalizers":null}}']);
  }
}
