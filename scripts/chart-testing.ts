// `npm run chart-testing`: `ct install` of every file of chart/ci on a cluster of `npm run cluster` that runs already, of
// whatever provider: CI has kind. Stand-ins for ngrok listen beside it.
import { parseArgs } from "node:util";
import { chartTesting } from "#test/support/chart-testing.ts";
import { residue } from "#test/support/residue.ts";
import { bringImages, stageOf } from "#test/support/stage.ts";
import { find } from "#tools/cluster/cluster.ts";

const tell = (line: string): void => void process.stderr.write(`${line}\n`);

try {
  const { values } = parseArgs({ options: { name: { type: "string", default: "dev" } } });
  const cluster = await find(values.name);
  if (cluster === undefined) {
    throw new Error(`cluster ${values.name} does not run: npm run cluster -- up --name ${values.name}`);
  }
  const stage = stageOf(cluster, await bringImages(cluster, tell));
  await chartTesting(stage, tell, async ({ said }) => {
    process.stdout.write(said);
    const { lines } = await residue(stage.kubectl);
    // ct takes an uninstall that failed for a success.
    if (said.includes("Error deleting Helm release") || lines.length > 0) {
      throw new Error(`the uninstalls left something:\n${lines.join("\n")}`);
    }
  });
} catch (error) {
  tell(`chart-testing: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
