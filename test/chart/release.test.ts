// The chart as a release packs it: it names its one image by digest and says so to who mirrors images, is signed, and holds
// what people need and nothing else.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { type ChartPackage, packageChart } from "#scripts/release/chart-package.ts";
import { throwawayKey } from "#scripts/release/signing.ts";
import { binaries } from "#tools/binaries.ts";
import { command } from "#tools/command.ts";
import { CHART, objects, podsOf } from "./helm.ts";

const image = { registry: "registry.example/team", repository: "ngrok-operator", digest: `sha256:${"1a".repeat(32)}` };
const REFERENCE = `${image.registry}/${image.repository}@${image.digest}`;
const section = {
  date: "2026-01-02",
  changes: [
    { kind: "added", description: `A long one: ${"which goes on ".repeat(20)}to its end` },
    { kind: "security", description: "A hole." },
  ],
} as const;

let out: string;
let chart: ChartPackage;
let helm: string;

beforeAll(async () => {
  const tell = (line: string): void => void process.stderr.write(`${line}\n`);
  helm = join(await binaries(tell), "helm4");
  out = await mkdtemp(join(tmpdir(), "chart-release-"));
  await using key = await throwawayKey(tell);
  chart = await packageChart({ chart: CHART, helm, image, section, key, out }); // verifies its signature
}, 300_000);

afterAll(async () => await rm(out, { recursive: true, force: true }));

test("every pod runs the image of the release, whatever is on, and the annotation lists exactly that", async () => {
  const full = join(CHART, "ci/full-values.yaml");
  const pods = podsOf(await objects({ chart: chart.archive, files: [full] }));
  expect(pods.length).toBeGreaterThan(4);
  const images = pods.flatMap(({ pod }) => pod.containers.map((container) => container.image));
  expect([...new Set(images)]).toEqual([REFERENCE]);
  const listed = parse((await annotations())["artifacthub.io/images"] ?? "") as { image: string }[];
  expect(listed.map((one) => one.image)).toEqual([REFERENCE]);
});

test("a mirror is one value, and the digest stays", async () => {
  const pods = podsOf(await objects({ chart: chart.archive, set: ["global.imageRegistry=mirror.example"] }));
  const images = pods.flatMap(({ pod }) => pod.containers.map((container) => container.image));
  expect([...new Set(images)]).toEqual([`mirror.example/ngrok-operator@${image.digest}`]);
});

test("what changed stands in it as it was written", async () => {
  const said = await annotations();
  expect(parse(said["artifacthub.io/changes"] ?? "")).toEqual(section.changes);
  expect(said).toMatchObject({
    "artifacthub.io/containsSecurityUpdates": "true",
    "artifacthub.io/prerelease": "false",
    "artifacthub.io/license": "MIT",
  });
});

test("it holds its pages, and neither tests nor values of tests", async () => {
  const files = (await command("tar", ["-tzf", chart.archive])).trim().split("\n");
  const wanted = ["README.md", "RBAC.md", "values.schema.json"].map((name) => `ngrok-operator/${name}`);
  expect(files).toEqual(expect.arrayContaining(wanted));
  expect(files.filter((path) => /\/(tests|ci)\/.*_test|\/ci\/|values\.d\.ts|\/\./.test(path))).toEqual([]);
});

async function annotations(): Promise<Record<string, string>> {
  const text = await command(helm, ["show", "chart", chart.archive]);
  return (parse(text) as { annotations: Record<string, string> }).annotations;
}
