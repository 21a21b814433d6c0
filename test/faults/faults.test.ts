// Runs the chosen cases of the matrix one after the other on the cluster of this shard. Which ones, says the command:
// scripts/faults/main.ts; how to write one, README.md.
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { type OpenFronts, startFronts, valuesOf } from "#scripts/demo/fronts.ts";
import { startApiProxy, type ApiProxy } from "#test/support/api-proxy.ts";
import { processesOf } from "#test/support/processes.ts";
import { openScene } from "#test/support/open-scene.ts";
import { stageOf } from "#test/support/stage.ts";
import { PORTS } from "#tools/cluster/embedded/node.ts";
import { chosenCases } from "./cases.ts";
import { prepare, wipe, wipeAll } from "./clearing.ts";
import { play } from "./flow.ts";
import { keepResult, resultOf, resultsFolder } from "./results.ts";

const { cluster, image } = inject("stage");
const { choice, seed, fresh } = inject("faults");
const stage = stageOf(cluster, image);
const folder = resultsFolder(image);
const processes = processesOf(cluster, stage.kubectl);
let proxy: ApiProxy | undefined;
let ways: OpenFronts | undefined;

beforeAll(async () => {
  // A case that was interrupted may have frozen the node.
  await processes.signal("kubelet", "SIGCONT");
  await wipeAll(stage);
  const nodeIp = cluster.registry.split(":")[0] ?? "";
  const pki = join(cluster.folder, "pki");
  proxy = await startApiProxy({ host: cluster.hostIp, pki, target: `https://${nodeIp}:${PORTS.api}` });
  ways = await startFronts(["agent", "bindings"], { host: cluster.hostIp, name: cluster.hostIp });
});
afterAll(async () => {
  await proxy?.[Symbol.asyncDispose]();
  await ways?.[Symbol.asyncDispose]();
});

for (const each of chosenCases(choice)) {
  const { id, scenario, run } = each;
  test(`${id}: ${scenario.sentence}`, async ({ signal }) => {
    if (!fresh && (await resultOf(folder, each)) !== undefined) return;
    if (proxy === undefined || ways === undefined) throw new Error("the proxy does not run");
    const { fronts, account } = ways;
    const began = performance.now();
    let passed = false;
    const scene = await openScene(stage, { signal, account, values: { ...proxy.values, ...valuesOf(fronts) } });
    try {
      await prepare(scene);
      const ended = await play({ scenario, run, scene, fronts, proxy, processes, seed });
      const seconds = Math.round((performance.now() - began) / 1000);
      expect(["0", "1, then 0"]).toContain(ended);
      passed = true;
      await keepResult(folder, each, { id, ended, seconds, seed, at: new Date().toISOString() });
      console.log(`${id}: ${ended} (${seconds} s)`);
    } catch (error) {
      // At once: the runner itself tells only when all cases are over.
      console.log(`${id}: FAILED: ${error instanceof Error ? error.message : String(error)}`);
      console.log(await scene.diagnosis());
      throw error;
    } finally {
      await wipe(scene, passed);
      await scene[Symbol.asyncDispose]();
    }
  });
}
