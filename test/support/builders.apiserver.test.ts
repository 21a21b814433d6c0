// The builders' objects of other people's kinds are good ones: a real API server takes them, Gateway API's included.
import { join } from "node:path";
import { expect, test } from "vitest";
import { binaries, gatewayApiCrds } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";
import { ownControlPlane } from "./apiserver.ts";
import * as builders from "./builders.ts";

test("an API server with Gateway API takes one of each", async () => {
  // A control plane of its own: in the run's, other tests want to see what happens where Gateway API is absent.
  await using plane = await ownControlPlane();
  const program = join(await binaries(console.log), "kubectl");
  const kubectl = async (args: readonly string[], input = ""): Promise<string> =>
    await command(program, ["--kubeconfig", plane.kubeconfig, ...args], { input });
  const files = await gatewayApiCrds("experimental", console.log);
  const crds = await kubectl(["create", "-o", "name", ...files.flatMap((file) => ["-f", file])]);
  await kubectl(["wait", "--for=condition=Established", "--timeout=150s", ...crds.trim().split("\n")]);

  const items = [
    builders.anIngressClass(),
    builders.anIngress(),
    builders.aService(),
    builders.aGatewayClass(),
    builders.aGateway(),
    builders.anHTTPRoute(),
    builders.aTCPRoute(),
    builders.aTLSRoute({ spec: { hostnames: ["db.example.com"] } }),
  ];
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  const said = await kubectl(["create", "-o", "name", "-f", "-"], list);
  expect(said.trim().split("\n")).toHaveLength(items.length);
});
