// What people get wrong: refused before anything is changed, with the name of what is wrong and what to do.
import { expect } from "vitest";
import { command } from "#tools/command.ts";
import { HELMS, type HelmVersion, hookLines } from "#test/support/helm.ts";
import { carriers } from "#test/support/residue.ts";
import { FULLNAME, RELEASE, type Scene, test } from "#test/support/scene.ts";
import { CHART } from "#test/support/stage.ts";

/** What the API server hears of the guard by watches of its own. */
const LONG = { interval: 500 };

const bad = [
  { set: "drainPolicy=Purge", field: "drainPolicy" },
  { set: "drainPolicy=null", field: "drainPolicy" },
  { set: "drainPolcy=Delete", field: "drainPolcy" },
  { set: "cleanupHook.timeout=-1", field: "timeout" },
];

test("bad values are refused by both Helms with the field's name, and nothing is installed", async ({ scene }) => {
  const { stage, namespace } = scene;
  const { kubectl, helm } = stage;
  for (const version of HELMS) {
    for (const { set, field } of bad) {
      const args = ["install", RELEASE, CHART, "--namespace", namespace, "--create-namespace", "--set", set];
      const { code, stderr } = await helm(version, args);
      expect(code, set).not.toBe(0);
      expect(stderr).toContain(field);
    }
  }
  expect(await kubectl.run(["get", "namespace", namespace, "--ignore-not-found"])).toBe("");
});

test("an unknown policy in the KubernetesOperator is refused by the API server", async ({ scene }) => {
  await scene.install();
  const patch = JSON.stringify({ spec: { drain: { policy: "Purge" } } });
  const args = ["-n", scene.namespace, "patch", `kubernetesoperator/${RELEASE}`, "--type=merge", "-p", patch];
  await expect(scene.stage.kubectl.run(args)).rejects.toThrow(/spec\.drain\.policy.*Purge.*Delete.*Retain/s);
});

/** `helm test`: how it ended, and the word that its log ends with. */
async function rehearsal(scene: Scene, version: HelmVersion): Promise<{ code: number; last: string | undefined }> {
  const { code, stdout, stderr } = await scene.stage.helm(version, ["test", RELEASE, "-n", scene.namespace]);
  const lines = hookLines({ stderr: `${stdout}\n${stderr}` });
  expect(lines.length, stderr).toBeGreaterThan(5);
  return { code, last: lines.at(-1)?.split(" ")[1] };
}

test("Delete with a key that ngrok refuses changes nothing, and the printed remedy lets the same command succeed", async ({
  scene,
}) => {
  const { stage, ngrok } = scene;
  const { kubectl } = stage;
  const release = await scene.install({ values: { drainPolicy: "Delete" } });
  await scene.populate(3);
  for (const version of HELMS) expect(await rehearsal(scene, version)).toEqual({ code: 0, last: "ready" });
  ngrok.keys.revoke("stand-in-key");
  for (const version of HELMS) expect(await rehearsal(scene, version)).toEqual({ code: 1, last: "again" });

  const refused = await release.uninstall();

  expect(refused.code).not.toBe(0);
  const lines = hookLines(refused).join("\n");
  expect(lines).toMatch(/refused .*Nothing was changed/);
  expect(await carriers(kubectl)).toHaveLength(4);
  expect(ngrok.remote()).toBe(3);
  const state = `configmap/${FULLNAME}-drain-state`;
  expect(await kubectl.run(["-n", scene.namespace, "get", state, "-o", "jsonpath={.data}"])).toBe("");

  // As the hook printed it, typed into a shell.
  const [, remedy = ""] = /(kubectl .*patch configmap .*'), then run it again/.exec(lines) ?? [];
  const { bin, kubeconfig } = stage.cluster;
  await command("sh", ["-c", remedy], { env: { PATH: `${bin}:${process.env["PATH"]}`, KUBECONFIG: kubeconfig } });
  const run = await release.uninstall();

  expect(run.code, run.stderr).toBe(0);
  expect(await carriers(kubectl)).toEqual([]);
  expect(ngrok.remote()).toBe(3);
});

test("with protect.enabled neither namespace nor CRDs go before the drain, and the uninstall is not stopped (E21)", async ({
  scene,
}) => {
  const { stage, namespace } = scene;
  const { kubectl } = stage;
  const release = await scene.install({ values: { "protect.enabled": true } });
  await scene.populate(3);
  const guard = ["validatingadmissionpolicybinding", `${FULLNAME}-protect`];
  const crd = "crd/domains.ingress.k8s.ngrok.com";
  const going = async (object: string, ...flags: readonly string[]): Promise<string> =>
    await kubectl.run(["delete", object, ...flags]).catch((error: unknown) => String(error));

  await expect
    .poll(async () => await going(`namespace/${namespace}`, "--dry-run=server"), LONG)
    .toContain("is not drained");
  expect(await going(`namespace/${namespace}`)).toContain(`First helm uninstall ${RELEASE} -n ${namespace}`);
  expect(await going(crd)).toContain(`kubectl delete ${guard.join(" ")}`);
  const { metadata, ...rest } = await kubectl.json<{ metadata: Guard }>(["get", ...guard]);
  // Without Helm's annotations Helm 4 would take it for somebody else's, and leave it.
  const { name, labels, annotations } = metadata;
  await kubectl.run(["delete", ...guard]);
  await expect.poll(async () => await going(crd, "--dry-run=server"), LONG).toContain("deleted (server dry run)");
  await kubectl.apply([{ ...rest, metadata: { name, labels, annotations } }]);
  await expect.poll(async () => await going(crd, "--dry-run=server"), LONG).toContain("is not drained");

  const run = await release.uninstall();

  expect(run.code, run.stderr).toBe(0);
  expect(await carriers(kubectl)).toEqual([]);
  expect(await scene.residue()).toEqual([]);
  expect(await going(`namespace/${namespace}`, "--timeout=150s")).toContain("deleted");
  const left = await scene.leftovers();
  expect(left.filter((line) => !line.startsWith("customresourcedefinition "))).toEqual([]);
});

interface Guard {
  readonly name: string;
  readonly labels: object;
  readonly annotations: object;
}
