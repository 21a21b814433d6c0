// chart/values.yaml and the table of values in chart/README.md, both from the schema: a value is described once.
import { readFileSync } from "node:fs";
import { stringify } from "yaml";
import type { GeneratedFile } from "./generated-file.ts";
import {
  isGroup,
  leavesOf,
  propertiesOf,
  resolved,
  typeInWords,
  valuesSchema,
  type ValueSchema,
} from "./values-schema.ts";

const WIDTH = 118;
const readme = new URL("../../chart/README.md", import.meta.url);
const BEGIN = "<!-- values: begin (npm run generate) -->";
const END = "<!-- values: end -->";

export function valuesFiles(): readonly GeneratedFile[] {
  const root = valuesSchema();
  return [
    { path: "chart/values.yaml", text: valuesYaml(root) },
    { path: "chart/README.md", text: withTable(readFileSync(readme, "utf8"), valuesTable(root)) },
  ];
}

/** Defaults with their descriptions as comments; what has no default stands there as a comment itself. */
export function valuesYaml(root: ValueSchema): string {
  const head = [
    "# Generated from values.schema.json by `npm run generate`: change the schema, not this file.",
    "# A key that is not here is refused by Helm.",
  ];
  return `${[...head, ...entries(root, root, 0)].join("\n")}\n`;
}

function entries(group: ValueSchema, root: ValueSchema, depth: number): string[] {
  return propertiesOf(group).flatMap(([key, property]) => {
    const headline = depth === 0 && property.title !== undefined ? ["", `# ---- ${property.title} ----`] : [];
    return [...headline, ...(depth === 0 ? [""] : []), ...entry(key, property, root, depth)];
  });
}

function entry(key: string, property: ValueSchema, root: ValueSchema, depth: number): string[] {
  const indent = "  ".repeat(depth);
  const about = comment(aboutValue(property, root), indent);
  if (isGroup(property)) {
    const inner = entries(property, root, depth + 1);
    if (hasDefault(property)) return [...about, `${indent}${key}:`, ...inner];
    return [...about, `${indent}# ${key}: {}`];
  }
  if (property.default === undefined) return [...about, `${indent}# ${key}:`];
  const text = stringify({ [key]: property.default }, { lineWidth: 0 }).trimEnd();
  return [...about, ...text.split("\n").map((line) => indent + line)];
}

/** Whether any value inside has a default, so that the group itself must stand in values.yaml. */
function hasDefault(schema: ValueSchema): boolean {
  return schema.default !== undefined || Object.values(schema.properties ?? {}).some(hasDefault);
}

function aboutValue(property: ValueSchema, root: ValueSchema): string {
  const choice = resolved(property, root).enum;
  return [
    property.description ?? "",
    ...(choice === undefined ? [] : [`One of: ${choice.map((one) => (one === "" ? '""' : one)).join(", ")}.`]),
  ].join(" ");
}

function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

/** Markdown: one table for each section. */
export function valuesTable(root: ValueSchema): string {
  const rows = leavesOf(root);
  const sections = [...new Set(rows.map((leaf) => leaf.section))];
  return sections
    .map((section) => {
      const lines = rows
        .filter((leaf) => leaf.section === section)
        .map(({ path, schema }) => {
          const about = schema.description ?? "";
          const given = schema.default === undefined ? "" : `\`${JSON.stringify(schema.default)}\``;
          return `| \`${path.join(".")}\` | ${cell(typeInWords(schema, root))} | ${cell(given)} | ${cell(about)} |`;
        });
      return [`### ${section}`, "", "| Value | Type | Default | Meaning |", "|---|---|---|---|", ...lines].join("\n");
    })
    .join("\n\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

function withTable(page: string, table: string): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined)
    throw new Error(`chart/README.md needs the lines ${BEGIN} and ${END}`);
  return `${before}${BEGIN}\n\n${table}\n\n${END}${after}`;
}
