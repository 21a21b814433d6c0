// What chart/Chart.yaml tells Artifact Hub and those who mirror images: our kinds, an example of each, and every image, as
// annotations that follow from the definitions, and the icon. The rest of the file is written by hand.
import { readdirSync, readFileSync } from "node:fs";
import { parse, parseAllDocuments, parseDocument, stringify } from "yaml";
import { ownKinds } from "#api/own-kinds.ts";
import { resourceName } from "#kube/kind.ts";
import type { GeneratedFile } from "./generated-file.ts";

const path = "chart/Chart.yaml";
const top = new URL("../../", import.meta.url);
/** The chart's linter wants no longer lines, and an annotation is indented. */
const WIDTH = { lineWidth: 100 };

export function chartYamlFile(): GeneratedFile {
  const annotated = withAnnotations(readFileSync(new URL(path, top), "utf8"), annotations());
  return { path, text: annotated.replace(/^icon: .*$/m, `icon: ${icon()}`) };
}

/** docs/icon.svg itself, in lines: an address could be gone, or ask for the internet. */
function icon(): string {
  const address = `data:image/svg+xml;base64,${readFileSync(new URL("docs/icon.svg", top)).toString("base64")}`;
  return `"${(address.match(/.{1,100}/g) ?? []).join("\\\n  ")}"`;
}

/** Chart.yaml with these annotations in place of those of the same names; comments and the rest stay. */
export function withAnnotations(chartYaml: string, wanted: Readonly<Record<string, string>>): string {
  const document = parseDocument(chartYaml);
  for (const [name, text] of Object.entries(wanted)) document.setIn(["annotations", name], text);
  return document.toString({ lineWidth: 0 });
}

/** The annotation that lists every image which the chart runs: `reference` is the operator's, which holds the hooks too. */
export function imagesAnnotation(reference: string): Record<string, string> {
  const image = { name: "ngrok-operator", image: reference, platforms: ["linux/amd64", "linux/arm64"] };
  return { "artifacthub.io/images": stringify([image], WIDTH) };
}

function annotations(): Record<string, string> {
  const { appVersion } = parse(readFileSync(new URL(path, top), "utf8")) as { appVersion: string };
  const schema = JSON.parse(readFileSync(new URL("chart/values.schema.json", top), "utf8")) as {
    properties: { image: { properties: Record<"registry" | "repository", { default: string }> } };
  };
  const { registry, repository } = schema.properties.image.properties;
  return {
    "artifacthub.io/crds": stringify(ownKinds.map(crdOf), WIDTH),
    "artifacthub.io/crdsExamples": stringify(examples(), WIDTH),
    ...imagesAnnotation(`${registry.default}/${repository.default}:${appVersion}`),
  };
}

function crdOf(kind: (typeof ownKinds)[number]): object {
  return {
    kind: kind.kind,
    version: kind.versions[0],
    name: resourceName(kind),
    displayName: kind.kind.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " "),
    description: kind.description,
  };
}

/** The first object of each page of examples. */
function examples(): unknown[] {
  const folder = new URL("docs/examples/", top);
  return readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .toSorted()
    .map((name): unknown => parseAllDocuments(readFileSync(new URL(name, folder), "utf8"))[0]?.toJS());
}
