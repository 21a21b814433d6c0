// What Argo CD does with its Application, in its documented order and without Argo CD: `helm template`, apply by sync waves,
// self-heal, and a deletion that takes the highest wave first and runs no hook.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import type { KubeObject } from "#kube/kind.ts";
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
  await kubectl.run(["-n", namespace, "wait", "--for=condition=Ready", "kubernetesoperator", RELEASE]);

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
    await kubectl.run(["delete", "--timeout=90s", "-f", "-"], { input, timeout: 100_000 });
  }

  expect(ngrok.remote()).toBe(0);
  expect(await scene.residue()).toEqual([]);
  await page.type(scene, "sweep");
  const left = await scene.leftovers();
  expect(left.filter((line) => !line.startsWith("customresourcedefinition "))).toEqual([]);
  expect(left).toHaveLength(7);
});

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
  const objects = parseAllDocuments(stdout).flatMap((document) => (document.toJS() as KubeObject | null) ?? []);
  const waveOf = ({ metadata }: KubeObject): number =>
    Number(metadata.annotations?.["argocd.argoproj.io/sync-wave"] ?? 0);
  const numbers = [...new Set(objects.map(waveOf))].toSorted((a, b) => a - b);
  return numbers.map((wave) => ({ wave, objects: objects.filter((object) => waveOf(object) === wave) }));
}

/** Argo CD waits for a wave until its objects are healthy. */
async function healthy({ stage, namespace }: Scene): Promise<void> {
  const pods = ["deployment", "--selector", `app.kubernetes.io/instance=${RELEASE}`, "--timeout=90s"];
  await stage.kubectl.run(["-n", namespace, "rollout", "status", ...pods], { timeout: 100_000 });
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
