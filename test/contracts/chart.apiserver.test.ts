// The chart before a real API server: every object is taken as it is rendered, and the level restricted warns of no pod.
// A server-side dry run, so nothing is made.
import { join } from "node:path";
import { beforeAll, expect, inject, test } from "vitest";
import { connect } from "#kube/connection.ts";
import { binaries } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";
import { templateText, valuesFiles } from "../chart/helm.ts";
import { installCrds } from "../support/crds.ts";
import { patient } from "#test/support/patient.ts";

const NAMESPACE = "ngrok-operator";

beforeAll(async () => {
  const level = (mode: string): Record<string, string> => ({ [`pod-security.kubernetes.io/${mode}`]: "restricted" });
  const labels = { ...level("enforce"), ...level("warn") };
  await apply(JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE, labels } }), []);
  // A KubernetesOperator that is part of the chart is applied where its kind is known.
  await using connection = patient(await connect({ kubeconfig: inject("kubeconfig") }));
  await installCrds(connection);
});

test.for(valuesFiles())("an API server takes every object of $name, without a warning", async ({ path }) => {
  const text = await templateText({ files: [path], namespace: NAMESPACE });
  const said = await apply(text, ["--dry-run=server", "--validate=strict", "--warnings-as-errors"]);
  expect(said.split("\n").filter((line) => line !== "" && !/ (created|configured|unchanged)/.test(line))).toEqual([]);
  // What drains: a hook, or for Argo CD the KubernetesOperator's deletion.
  expect(said).toMatch(/^(job\.batch\/\S+-drain|kubernetesoperator\.\S+) created/m);
});

async function apply(text: string, flags: readonly string[]): Promise<string> {
  const kubectl = join(await binaries(() => {}), "kubectl");
  const args = ["--kubeconfig", inject("kubeconfig"), "apply", "-f", "-", ...flags];
  return await command(kubectl, args, { input: text, timeout: 180_000 });
}
