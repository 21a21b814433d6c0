// JSON Schemas of the kinds that the chart renders, made from what a version of Kubernetes says of its API, as kubeconform
// reads them: one file a kind, complete in itself, closed to unknown fields.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** As much of a definition as the conversion looks at. */
interface Definition {
  type?: string;
  format?: string;
  properties?: Record<string, Definition>;
  additionalProperties?: unknown;
  "x-kubernetes-group-version-kind"?: { group: string; kind: string; version: string }[];
}

type Definitions = Record<string, Definition>;

const REF = /"\$ref":"#\/definitions\/([^"]+)"/g;
const QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity";

/**
 * Writes a schema into `folder` for each of `kinds` ("apps/v1 Deployment") that `swagger` (a path) knows; the others are
 * returned.
 */
export async function writeKindSchemas(swagger: string, kinds: Iterable<string>, folder: string): Promise<string[]> {
  const { definitions } = JSON.parse(await readFile(swagger, "utf8")) as { definitions: Definitions };
  const strict = Object.fromEntries(Object.entries(definitions).map(([name, one]) => [name, closed(name, one)]));
  const names = new Map<string, string>(
    Object.entries(definitions).flatMap(([name, { "x-kubernetes-group-version-kind": served = [] }]) =>
      served.map(({ group, version, kind }) => [`${group === "" ? "" : `${group}/`}${version} ${kind}`, name]),
    ),
  );
  const unknown: string[] = [];
  for (const kind of kinds) {
    const name = names.get(kind);
    if (name === undefined) unknown.push(kind);
    else await writeFile(join(folder, fileOf(kind)), JSON.stringify(wholeOf(name, strict)));
  }
  return unknown;
}

/** Where kubeconform looks, as the template for its `-schema-location`. */
export function schemaLocation(folder: string): string {
  return join(folder, "{{.ResourceKind}}{{.KindSuffix}}.json");
}

/** The name that the template above becomes: of a group only what stands before its first dot. */
function fileOf(kind: string): string {
  const [apiVersion = "", name = ""] = kind.split(" ");
  const [group = "", version] = apiVersion.split("/");
  const suffix = [group.split(".")[0], version].filter((part) => part !== undefined).join("-");
  return `${name}-${suffix}.json`.toLowerCase();
}

function wholeOf(name: string, all: Definitions): object {
  const definitions: Definitions = {};
  const add = (one: string): void => {
    const found = all[one];
    if (found === undefined || definitions[one] !== undefined) return;
    definitions[one] = found;
    for (const [, next = ""] of JSON.stringify(found).matchAll(REF)) add(next);
  };
  add(name);
  return { $ref: `#/definitions/${name}`, definitions };
}

/** A field that is not listed is an error; numbers are accepted where Kubernetes accepts them for a string. */
function closed(name: string, definition: Definition): Definition {
  if (name === QUANTITY || definition.format === "int-or-string") {
    return { oneOf: [{ type: "string" }, { type: name === QUANTITY ? "number" : "integer" }] } as Definition;
  }
  if (definition.properties === undefined || definition.additionalProperties !== undefined) return definition;
  return { ...definition, additionalProperties: false };
}
