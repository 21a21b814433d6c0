// docs/runbook-uninstall.md tidies up where no hook did: whatever the chart has switched on, the sweep knows its kind.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CHART, objects } from "./helm.ts";

const ON = ["networkPolicy.enabled=true", "protect.enabled=true", "agent.enabled=true", "bindings.enabled=true"];
const page = readFileSync(join(CHART, "../docs/runbook-uninstall.md"), "utf8");
/** Kept on purpose, with the custom resources that are left. */
const KEPT = "CustomResourceDefinition";

test("the sweep takes every kind that a drain hook leaves, and every one that outlives a namespace", async () => {
  const [, sweep = ""] = /^```sh sweep\n([^]*?)\n```$/m.exec(page) ?? [];
  const [, kinds = ""] = / delete ([a-z,]+) /.exec(sweep.replaceAll("\\\n", "")) ?? [];
  const left = (await objects({ set: ON }))
    .filter(({ metadata }) => metadata.annotations?.["helm.sh/hook"] === "pre-delete" || !metadata.namespace)
    .map(({ kind }) => kind)
    .filter((kind) => kind !== KEPT);
  expect(left).toEqual(expect.arrayContaining(["Job", "NetworkPolicy", "ValidatingAdmissionPolicy"]));
  const swept = kinds.split(",");
  expect([...new Set(left)].filter((kind) => !swept.includes(kind.toLowerCase()))).toEqual([]);
});

test("what a cleanup runs by, and leaves where Helm did not wait for its end, goes by one command under its one name", async () => {
  const [, outlived = ""] = /^```sh outlived\n([^]*?)\n```$/m.exec(page) ?? [];
  const [, kinds = "", name] = / delete ([a-z,]+) (\S+) /.exec(outlived.replaceAll("\\\n", "")) ?? [];
  const set = [...ON, "credentials.apiKey=k", "credentials.authtoken=t"];
  const own = (await objects({ set })).filter(
    ({ metadata }) => metadata.annotations?.["helm.sh/hook"] === "post-delete",
  );
  expect(own.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["Job", "Secret", "ServiceAccount"]));
  expect(new Set(own.map(({ metadata }) => metadata.name.replace("edge-ngrok-operator", "$F")))).toEqual(
    new Set([name]),
  );
  expect(own.map(({ kind }) => kind.toLowerCase()).filter((kind) => !kinds.split(",").includes(kind))).toEqual([]);
});

test("the commands of 1 and 2 end with that very sweep, so that one command is enough", () => {
  const block = (word: string): string => {
    const [, text = ""] = new RegExp(`^\`\`\`sh ${word}\n([^]*?)\n\`\`\`$`, "m").exec(page) ?? [];
    return text.replace(/\s+/g, " ");
  };
  expect(block("sweep")).toContain("kubectl -n $NS delete");
  for (const word of ["pull", "quota"])
    expect(block(word).endsWith(` --no-hooks && ${block("sweep")}`), word).toBe(true);
});
