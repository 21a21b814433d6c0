// The chart as a part of another one, whose author sees no more of it than its values.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { CHART, idOf, objects, refusal, type HelmVersion } from "./helm.ts";

const HELMS: readonly HelmVersion[] = ["helm3", "helm4"];
let parent = "";

beforeAll(async () => {
  parent = mkdtempSync(join(tmpdir(), "parent-chart-"));
  await cp(CHART, join(parent, "charts", "ngrok-operator"), { recursive: true });
  const dependency = { name: "ngrok-operator", version: ">=0.0.0-0", condition: "ngrok-operator.enabled" };
  const meta = { apiVersion: "v2", name: "platform", version: "1.0.0", dependencies: [dependency] };
  writeFileSync(join(parent, "Chart.yaml"), stringify(meta));
  const values = { global: { imageRegistry: "mirror.local", team: { name: "edge" } }, "ngrok-operator": {} };
  writeFileSync(join(parent, "values.yaml"), stringify(values));
});

afterAll(() => rmSync(parent, { recursive: true, force: true }));

test.for(HELMS)("%s installs it with the parent's global values and its own", async (helm) => {
  const chart = parent;
  const all = await objects({ helm, chart, set: ["ngrok-operator.enabled=true", "ngrok-operator.drainPolicy=Delete"] });
  const jobs = all.filter(({ kind }) => kind === "Job");
  const names = ["cleanup", "drain", "rehearsal"];
  expect(jobs.map(idOf)).toEqual(names.map((name) => `Job ngrok/edge-ngrok-operator-${name}`));
  for (const { spec } of jobs) {
    const [container] = spec?.template?.spec.containers ?? [];
    expect(container?.image).toMatch(/^mirror\.local\/ngrok\/ngrok-operator:/);
    expect(container?.env).toContainEqual({ name: "DRAIN_POLICY", value: "Delete" });
  }
});

test.for(HELMS)("%s leaves it out where the parent says so", async (helm) => {
  expect(await objects({ helm, chart: parent, set: ["ngrok-operator.enabled=false"] })).toEqual([]);
});

test.for(HELMS)("%s names the part whose value is bad", async (helm) => {
  const text = await refusal({ helm, chart: parent, set: ["ngrok-operator.drainPolicy=Keep"] });
  expect(text).toContain("ngrok-operator:\n- at '/drainPolicy': value must be one of 'Retain', 'Delete'");
});

test.for(HELMS)("%s under an alias, as values spell one, makes names that Kubernetes takes", async (helm) => {
  const aliased = mkdtempSync(join(tmpdir(), "parent-chart-"));
  try {
    await cp(CHART, join(aliased, "charts", "ngrok-operator"), { recursive: true });
    const dependency = { name: "ngrok-operator", version: ">=0.0.0-0", alias: "ngrokOperator" };
    const meta = { apiVersion: "v2", name: "platform", version: "1.0.0", dependencies: [dependency] };
    writeFileSync(join(aliased, "Chart.yaml"), stringify(meta));
    const all = await objects({ helm, chart: aliased, set: ["ngrokOperator.drainPolicy=Delete"] });
    expect(all.map(idOf)).toContain("Job ngrok/edge-ngrokoperator-drain");
    expect(all.map(({ metadata }) => metadata.name).filter((name) => /[^a-z0-9.-]/.test(name))).toEqual([]);
    // A label takes capitals, and a Deployment's selector never changes.
    const [pods] = all.filter(({ kind }) => kind === "Deployment");
    expect(pods?.spec?.selector?.matchLabels).toMatchObject({ "app.kubernetes.io/name": "ngrokOperator" });
  } finally {
    rmSync(aliased, { recursive: true, force: true });
  }
});

test("as the chart itself it takes global and enabled", async () => {
  const all = await objects({ set: ["global.imageRegistry=mirror.local", "global.other=1", "enabled=true"] });
  const images = all.flatMap(({ spec }) => spec?.template?.spec.containers ?? []).map(({ image }) => image);
  expect(images.length).toBeGreaterThan(2);
  expect(images.filter((image) => !image.startsWith("mirror.local/ngrok/"))).toEqual([]);
});
