// chart/values.schema.json as a tree that the generators of values.yaml, the README's table and the types walk alike.
import { readFileSync } from "node:fs";

/** `null` beside another: what may be left out, and has no default that Helm would take away for it. */
export type ValueType = "object" | "array" | "string" | "integer" | "number" | "boolean" | "null";

export interface ValueSchema {
  readonly $ref?: string;
  readonly title?: string;
  readonly description?: string;
  readonly type?: ValueType | readonly [ValueType, "null"];
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly anyOf?: readonly ValueSchema[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly maxLength?: number;
  readonly required?: readonly string[];
  readonly if?: ValueSchema;
  readonly properties?: Readonly<Record<string, ValueSchema>>;
  readonly additionalProperties?: boolean | ValueSchema;
  /** In place of `propertyNames`, whose refusals name another value than the one that is wrong. */
  readonly patternProperties?: Readonly<Record<string, ValueSchema>>;
  readonly items?: ValueSchema;
  readonly definitions?: Readonly<Record<string, ValueSchema>>;
}

/** One value as a user sets it: `cleanupHook.timeout`. Objects that only hold other values are no leaves. */
export interface Leaf {
  readonly path: readonly string[];
  readonly schema: ValueSchema;
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

/** What stands under each key of a map that takes any; undefined when that is not said. */
export function eachOf({ additionalProperties, patternProperties = {} }: ValueSchema): ValueSchema | undefined {
  return typeof additionalProperties === "object" ? additionalProperties : Object.values(patternProperties)[0];
}

/** Every value, in the order of the schema. */
export function leavesOf(root: ValueSchema): readonly Leaf[] {
  const leaves: Leaf[] = [];
  let section = "";
  const walk = (schema: ValueSchema, path: readonly string[]): void => {
    for (const [key, property] of propertiesOf(schema)) {
      if (path.length === 0 && property.title !== undefined) section = property.title;
      const at = [...path, key];
      if (isGroup(property)) walk(property, at);
      else leaves.push({ path: at, schema: property, section });
    }
  };
  walk(root, []);
  return leaves;
}

/** What stands there when it is not null. */
export function typeOf({ type }: ValueSchema): ValueType | undefined {
  return typeof type === "object" ? type[0] : type;
}

/** What a person may write there, in a few words. */
export function typeInWords(schema: ValueSchema, root: ValueSchema): string {
  const whole = resolved(schema, root);
  if (whole.enum !== undefined) return whole.enum.map((value) => (value === "" ? '""' : value)).join(", ");
  if (whole.anyOf !== undefined) return whole.anyOf.map((one) => typeInWords(one, root)).join(" or ");
  const type = typeOf(whole);
  if (type === "array") return "list";
  if (type === "object") return "map";
  return type ?? "any";
}
