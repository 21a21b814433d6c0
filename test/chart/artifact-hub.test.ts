// Chart.yaml by the rules of Artifact Hub, whose linter (`ah lint`) takes too long to build for every run.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { ownKinds } from "#api/own-kinds.ts";
import { CHART, objects, podsOf } from "./helm.ts";

interface ChartYaml {
  readonly icon: string;
  readonly appVersion: string;
  readonly annotations: Readonly<Record<string, string>>;
}

const chart = parse(readFileSync(join(CHART, "Chart.yaml"), "utf8")) as ChartYaml;

function annotation<T>(name: string): T {
  return parse(chart.annotations[`artifacthub.io/${name}`] ?? "null") as T;
}

test("category, licence and what kind of operator it is are words that Artifact Hub knows", () => {
  expect(chart.annotations).toMatchObject({
    "artifacthub.io/category": "networking",
    "artifacthub.io/license": "MIT",
    "artifacthub.io/operator": "true",
    "artifacthub.io/operatorCapabilities": "Full Lifecycle",
  });
});

test("each of our kinds is shown, with an example that is one of it", () => {
  const crds = annotation<Record<string, string>[]>("crds");
  const names = ownKinds.map(({ kind, plural, group }) => `${kind} ${plural}.${group}`);
  expect(crds.map(({ kind, name }) => `${kind} ${name}`).toSorted()).toEqual(names.toSorted());
  for (const { version, displayName, description } of crds) {
    expect([version, displayName, description]).toEqual(Array(3).fill(expect.stringMatching(/\S/)));
  }
  const examples = annotation<{ apiVersion: string; kind: string }[]>("crdsExamples");
  expect(examples.map(({ kind, apiVersion }) => `${apiVersion} ${kind}`).toSorted()).toEqual(
    ownKinds.map(({ kind, group, versions }) => `${group}/${versions[0]} ${kind}`).toSorted(),
  );
});

test("every image that is run is listed, for two architectures, by a tag that is scanned", async () => {
  const images = annotation<{ name: string; image: string; platforms: string[] }[]>("images");
  const pods = podsOf(await objects({ set: ["bindings.enabled=true"] }));
  const run = new Set(pods.flatMap(({ pod }) => pod.containers.map(({ image }) => image)));
  expect(new Set(images.map(({ image }) => image))).toEqual(run);
  for (const { image, platforms } of images) {
    expect(image).toMatch(/^[a-z0-9.-]+(\/[a-z0-9-]+)+:(?!latest)[\w.-]+$/);
    expect(platforms).toEqual(["linux/amd64", "linux/arm64"]);
  }
});

test("the icon is in the chart itself, and asks nobody", () => {
  const [, kind, text = ""] = /^data:([\w/+]+);base64,(\S+)$/.exec(chart.icon) ?? [];
  expect(kind).toBe("image/svg+xml");
  expect(Buffer.from(text, "base64").toString()).toMatch(
    /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^]*<\/svg>\n$/,
  );
});
