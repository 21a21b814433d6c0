// docs/upgrading/from-go-0.24.md at its word: up from a release in the shape of 0.24, back, up again, and then an uninstall.
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { eventsSince } from "#test/support/audit.ts";
import { chart024, life024 } from "#test/support/go-0.24.ts";
import type { HelmRun } from "#test/support/helm.ts";
import { handOvers, writesWithoutLease } from "#test/support/hand-overs.ts";
import type { Kubectl } from "#test/support/kubectl.ts";
import { type NgrokEdge, startNgrokEdge } from "#test/support/ngrok-edge/edge.ts";
import type { NgrokApi } from "#test/support/ngrok-api/server.ts";
import { pageCommands } from "#test/support/page-commands.ts";
import { FULLNAME, RELEASE, type Scene, test } from "#test/support/scene.ts";
import { CHART } from "#test/support/stage.ts";

const page = await pageCommands("upgrading/from-go-0.24.md");
const MANAGER = `${FULLNAME}-manager-`;
const LEASE = `${FULLNAME}-leader`;
/** Time for another leader, in milliseconds, on a machine that is busy. */
const WITHIN_MS = 180_000;
const KINDS = "domains,ippolicies,cloudendpoints,agentendpoints,kubernetesoperators,ingresses";
const COLLECTIONS = ["endpoints", "reserved_domains", "ip_policies", "ip_policy_rules", "kubernetes_operators"];

test("a release of 0.24 is taken over in place with all that is at ngrok, goes back, takes another policy, and uninstalls without a trace (F17)", async ({
  scene,
}) => {
  const { kubectl } = scene.stage;
  await using folder = await workFolder(scene);
  const typed = async (word: string, env: Record<string, string> = {}): Promise<string> =>
    await page.type(scene, word, { cwd: folder.path, bin: folder.path, env, timeout: 300_000 });
  await using edge = await startNgrokEdge({
    host: "0.0.0.0",
    names: [scene.stage.cluster.hostIp],
    authtokens: ["unused"],
  });
  await install024(scene, edge);
  await life024(scene);
  await leads(kubectl, scene.namespace, MANAGER);
  const before = await standing(scene);
  const remote = remoteOf(scene.ngrok);
  const position = await scene.auditPosition();

  await typed("values");
  const dropped = ["upgrade", RELEASE, CHART, "-n", scene.namespace, "-f", join(folder.path, "values.yaml")];
  const reused = await scene.stage.helm(3, ["upgrade", RELEASE, CHART, "-n", scene.namespace, "--reuse-values"]);
  expect(reused.stderr).toContain("--reset-then-reuse-values instead of --reuse-values");
  const refused = await scene.stage.helm(3, [...dropped, "--set", "installCRDs=false"]);
  expect(refused.stderr).toMatch(
    /would delete the CustomResourceDefinitions[^]*remedy: .*helm.sh\/resource-policy=keep/,
  );
  await typed("keep");
  await typed("upgrade");
  expect(await typed("look")).toContain("UninstallReady=True");
  await expect.poll(async () => (await typed("unstamped")).trim(), { timeout: WITHIN_MS }).toBe("0");
  expect(await standing(scene)).toEqual(before);
  expect(remoteOf(scene.ngrok)).toEqual(remote);

  await typed("back", { REVISION: "1" });
  await leads(kubectl, scene.namespace, MANAGER);
  expect(await standing(scene)).toEqual(before);

  await typed("keep");
  await typed("upgrade");
  await leads(kubectl, scene.namespace, "pod/");
  await typed("look");
  expect(await standing(scene)).toEqual(before);
  expect(remoteOf(scene.ngrok)).toEqual(remote);

  const events = await eventsSince(scene.auditLog, position);
  const led = handOvers(events, LEASE);
  expect(led.map(({ to }) => kindOf(to))).toEqual(["0.24", "ours", "0.24", "ours"]);
  expect(led.filter(({ waited }) => !waited)).toEqual([]);
  expect(writesWithoutLease(events, LEASE, MANAGER)).toEqual([]);

  // Another policy holds at once: nobody waits for the new pod, and nothing is restarted by hand.
  const helm = async (...args: string[]): Promise<HelmRun> =>
    await scene.stage.helm(3, [...args, "-n", scene.namespace]);
  const values = ["--reset-then-reuse-values", "--set", "drainPolicy=Delete"];
  expect((await helm("upgrade", RELEASE, CHART, ...values)).code).toBe(0);
  await policyIs(kubectl, scene.namespace, "Delete");
  const run = await helm("uninstall", RELEASE);
  expect(run.code, run.stderr).toBe(0);
  expect(await scene.residue()).toEqual([]);
  expect((await scene.leftovers()).filter((line) => !line.startsWith("customresourcedefinition "))).toEqual([]);
  expect(scene.ngrok.remote()).toBe(0);
});

