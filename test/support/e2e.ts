// The tier `e2e`: one cluster with our images and Gateway API for the whole run, brought before the first test and gone
// after the last. E2E_CLUSTER=name uses a cluster that runs already and leaves it, for who writes tests; E2E_NAME=name calls
// the own one so, for a run beside another.
import type { TestProject } from "vitest/node";
import { gatewayApiCrds, testTools } from "#tools/binaries.ts";
import { down, find } from "#tools/cluster/cluster.ts";
import type { Cluster } from "#tools/cluster/provider.ts";
import { raise } from "./stage.ts";

declare module "vitest" {
  export interface ProvidedContext {
    /** What stageOf() takes: the cluster, and our image in its registry by digest. */
    stage: { readonly cluster: Cluster; readonly image: string };
  }
}

/** Vitest's global setup; what it returns is the teardown. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env["E2E_CLUSTER"];
  const name = given ?? process.env["E2E_NAME"] ?? "e2e";
  const tell = (line: string): void => console.log(line);
  if (given === undefined && (await find(name)) !== undefined) {
    throw new Error(
      `cluster ${name} runs already: another run of the tests has it, or end it with: npm run cluster -- down --name ${name}`,
    );
  }
  try {
    await testTools(tell);
    const { cluster, image, kubectl } = await raise({ name, tell, bound: given === undefined });
    const manifests = (await gatewayApiCrds("experimental")).flatMap((file) => ["-f", file]);
    await kubectl.run(["apply", "--server-side", "--force-conflicts", ...manifests]);
    project.provide("stage", { cluster, image });
  } catch (error) {
    if (given === undefined) await down(name, tell);
    throw error;
  }
  return async () => {
    if (given === undefined) await down(name, tell);
  };
}
