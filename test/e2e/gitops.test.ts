// What GitOps tools do with this chart, in their documented order and without them. Argo CD: `helm template`, apply by sync
// waves, self-heal, and a deletion that takes the highest wave first and runs no hook. Flux and Terraform: Helm with a longer wait,
// drift detection, an uninstall that is tried again, and the namespace last.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import type { KubeObject } from "#kube/kind.ts";
import { objectsIn } from "#test/support/manifest.ts";
import { pageCommands } from "#test/support/page-commands.ts";
import { RELEASE, type Scene, test } from "#test/support/scene.ts";
import { CHART, TOP } from "#test/support/stage.ts";

const page = await pageCommands("gitops.md");
const APPLY = ["--server-side", "--force-conflicts", "--field-manager=argocd-controller", "-f", "-"];

test("an Application of Argo CD is Synced while the operator works, takes a policy from Git, and its deletion is the drain (E20)", async ({
  scene,
}) => {
  const { kubectl } = scene.stage;
  const { namespace, ngrok } = scene;
  const waves = await application(scene, "Retain");
  expect(waves.map(({ wave }) => wave)).toEqual([0, 1]);
  await kubectl.run(["create", "namespace", namespace]);
  for (const { objects } of waves) {
    await kubectl.run(["apply", ...APPLY], { input: listOf(objects) });
    await healthy(scene);
  }
  await scene.populate(6);
  const operator = ["-n", namespace, "get", "kubernetesoperator", RELEASE, "-o"];
  await kubectl.run([
    "-n",
    namespace,
    "wait",
    "--for=condition=Ready",
    "kubernetesoperator",
    RELEASE,
    "--timeout=150s",
  ]);

  // No difference: kubectl diff would end with 1. And what self-heal applies changes nothing.
  const all = allOf(waves);
  expect(await kubectl.run(["diff", ...APPLY], { input: all })).toBe("");
  await kubectl.run(["apply", ...APPLY], { input: all });
  expect(await kubectl.run([...operator, "jsonpath={.metadata.generation} {.spec.drain.policy}"])).toBe("1 Retain");
  const changed = await application(scene, "Delete");
  await kubectl.run(["apply", ...APPLY], { input: allOf(changed) });
  expect(await kubectl.run([...operator, "jsonpath={.metadata.generation} {.spec.drain.policy}"])).toBe("2 Delete");
  expect(ngrok.remote()).toBe(6);

  for (const { objects } of changed.toReversed()) {
    // Not in the foreground: for kinds that are new, Kubernetes' own finalizer of that takes half a minute to go.
    const input = listOf(objects.filter(goes));
    await kubectl.run(["delete", "--timeout=150s", "-f", "-"], { input });
  }

  expect(ngrok.remote()).toBe(0);
  expect(await scene.residue()).toEqual([]);
  await page.type(scene, "sweep");
  const left = await scene.leftovers();
  expect(left.filter((line) => !line.startsWith("customresourcedefinition "))).toEqual([]);
  expect(left).toHaveLength(7);
});

