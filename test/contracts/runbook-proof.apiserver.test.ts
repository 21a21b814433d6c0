// The last command of docs/runbook-uninstall.md is what a person believes at three in the morning: it must not be blind to any kind that a
// drain goes through, and must not fail where the kinds are gone.
import { join } from "node:path";
import { expect, test } from "vitest";
import { FINALIZER } from "#api/keys.ts";
import { rows } from "#drain/kinds.ts";
import { connect } from "#kube/connection.ts";
import { GatewayClass, Ingress } from "#kube/kinds.ts";
import { ownControlPlane } from "#test/support/apiserver.ts";
import * as builders from "#test/support/builders.ts";
import { installCrds } from "#test/support/crds.ts";
import { pageCommands } from "#test/support/page-commands.ts";
import { patient } from "#test/support/patient.ts";
import { binaries, gatewayApiCrds } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";

test("the runbook's proof names an object of every kind, prints nothing without one, and fails for no kind that is gone", async () => {
  await using plane = await ownControlPlane();
  const bin = await binaries(console.log);
  const kubectl = async (args: readonly string[], input = ""): Promise<string> =>
    await command(join(bin, "kubectl"), ["--kubeconfig", plane.kubeconfig, ...args], { input });
  const page = await pageCommands("runbook-uninstall.md");
  const ground = { namespace: "ops", stage: { cluster: { bin, kubeconfig: plane.kubeconfig } } };
  const proof = async (): Promise<string> => await page.type(ground, "proof");
  // What grep says when nothing came to it.
  const nothing = { code: 1, stderr: "" };
  await expect(proof()).rejects.toMatchObject(nothing);

  await using connection = patient(await connect({ kubeconfig: plane.kubeconfig }));
  await installCrds(connection);
  const files = await gatewayApiCrds("experimental", console.log);
  const crds = await kubectl(["create", "-o", "name", ...files.flatMap((file) => ["-f", file])]);
  await kubectl(["wait", "--for=condition=Established", "--timeout=150s", ...crds.trim().split("\n")]);
  await expect(proof()).rejects.toMatchObject(nothing);

  const metadata = { namespace: "default", finalizers: [FINALIZER] };
  const items = [
    builders.anIngress({ metadata }),
    builders.aService({ metadata }),
    builders.aGateway({ metadata }),
    builders.anHTTPRoute({ metadata }),
    builders.aTCPRoute({ metadata }),
    builders.aTLSRoute({ metadata, spec: { hostnames: ["db.example.com"] } }),
    builders.aCloudEndpoint({ metadata }),
    builders.anAgentEndpoint({ metadata }),
    builders.aDomain({ metadata }),
    builders.anIPPolicy({ metadata }),
    builders.aBoundEndpoint({ metadata }),
    builders.aKubernetesOperator({ metadata }),
  ];
  await kubectl(["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));

  const named = (await proof())
    .trim()
    .split("\n")
    .map((line) => line.split(" ")[0]);
  const drained = rows.map(({ kind }) => kind).filter((kind) => kind !== GatewayClass);
  expect(drained).toContain(Ingress);
  expect(named).toHaveLength(items.length);
  expect(new Set(named)).toEqual(new Set([...drained.map(({ kind }) => kind), "KubernetesOperator"]));
});
