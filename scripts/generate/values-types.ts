// chart/values.d.ts: the chart's values as TypeScript sees them, so that scripts and tests that set one are checked.
import type { GeneratedFile } from "./generated-file.ts";
import { eachOf, propertiesOf, resolved, typeOf, valuesSchema, type ValueSchema } from "./values-schema.ts";

export function valuesTypesFile(): GeneratedFile {
  const root = valuesSchema();
  const text = [
    "// Generated from values.schema.json by `npm run generate`: change the schema, not this file.",
    "",
    `/** What a user may set; all of it has a default or may be left out. */`,
    `export interface Values ${body(root, root, 0)}`,
    "",
  ].join("\n");
  return { path: "chart/values.d.ts", text };
}

function body(schema: ValueSchema, root: ValueSchema, depth: number): string {
  const indent = "  ".repeat(depth + 1);
  const lines = propertiesOf(schema).flatMap(([key, property]) => [
    ...(property.description === undefined ? [] : [`${indent}/** ${property.description} */`]),
    `${indent}${key}?: ${typeText(property, root, depth + 1)};`,
  ]);
  if (schema.additionalProperties === true) lines.push(`${indent}[key: string]: unknown;`);
  return ["{", ...lines, `${"  ".repeat(depth)}}`].join("\n");
}

function typeText(schema: ValueSchema, root: ValueSchema, depth: number): string {
  const whole = resolved(schema, root);
  if (whole.enum !== undefined) return whole.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (whole.anyOf !== undefined) {
    // Who writes TypeScript leaves out what is not said.
    const said = whole.anyOf.filter((one) => typeOf(one) !== "null");
    return [...new Set(said.map((one) => typeText(one, root, depth)))].join(" | ");
  }
  const type = typeOf(whole);
  switch (type) {
    case "object": {
      if (whole.properties !== undefined) return body(whole, root, depth);
      const each = eachOf(whole);
      return `Record<string, ${each === undefined ? "unknown" : typeText(each, root, depth)}>`;
    }
    case "array":
      return `(${whole.items === undefined ? "unknown" : typeText(whole.items, root, depth)})[]`;
    case "integer":
      return "number";
    case "string":
    case "number":
    case "boolean":
      return type;
    case "null":
    case undefined:
    default:
      return "unknown";
  }
}
