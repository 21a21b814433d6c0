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

  const flux = parseAllDocuments(read("flux.yaml")).map((each) => each.toJS() as HelmRelease);
  const ofKind = (kind: string): HelmRelease => flux.find((each) => each.kind === kind) as HelmRelease;
  const terraform = read("main.tf");
  /** What Terraform makes of the values: a reference is the name that stands in the resource, and orders the two. */
  const terraformValues = (): Values => {
    const text = /<<-YAML\n([^]*?)\n\s*YAML/.exec(terraform)?.[1] ?? "";
    return parse(text.replaceAll(/\$\{(\w+)\.(\w+)\.metadata\[0\]\.name\}/g, named)) as Values;
  };
  const named = (_reference: string, type: string, name: string): string =>
    new RegExp(`^resource "${type}" "${name}" \\{\n  metadata \\{\n    name += "(.*)"$`, "m").exec(terraform)?.[1] ??
    "";

  test("argocd.yaml deletes what it made, the KubernetesOperator in front", async () => {
    const { metadata, spec } = parse(read("argocd.yaml")) as Application;
    expect(metadata.finalizers).toEqual(["resources-finalizer.argocd.argoproj.io"]);
    const all = await render(spec.source.helm.valuesObject);
    expect(all.filter(({ kind }) => kind === "KubernetesOperator")).toHaveLength(1);
    expect(has(all, "Job", "drain")).toBe(false);
  });

  test("flux.yaml gives the hook the time that it is told", async () => {
    const { spec } = ofKind("HelmRelease");
    expect(spec.uninstall).toEqual({ timeout: `${spec.values.cleanupHook.timeout / 60}m` });
    expect(has(await render(spec.values), "Job", "drain")).toBe(true);
  });

  test("flux.yaml prunes neither the namespace nor the Secret with the keys together with the release: a drain under Delete needs both", () => {
    const { metadata, spec } = ofKind("HelmRelease");
    const kept = { annotations: { "kustomize.toolkit.fluxcd.io/prune": "disabled" } };
    expect(ofKind("Namespace").metadata).toEqual({ name: metadata.namespace, ...kept });
    const { name } = spec.values.credentials.secret;
    expect(ofKind("Secret").metadata).toEqual({ name, namespace: metadata.namespace, ...kept });
  });

  test("flux.yaml goes back after a failed upgrade, and uninstalls after no failure: that would be a drain by the policy", () => {
    const { spec } = ofKind("HelmRelease");
    expect(spec.upgrade).toEqual({ remediation: { strategy: "rollback", remediateLastFailure: true } });
    expect(spec.install?.remediation).toBeUndefined();
  });

  test("main.tf gives the hook the time that it is told", async () => {
    const values = terraformValues();
    expect(terraform).toContain(`  timeout = ${values.cleanupHook.timeout}\n`);
    expect(has(await render(values), "Job", "drain")).toBe(true);
  });

  test("main.tf destroys the namespace and the Secret with the keys after the release, which refers to both", () => {
    const [, release = ""] = terraform.split('resource "helm_release" "ngrok" {\n');
    expect(release).toContain("  namespace = kubernetes_namespace.ngrok.metadata[0].name\n");
    expect(release).toContain("        name: ${kubernetes_secret.ngrok.metadata[0].name}\n");
    expect(terraformValues().credentials.secret.name).toBe("ngrok-credentials");
  });

  test.for(["flux.yaml", "main.tf"])("%s holds no key, only where it comes from", (file) => {
    const given = [...read(file).matchAll(/^\s*(API_KEY|AUTHTOKEN)\s*[:=]\s*(.*)$/gm)].map(([, key, value]) => [
      key,
      value,
    ]);
    const from = (name: string): string => (file === "main.tf" ? `var.${name.toLowerCase()}` : `"\${${name}}"`);
    expect(given).toEqual([
      ["API_KEY", from("NGROK_API_KEY")],
      ["AUTHTOKEN", from("NGROK_AUTHTOKEN")],
    ]);
  });
});

interface Values {
  readonly cleanupHook: { readonly timeout: number };
  readonly credentials: { readonly secret: { readonly name: string } };
}
interface Application {
  readonly metadata: { readonly finalizers: readonly string[] };
  readonly spec: { readonly source: { readonly helm: { readonly valuesObject: Record<string, unknown> } } };
}
interface HelmRelease {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: {
    readonly install?: { readonly remediation?: object };
    readonly upgrade: object;
    readonly uninstall: object;
    readonly values: Values;
  };
}
