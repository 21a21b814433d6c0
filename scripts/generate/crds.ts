// CustomResourceDefinitions from the kinds in api/: as objects for an API server, and as templates for the chart.
import { readFileSync } from "node:fs";
import Handlebars from "handlebars";
import { stringify } from "yaml";
import type { OwnKind, Schema } from "#api/define-kind.ts";
import { ownKinds } from "#api/own-kinds.ts";
import { resourceName } from "#kube/kind.ts";
import type { KubeObject } from "#kube/kind.ts";
import { banner, type GeneratedFile } from "./generated-file.ts";

export interface CustomResourceDefinition extends KubeObject {
  apiVersion: "apiextensions.k8s.io/v1";
  kind: "CustomResourceDefinition";
  spec: {
    group: string;
    scope: "Namespaced" | "Cluster";
    names: { kind: string; listKind: string; plural: string; singular: string; shortNames?: readonly string[] };
    versions: readonly CrdVersion[];
  };
}

interface CrdVersion {
  name: string;
  served: true;
  storage: true;
  subresources: { status: Record<string, never> };
  additionalPrinterColumns: readonly object[];
  schema: { openAPIV3Schema: Schema };
}

/** The CRDs of all our kinds, without anything of Helm: what an API server takes as it is. */
export function crdObjects(): CustomResourceDefinition[] {
  return ownKinds.map(crdOf);
}

/** The chart's templates, with their paths from the repository's top. */
export function crdFiles(): GeneratedFile[] {
  const source = readFileSync(new URL("crd.hbs", import.meta.url), "utf8");
  const template = Handlebars.compile(source, { noEscape: true, strict: true });
  return ownKinds.map((kind) => ({
    path: `chart/templates/crds/${kind.group}-${kind.plural}.yaml`,
    text: banner(`${kind.kind} in api/`) + template({ name: resourceName(kind), spec: specText(kind) }),
  }));
}

function crdOf(kind: OwnKind): CustomResourceDefinition {
  const { group, plural, singular, shortNames, versions, columns } = kind;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: resourceName(kind) },
    spec: {
      group,
      scope: kind.namespaced ? "Namespaced" : "Cluster",
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural,
        singular,
        ...(shortNames.length === 0 ? {} : { shortNames }),
      },
      versions: [
        {
          name: versions[0],
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: { openAPIV3Schema: rootSchema(kind) },
        },
      ],
    },
  };
}

/**
 * `spec` is not required: an object that an older release stored without one must stay free to lose its finalizer,
 * and the API server would refuse that change of an object that breaks its schema.
 */
function rootSchema(kind: OwnKind): Schema {
  return {
    type: "object",
    description: kind.description,
    properties: {
      apiVersion: { type: "string", description: "The version of the schema that this object follows." },
      kind: { type: "string", description: "The kind of this object." },
      metadata: { type: "object" },
      spec: kind.spec,
      status: kind.status,
    },
  };
}

function specText(kind: OwnKind): string {
  // Descriptions repeat as objects, not as YAML anchors: people read these files.
  const text = stringify({ spec: crdOf(kind).spec }, { aliasDuplicateObjects: false, lineWidth: 120 }).trimEnd();
  if (text.includes("{{")) throw new Error(`${kind.kind}: "{{" in a schema would be Helm's, word it otherwise`);
  return text;
}
