// The project `faults`: a cluster of its own a shard, raised before the first case. FAULTS_CLUSTER=name uses a cluster that
// stays up, for who writes scenarios.
import type { TestProject } from "vitest/node";
import { gatewayApiCrds, testTools } from "#tools/binaries.ts";
import { down, find } from "#tools/cluster/cluster.ts";
import type { Choice } from "#test/faults/cases.ts";
import { raise } from "./stage.ts";

declare module "vitest" {
  export interface ProvidedContext {
    faults: { readonly choice: Choice; readonly seed: number; readonly fresh: boolean };
  }
}

/** What scripts/faults/main.ts hands over, as JSON in FAULTS. */
export interface FaultsOrder {
  readonly choice: Choice;
  readonly seed: number;
  /** Whether what has passed already runs again. */
  readonly fresh: boolean;
  /** A cluster that is started unless it runs, and left running. */
  readonly cluster?: string;
}

/** Vitest's global setup; what it returns is the teardown. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const text = process.env["FAULTS"];
  if (text === undefined) throw new Error("the project faults is run by: npm run test:faults -- --help");
  const { cluster: given, ...order } = JSON.parse(text) as FaultsOrder;
  const name = given ?? `faults-${order.choice.shard?.i ?? 1}`;
  const tell = (line: string): void => console.log(line);
  if (given === undefined && (await find(name)) !== undefined) {
    throw new Error(
      `cluster ${name} runs already: another run of the matrix has it, or end it with: npm run cluster -- down --name ${name}`,
    );
  }
  try {
    await testTools(tell);
    const { cluster, image, kubectl } = await raise({ name, tell, bound: given === undefined });
    const manifests = (await gatewayApiCrds()).flatMap((file) => ["-f", file]);
    await kubectl.run(["apply", "--server-side", "--force-conflicts", ...manifests]);
    project.provide("stage", { cluster, image });
    project.provide("faults", order);
  } catch (error) {
    if (given === undefined) await down(name, tell);
    throw error;
  }
  return async () => {
    if (given === undefined) await down(name, tell);
  };
}
