// Every object of the chart, for every set of values that must work, against the API of each version of Kubernetes that we
// support: no field that it does not know, no value of another type (kubeconform, with the versions' own API documents).
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkTools } from "#tools/binaries.ts";
import { command, CommandFailed } from "#tools/command.ts";
import { KUBERNETES_VERSIONS, openApiDocuments } from "#tools/openapi.ts";
import { objectsIn } from "#test/support/manifest.ts";
import { type Rendered, templateText, valuesFiles } from "./helm.ts";
import { schemaLocation, writeKindSchemas } from "./kind-schemas.ts";

const NAMESPACE = "ngrok-operator";
/** Groups that no version of Kubernetes has by itself, and what reads their objects instead. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "monitoring.coreos.com":
    "the Prometheus operator's: test/contracts/monitors.apiserver.test.ts gives them to an API server",
  "ngrok.k8s.ngrok.com": "ours: test/contracts/chart.apiserver.test.ts gives them to an API server",
};

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "conform-"));
}, 60_000);

afterAll(async () => await rm(folder, { recursive: true, force: true }));

interface Outcome {
  readonly resources: { kind: string; name: string; status: string; msg: string }[];
  readonly summary: { valid: number; invalid: number; errors: number; skipped: number };
}

/** What kubeconform says of these manifests, knowing the kinds of one version and no other. */
async function conform(version: (typeof KUBERNETES_VERSIONS)[number], text: string): Promise<Outcome> {
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  const [tools, documents] = [await checkTools(tell), await openApiDocuments(tell)];
  const kinds = new Set(objectsIn<Rendered>(text).map(({ apiVersion, kind }) => `${apiVersion} ${kind}`));
  const schemas = await mkdtemp(join(folder, `${version}-`));
  const unknown = await writeKindSchemas(documents[version], kinds, schemas);
  expect(unknown.filter((kind) => ELSEWHERE[kind.split("/")[0] ?? ""] === undefined)).toEqual([]);
  const skip = unknown.flatMap((kind) => ["-skip", kind.replace(" ", "/")]);
  const args = ["-strict", "-summary", "-output", "json", ...skip, "-schema-location", schemaLocation(schemas)];
  const said = await command(join(tools, "kubeconform"), args, { input: text }).catch((error: unknown) => {
    if (error instanceof CommandFailed && error.code === 1) return error.stderr;
    throw error;
  });
  return JSON.parse(said) as Outcome;
}

describe.for(KUBERNETES_VERSIONS)("Kubernetes %s", { timeout: 300_000 }, (version) => {
  test("knows every field of every object, whatever the values", async () => {
    const flags = ["--kube-version", version];
    const texts: string[] = [];
    for (const { path } of valuesFiles()) {
      texts.push(await templateText({ files: [path], namespace: NAMESPACE, flags }));
    }
    const { resources, summary } = await conform(version, texts.join("\n---\n"));
    expect(resources).toEqual([]); // without -verbose it lists those that it does not like
    expect(summary).toMatchObject({ invalid: 0, errors: 0 });
    expect(summary.valid).toBeGreaterThan(20 * texts.length);
  });
});

test("a field that Kubernetes does not know, and one of another type, are told", { timeout: 300_000 }, async () => {
  const text = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: a}
automountServiceAcountToken: false
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: b}
spec: {minAvailable: [1]}
`;
  const { resources, summary } = await conform("v1.37.2", text);
  expect(summary).toMatchObject({ valid: 0, invalid: 2 });
  const said = resources.map(({ kind, msg }) => `${kind}: ${msg}`);
  expect(said.toSorted()).toEqual([
    expect.stringMatching(/^PodDisruptionBudget: .*minAvailable/),
    expect.stringMatching(/^ServiceAccount: .*automountServiceAcountToken/),
  ]);
});
