// The two READMEs give the same commands: test/e2e/readme.test.ts types those of one of them.
import { expect, test } from "vitest";
import { blocksOf } from "#test/support/readme.ts";

test("the chart's own README says the same", async () => {
  const [ours = ""] = await blocksOf("README.md", "Install it on your own cluster");
  const [chart = ""] = await blocksOf("chart/README.md", "Install");
  expect(ours.replace(/ \\\n +--set image.*\n/, "\n")).toBe(chart);
  expect(await blocksOf("chart/README.md", "Uninstall")).toEqual(
    (await blocksOf("README.md", "Uninstall it")).slice(0, 1),
  );
});