test("a HelmRelease of Flux shows no drift while the operator works, its uninstall is tried again until it has drained, and then its namespace goes, which Terraform destroys last (E20)", async ({
  scene,
}) => {
  const { namespace, ngrok, stage } = scene;
  const { kubectl } = stage;
  const release = await helmRelease();
  const account = { apiKey: "stand-in-key", authtoken: "unused", secret: { name: "" } };
  const ours = { apiURL: `http://${stage.cluster.hostIp}:${ngrok.port}`, agent: { enabled: false } };
  const values = { ...release.values, ...ours, credentials: account, drainPolicy: "Delete" };
  const sets = Object.entries(values).flatMap(([key, value]) => ["--set-json", `${key}=${JSON.stringify(value)}`]);
  const at = ["--namespace", namespace];
  const install = ["upgrade", RELEASE, CHART, "--install", "--create-namespace", "--wait", "--timeout", "5m"];
  const installed = await stage.helm(4, [...install, ...at, ...stage.imageFlags, ...sets]);
  expect(installed.code, installed.stderr).toBe(0);
  // Helm waits for the pods, and what they make comes a moment later.
  const registered = [...at, "wait", `kubernetesoperator/${RELEASE}`, "--timeout=150s"];
  await kubectl.run([...registered, "--for=create"]);
  await kubectl.run([...registered, "--for=condition=Ready"]);
  await scene.populate(6);

  // Drift detection: a server-side dry run of the release's manifest, by the field manager of the helm-controller.
  const manifest = (await stage.helm(4, ["get", "manifest", RELEASE, ...at])).stdout;
  const dry = ["--server-side", "--force-conflicts", "--field-manager=helm-controller", "-f", "-"];
  expect(await kubectl.run(["diff", ...dry], { input: manifest })).toBe("");

  // Helm's wait, with the time of the example; what failed is tried again.
  const uninstall = ["uninstall", RELEASE, ...at, "--wait", "--timeout", release.timeout];
  ngrok.keys.revoke("stand-in-key");
  const failed = await stage.helm(4, uninstall);
  expect(failed.code).not.toBe(0);
  expect(ngrok.remote()).toBe(6);
  ngrok.keys.allow("stand-in-key", "all");
  const again = await stage.helm(4, uninstall);
  expect(again.code, again.stderr).toBe(0);
  expect(ngrok.remote()).toBe(0);
  expect(await scene.residue()).toEqual([]);
  await kubectl.run(["delete", "namespace", namespace, "--timeout=150s"]);
});

/** The example's HelmRelease: its values, and the time that Flux gives its uninstall. */
async function helmRelease(): Promise<{ readonly values: object; readonly timeout: string }> {
  const text = await readFile(join(TOP, "docs/examples/gitops/flux.yaml"), "utf8");
  const objects = parseAllDocuments(text).map((each) => each.toJS() as KubeObject);
  const { spec } = objects.find(({ kind }) => kind === "HelmRelease") as KubeObject & {
    readonly spec: { readonly values: object; readonly uninstall: { readonly timeout: string } };
  };
  return { values: spec.values, timeout: spec.uninstall.timeout };
}

interface Wave {
  readonly wave: number;
  readonly objects: readonly KubeObject[];
}

/** The example's Application as Argo CD renders it, with this cluster's image and account, by sync waves. */
async function application({ stage, ngrok, namespace }: Scene, policy: string): Promise<Wave[]> {
  const example = parse(await readFile(join(TOP, "docs/examples/gitops/argocd.yaml"), "utf8")) as {
    readonly spec: { readonly source: { readonly helm: { readonly valuesObject: object } } };
  };
  const ours = {
    apiURL: `http://${stage.cluster.hostIp}:${ngrok.port}`,
    agent: { enabled: false },
    credentials: { apiKey: "stand-in-key", authtoken: "unused", secret: { name: "" } },
    drainPolicy: policy,
  };
  const values = { ...example.spec.source.helm.valuesObject, ...ours };
  const sets = Object.entries(values).flatMap(([key, value]) => ["--set-json", `${key}=${JSON.stringify(value)}`]);
  const template = ["template", RELEASE, CHART, "--namespace", namespace, ...stage.imageFlags, ...sets];
  const { code, stdout, stderr } = await stage.helm(3, template);
  expect(code, stderr).toBe(0);
  const objects = objectsIn(stdout);
  const waveOf = ({ metadata }: KubeObject): number =>
    Number(metadata.annotations?.["argocd.argoproj.io/sync-wave"] ?? 0);
  const numbers = [...new Set(objects.map(waveOf))].toSorted((a, b) => a - b);
  return numbers.map((wave) => ({ wave, objects: objects.filter((object) => waveOf(object) === wave) }));
}

/** Argo CD waits for a wave until its objects are healthy. */
async function healthy({ stage, namespace }: Scene): Promise<void> {
  const pods = ["deployment", "--selector", `app.kubernetes.io/instance=${RELEASE}`, "--timeout=150s"];
  await stage.kubectl.run(["-n", namespace, "rollout", "status", ...pods]);
}

function goes({ metadata }: KubeObject): boolean {
  return metadata.annotations?.["argocd.argoproj.io/sync-options"]?.includes("Delete=false") !== true;
}

function listOf(items: readonly KubeObject[]): string {
  return JSON.stringify({ apiVersion: "v1", kind: "List", items });
}

function allOf(waves: readonly Wave[]): string {
  return listOf(waves.flatMap(({ objects }) => objects));
}
