// The two READMEs give the same commands: test/e2e/readme.test.ts types those of one of them. What the chart's own says of values.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { blocksOf } from "#test/support/readme.ts";
import { CHART, objects } from "./helm.ts";

test("the chart's own README says the same", async () => {
  const [ours = ""] = await blocksOf("README.md", "Install it on your own cluster");
  const [chart = ""] = await blocksOf("chart/README.md", "Install");
  expect(ours.replace(/ \\\n +--set image.*\n/, "\n")).toBe(chart);
  expect(await blocksOf("chart/README.md", "Uninstall")).toEqual(
    (await blocksOf("README.md", "Uninstall it")).slice(0, 1),
  );
});

test.for(["podSecurityContext", "serviceAccount.create", "image.pullSecrets"])(
  "who grants something to the operator's account is told at %s of the hooks' accounts, which are others",
  async (value) => {
    const jobs = (await objects()).filter(({ kind }) => kind === "Job");
    const accounts = jobs.map(({ spec }) => spec?.template?.spec.serviceAccountName ?? "");
    expect(accounts).toHaveLength(3);
    const rows = readFileSync(join(CHART, "README.md"), "utf8").split("\n");
    const [row = ""] = rows.filter((line) => line.startsWith(`| \`${value}\` |`));
    for (const account of accounts)
      expect(row).toContain(`\`${account.replace("edge-ngrok-operator", "<fullname>")}\``);
  },
);
