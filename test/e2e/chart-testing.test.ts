// chart-testing installs, tests and uninstalls the chart with every values file of chart/ci, one after the other.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { chartTesting } from "#test/support/chart-testing.ts";
import { namespacesStay } from "#test/support/pods.ts";
import { residue } from "#test/support/residue.ts";
import { test } from "#test/support/scene.ts";
import { CHART } from "#test/support/stage.ts";

const NAME =
  "ct install takes the chart through install, test and uninstall with every values file of chart/ci, restricted and under a quota";

test(NAME, { timeout: 1_800_000 }, async ({ scene }) => {
  const { stage } = scene;
  // Every namespace that is going is counted below, and the scenes before do not wait for theirs.
  await namespacesStay(stage.kubectl);
  await chartTesting(stage, console.log, async ({ said, api, before }) => {
    expect(said).not.toContain("No chart changes detected");
    expect(said).toContain("All charts installed successfully");
    const files = readdirSync(join(CHART, "ci"));
    expect(files).toContain("default-values.yaml");
    for (const file of files) expect(said).toContain(`chart/ci/${file}`);
    // ct takes an uninstall that failed for a success.
    expect(said).not.toContain("Error deleting Helm release");
    expect((await residue(stage.kubectl)).lines).toEqual([]);
    expect(api.objects("kubernetes_operators")).toEqual([]);
    expect(api.objects("endpoints").map(({ id }) => id)).toEqual(before);
  });
});
