// The chart as Argo CD renders it: the KubernetesOperator that the operator would have made, in the wave after all else, and
// nothing that only Helm runs.
import { join } from "node:path";
import { expect, test } from "vitest";
import { apiManager, optionsOf, releaseOf } from "#operator/managers/api-manager/manager.ts";
import { newOperator } from "#operator/controllers/kubernetes-operator/plan.ts";
import { parseFlags } from "#operator/runtime/flags.ts";
import { objects, type Rendered, type TemplateOptions } from "./helm.ts";

const FILES = { files: [join(import.meta.dirname, "values", "argocd.yaml")] };
const CASES: readonly TemplateOptions[] = [
  { set: ["gitops.argocd=true"] },
  FILES,
  { ...FILES, set: ["rbac.cluster=false", "ingress.watchNamespace=ngrok", "bindings.ingressEndpoint="] },
];

/** What the api-manager would make by the flags that it is given. */
function made(all: readonly Rendered[]): ReturnType<typeof newOperator> {
  const manager = all.find(({ kind, metadata }) => kind === "Deployment" && metadata.name.endsWith("-manager"));
  const args = manager?.spec?.template?.spec.containers[0]?.args ?? [];
  const flags = parseFlags(apiManager.flags, args);
  const version = manager?.metadata.labels?.["app.kubernetes.io/version"] ?? "";
  return newOperator(releaseOf(flags, "ngrok"), optionsOf(flags, version));
}

test.for(CASES)("the KubernetesOperator is the one that the operator would make: %j", async (options) => {
  const all = await objects(options);
  const rendered = all.find(({ kind }) => kind === "KubernetesOperator");
  const expected = made(all);
  expect(rendered).toMatchObject(expected);
  expect(rendered?.spec).toEqual(expected.spec);
});

test("nothing else has a wave, and nothing waits for Helm to run it", async () => {
  const marked = (await objects(FILES)).filter(({ metadata: { annotations = {} } }) =>
    Object.keys(annotations).some((key) => key.startsWith("helm.sh/hook") || key.endsWith("/sync-wave")),
  );
  expect(marked.map(({ kind }) => kind)).toEqual(["KubernetesOperator"]);
});

test("CustomResourceDefinitions stay when the Application goes, unless they are to go", async () => {
  const options = "argocd.argoproj.io/sync-options";
  const marks = async (set: readonly string[]): Promise<unknown[]> =>
    (await objects({ ...FILES, set }))
      .filter(({ kind }) => kind === "CustomResourceDefinition")
      .map(({ metadata }) => metadata.annotations?.[options]);
  expect(await marks([])).toEqual(Array.from({ length: 7 }, () => "Delete=false,Prune=false"));
  expect(await marks(["crds.keep=false"])).toEqual(Array.from({ length: 7 }, () => undefined));
});
