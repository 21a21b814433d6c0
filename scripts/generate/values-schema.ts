// chart/values.schema.json as a tree that the generators of values.yaml, the README's table and the types walk alike.
import { readFileSync } from "node:fs";

export interface ValueSchema {
  readonly $ref?: string;
  readonly $comment?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly anyOf?: readonly ValueSchema[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly required?: readonly string[];
  readonly if?: ValueSchema;
  readonly properties?: Readonly<Record<string, ValueSchema>>;
  readonly additionalProperties?: boolean | ValueSchema;
  readonly items?: ValueSchema;
  readonly definitions?: Readonly<Record<string, ValueSchema>>;
}

/** One value as a user sets it: `cleanupHook.timeout`. Objects that only hold other values are no leaves. */
export interface Leaf {
  readonly path: readonly string[];
  readonly schema: ValueSchema;
  /** The name of the feature that will read it, when this version does not. */
  readonly later?: string;
  /** The headline under which it stands in values.yaml and in the table. */
  readonly section: string;
}

const source = new URL("../../chart/values.schema.json", import.meta.url);

/** The schema as it is in the checkout. */
export function valuesSchema(): ValueSchema {
  return JSON.parse(readFileSync(source, "utf8"));
}

/** The schema with its `$ref` followed; what stands beside the reference wins. */
export function resolved(schema: ValueSchema, root: ValueSchema): ValueSchema {
  if (schema.$ref === undefined) return schema;
  const name = schema.$ref.replace("#/definitions/", "");
  const target = root.definitions?.[name];
  if (target === undefined) throw new Error(`values.schema.json: ${schema.$ref} leads nowhere`);
  const { $ref: _, ...beside } = schema;
  return { ...target, ...beside };
}

/** Whether values are set inside of it, one by one; an open map is a value itself. */
export function isGroup(schema: ValueSchema): boolean {
  return schema.properties !== undefined && schema.$ref === undefined;
}

/** What a user may set inside of it: all but the wrong names that are there to be refused by the right one. */
export function propertiesOf(schema: ValueSchema): readonly (readonly [key: string, property: ValueSchema])[] {
  return Object.entries(schema.properties ?? {}).filter(([, property]) => property.const === undefined);
}

/** Every value, in the order of the schema. */
export function leavesOf(root: ValueSchema): readonly Leaf[] {
  const leaves: Leaf[] = [];
  let section = "";
  const walk = (schema: ValueSchema, path: readonly string[], later: string | undefined): void => {
    for (const [key, property] of propertiesOf(schema)) {
      if (path.length === 0 && property.title !== undefined) section = property.title;
      const feature = /^later: (.+)$/.exec(property.$comment ?? "")?.[1] ?? later;
      const at = [...path, key];
      if (isGroup(property)) walk(property, at, feature);
      else leaves.push({ path: at, schema: property, section, ...(feature === undefined ? {} : { later: feature }) });
    }
  };
  walk(root, [], undefined);
  return leaves;
}

/** What a person may write there, in a few words. */
export function typeInWords(schema: ValueSchema, root: ValueSchema): string {
  const whole = resolved(schema, root);
  if (whole.enum !== undefined) return whole.enum.map((value) => (value === "" ? '""' : value)).join(", ");
  if (whole.anyOf !== undefined) return whole.anyOf.map((one) => typeInWords(one, root)).join(" or ");
  if (whole.type === "array") return "list";
  if (whole.type === "object") return "map";
  return whole.type ?? "any";
}
