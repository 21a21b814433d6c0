// The guard of protect.enabled before a real API server: it refuses until the drain state says Drained, and can be lifted.
// Deletions are dry runs, which are admitted as real ones are.
import { beforeAll, afterAll, expect, test } from "vitest";
import { CommandFailed } from "#tools/command.ts";
import type { ControlPlane } from "#tools/cluster/embedded/control-plane.ts";
import { binaries } from "#tools/binaries.ts";
import { ownControlPlane } from "../support/apiserver.ts";
import { kubectlOf, type Kubectl } from "../support/kubectl.ts";
import { templateText } from "../chart/helm.ts";

const CRD = "crd/domains.ingress.k8s.ngrok.com";
const STATE = ["configmap", "edge-ngrok-operator-drain-state", "--namespace", "ngrok"];
const BINDING = "validatingadmissionpolicybinding";

let plane: ControlPlane;
let kubectl: Kubectl;

beforeAll(async () => {
  plane = await ownControlPlane();
  kubectl = kubectlOf({ bin: await binaries(() => {}), kubeconfig: plane.kubeconfig });
  await kubectl.run(["create", "namespace", "ngrok"]);
  await kubectl.run(["create", "namespace", "shop"]);
  await install();
});

afterAll(async () => await plane[Symbol.asyncDispose]());

test("namespace and CustomResourceDefinitions cannot go before the drain is through; others can (E21)", async () => {
  const said = await untilRefused("namespace/ngrok");
  expect(said).toContain('namespaces "ngrok" is forbidden: ValidatingAdmissionPolicy');
  expect(said).toContain("the release edge in ngrok is not drained");
  expect(said).toContain("First helm uninstall edge -n ngrok");
  expect(await refusal(CRD)).toContain("the release edge in ngrok is not drained");
  expect(await refusal("namespace/shop")).toBeUndefined();
  expect(await refusal(BINDING, "edge-ngrok-operator-protect")).toBeUndefined();
});

test("a drain that has begun is not enough, and one that is through is", async () => {
  await untilRefused(CRD);
  await mark("Drained");
  await untilTaken("namespace/ngrok");
  await untilTaken(CRD);
  await mark("Draining");
  expect(await untilRefused("namespace/ngrok")).toContain("helm uninstall edge");
  expect(await untilRefused(CRD)).toContain("helm uninstall edge");
});

test("without the drain state, as after an uninstall, nobody is stopped", async () => {
  await mark("Open");
  await untilRefused("namespace/ngrok");
  await kubectl.run(["delete", ...STATE]);
  await untilTaken("namespace/ngrok");
  await untilTaken(CRD);
  await install();
  expect(await untilRefused(CRD)).toContain("helm uninstall edge");
});

test("the command that the refusal names lifts the guard", async () => {
  const said = await untilRefused("namespace/ngrok");
  const [, way = ""] = /To delete it all the same: kubectl (delete \S+ \S+)$/m.exec(said) ?? [];
  expect(way).toBe(`delete ${BINDING} edge-ngrok-operator-protect`);
  await kubectl.run(way.split(" "));
  await untilTaken("namespace/ngrok");
  await untilTaken(CRD);
  await install();
});

async function install(): Promise<void> {
  const text = await templateText({ set: ["protect.enabled=true", "cleanupHook.enabled=false"] });
  await kubectl.run(["apply", "--server-side", "-f", "-"], { input: text });
}

async function mark(phase: string): Promise<void> {
  await kubectl.run(["patch", ...STATE, "--type", "merge", "-p", JSON.stringify({ data: { phase } })]);
}

/** What the API server has against a deletion; undefined when it takes it. */
async function refusal(...object: readonly string[]): Promise<string | undefined> {
  try {
    await kubectl.run(["delete", ...object, "--dry-run=server"]);
    return undefined;
  } catch (error) {
    if (error instanceof CommandFailed) return error.stderr.trim();
    throw error;
  }
}

/** The guard reads policies and drain state from watches of its own, a moment after they are written. */
async function untilRefused(object: string): Promise<string> {
  await expect.poll(async () => await refusal(object)).toContain("is not drained");
  return (await refusal(object)) ?? "";
}

async function untilTaken(object: string): Promise<void> {
  await expect.poll(async () => await refusal(object)).toBeUndefined();
}