/** A folder to type in, in which `helm` is Helm 3, with which releases of 0.24 were made. */
async function workFolder({ stage }: Scene): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "from-go-"));
  await symlink(join(stage.cluster.bin, "helm3"), join(path, "helm"));
  return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true }) };
}

async function install024({ stage, ngrok, namespace }: Scene, edge: NgrokEdge): Promise<void> {
  const { kubectl } = stage;
  await using chart = await chart024();
  await kubectl.run(["create", "namespace", namespace]);
  await kubectl.run(["-n", namespace, "create", "configmap", "edge-ca", `--from-literal=ca.crt=${edge.ca}`]);
  const values = {
    apiURL: `http://${stage.cluster.hostIp}:${ngrok.port}`,
    serverAddr: edge.serverAddr,
    "extraCA.configMapName": "edge-ca",
    "credentials.apiKey": "stand-in-key",
    "credentials.authtoken": "unused",
    "podDisruptionBudget.create": true,
  };
  const sets = Object.entries(values).flatMap(([key, value]) => ["--set", `${key}=${value}`]);
  const args = ["install", RELEASE, chart.path, "-n", namespace, "--wait", ...stage.imageFlags, ...sets];
  const { code, stderr } = await stage.helm(3, args);
  if (code !== 0) throw new Error(`helm install of 0.24: ${stderr}`);
}

/** Until a holder of the Lease has this beginning of a name. */
async function leads(kubectl: Kubectl, namespace: string, holder: string): Promise<void> {
  const field = ["-o", "jsonpath={.spec.holderIdentity}"];
  const asked = async (): Promise<string> => await kubectl.run(["-n", namespace, "get", "lease", LEASE, ...field]);
  await expect.poll(asked, { interval: 500, timeout: WITHIN_MS }).toMatch(new RegExp(`^${holder}`));
}

/** What must be the same object, with the same id at ngrok and the same selector, whoever works. */
async function standing({ stage: { kubectl }, namespace, namespaces: [at] }: Scene): Promise<string[]> {
  const fields = "{.kind} {.metadata.name} {.metadata.uid} {.status.id} {.spec.selector.matchLabels}";
  const template = ["-o", `jsonpath={range .items[*]}${fields}{"\\n"}{end}`];
  const label = ["-l", `app.kubernetes.io/instance=${RELEASE}`];
  const texts = await Promise.all([
    // Not of all namespaces: one of the scene before may still be going.
    kubectl.run(["-n", namespace, "get", KINDS, ...template]),
    kubectl.run(["-n", at, "get", KINDS, ...template]),
    kubectl.run(["get", "crds,ingressclasses", ...label, ...template]),
    kubectl.run(["-n", namespace, "get", "deployments,secrets", ...label, ...template]),
  ]);
  return texts.flatMap((text) => text.split("\n").filter(Boolean)).toSorted();
}

/** Until the KubernetesOperator says so, by itself. */
async function policyIs(kubectl: Kubectl, namespace: string, policy: string): Promise<void> {
  const wait = ["wait", `kubernetesoperator/${RELEASE}`, `--for=jsonpath={.spec.drain.policy}=${policy}`];
  await kubectl.run(["-n", namespace, ...wait, "--timeout=150s"]);
}

function remoteOf(ngrok: NgrokApi): string[] {
  return COLLECTIONS.flatMap((name) => ngrok.objects(name).map(({ id }) => `${name} ${String(id)}`)).toSorted();
}

function kindOf(holder: string): string {
  return holder.startsWith("pod/") ? "ours" : "0.24";
}
