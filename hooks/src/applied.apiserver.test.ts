// Hooks that no uninstall has started: `helm template | kubectl apply` makes their Jobs beside the operator.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { Domain } from "#api/domain.ts";
import { FINALIZER } from "#api/keys.ts";
import { parseState } from "#drain/state.ts";
import { ConfigMap } from "#kube/kinds.ts";
import { at, type HookRig, hookRig } from "#test/support/hook-rig.ts";

const { signal } = new AbortController();
const STATE = "ngrok-operator-drain-state";
let rig: HookRig;

beforeAll(async () => {
  rig = await hookRig();
});
afterAll(async () => await rig[Symbol.asyncDispose]());
beforeEach(async () => await rig.reset());

async function domainsFinalizers(): Promise<readonly string[] | undefined> {
  return (await rig.read.get(Domain, { name: "shop-1", namespace: "shop" }, signal))?.metadata.finalizers;
}

test.for([
  { how: "applied", flags: ["create", "--save-config"] },
  { how: "applied from the server's side", flags: ["apply", "--server-side"] },
])("where kubectl has $how the release, both hooks refuse, and nothing has changed", async ({ flags }, { expect }) => {
  await rig.domains(1);
  await rig.anOperator();
  await rig.kubectl("-n", "ops", "delete", "configmap", STATE);
  const metadata = { name: STATE, namespace: "ops", labels: { "app.kubernetes.io/instance": "ngrok" } };
  const state = { apiVersion: "v1", kind: "ConfigMap", metadata };
  const file = join(rig.folder, "state.json");
  await writeFile(file, JSON.stringify(state));
  await rig.kubectl(...flags, "-f", file);

  for (const hook of ["drain", "cleanup"] as const) {
    const { code, log } = await rig.run(hook, { drainPolicy: "Delete" });
    expect(code, log).toBe(1);
    expect(log).toMatch(/refused +release ops\/ngrok was applied by kubectl .*Nothing was changed/);
    expect(log).toMatch(/remedy +to uninstall, .*kubectl -n ops delete kubernetesoperator ngrok/);
  }
  expect(await domainsFinalizers()).toEqual([FINALIZER]);
  expect(rig.api.remote()).toBe(1);
  expect(parseState(await rig.read.get(ConfigMap, at(STATE), signal))).toMatchObject({ phase: "Open" });
});

test("a state that Helm has made, and kubectl applied once more, is Helm's", async () => {
  await rig.domains(1);
  await rig.anOperator();
  await rig.kubectl("-n", "ops", "annotate", "configmap", STATE, "meta.helm.sh/release-name=ngrok");
  await rig.kubectl(
    "-n",
    "ops",
    "patch",
    "configmap",
    STATE,
    "--field-manager=kubectl",
    "-p",
    '{"metadata":{"labels":{"a":"b"}}}',
  );
  expect((await rig.run("drain")).code).toBe(0);
  expect(await domainsFinalizers()).toBeUndefined();
});
