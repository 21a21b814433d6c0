// The chart as Argo CD renders it: the KubernetesOperator that the operator would have made, in the wave after all else, and
// nothing that only Helm runs.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { apiManager, optionsOf, releaseOf } from "#operator/managers/api-manager/manager.ts";
import { newOperator } from "#operator/controllers/kubernetes-operator/plan.ts";
import { parseFlags } from "#operator/runtime/flags.ts";
import { grantsOf } from "#test/support/rights.ts";
import { objects, type Rendered, type TemplateOptions } from "./helm.ts";

const FILES = { files: [join(import.meta.dirname, "values", "argocd.yaml")] };
const CASES: readonly TemplateOptions[] = [
  { set: ["gitops.argocd=true"] },
  FILES,
  {
    ...FILES,
    set: [
      "protect.enabled=false",
      "rbac.cluster=false",
      "installCRDs=false",
      "ingress.watchNamespace=ngrok",
      "bindings.ingressEndpoint=",
    ],
  },
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

test("who may make a KubernetesOperator: the operator where it does, nobody where a manifest brings it", async () => {
  const makers = async (set: readonly string[]): Promise<string[]> =>
    grantsOf(await objects({ ...FILES, set }))
      .filter(({ verb, resource }) => verb === "create" && resource === "kubernetesoperators")
      .map(({ account, namespace }) => `${account} in ${namespace}`);
  expect(await makers([])).toEqual([]);
  expect(await makers(["gitops.argocd=false"])).toEqual(["ngrok/edge-ngrok-operator in ngrok"]);
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

describe("docs/examples/gitops", () => {
  const read = (name: string): string =>
    readFileSync(join(import.meta.dirname, "../../docs/examples/gitops", name), "utf8");
  /** What Helm makes of values that stand in an example. */
  const render = async (values: object): Promise<Rendered[]> =>
    await objects({ json: Object.entries(values).map(([key, value]) => `${key}=${JSON.stringify(value)}`) });
  const has = (all: readonly Rendered[], kind: string, name: string): boolean =>
    all.some((object) => object.kind === kind && object.metadata.name === `edge-ngrok-operator-${name}`);

  test("argocd.yaml deletes what it made, the KubernetesOperator in front", async () => {
    const { metadata, spec } = parse(read("argocd.yaml")) as Application;
    expect(metadata.finalizers).toEqual(["resources-finalizer.argocd.argoproj.io"]);
    const all = await render(spec.source.helm.valuesObject);
    expect(all.filter(({ kind }) => kind === "KubernetesOperator")).toHaveLength(1);
    expect(has(all, "Job", "drain")).toBe(false);
  });

  test("flux.yaml gives the hook the time that it is told, and keeps the namespace", async () => {
    const [namespace, , release] = parseAllDocuments(read("flux.yaml")).map((each) => each.toJS() as HelmRelease);
    expect(namespace?.metadata.annotations).toEqual({ "kustomize.toolkit.fluxcd.io/prune": "disabled" });
    expect(release?.spec.uninstall).toEqual({ timeout: `${(release?.spec.values.cleanupHook.timeout ?? 0) / 60}m` });
    expect(has(await render(release?.spec.values ?? {}), "Job", "drain")).toBe(true);
  });

  test("main.tf gives the hook the time that it is told, in a namespace that goes after it", async () => {
    const text = read("main.tf");
    const values = parse(/<<-YAML\n([^]*?)\n\s*YAML/.exec(text)?.[1] ?? "") as Values;
    expect(text).toContain(`  timeout = ${values.cleanupHook.timeout}\n`);
    expect(text).toContain("namespace = kubernetes_namespace.ngrok.metadata[0].name");
    expect(has(await render(values), "Job", "drain")).toBe(true);
  });
});

type Values = Record<string, unknown> & { readonly cleanupHook: { readonly timeout: number } };
interface Application {
  readonly metadata: { readonly finalizers: readonly string[] };
  readonly spec: { readonly source: { readonly helm: { readonly valuesObject: Record<string, unknown> } } };
}
interface HelmRelease {
  readonly metadata: { readonly annotations?: Record<string, string> };
  readonly spec: { readonly uninstall: object; readonly values: Values };
}
