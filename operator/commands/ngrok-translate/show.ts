// A translation as text: the objects on standard output, what is wrong with the input as lines for people.
import { stringify } from "yaml";
import type { KubeObject } from "#kube/kind.ts";
import type { Problem, Translation } from "../../translate/model.ts";

export const FORMATS = ["yaml", "json", "table"] as const;
export type Format = (typeof FORMATS)[number];

export function shown({ endpoints, domains }: Translation, format: Format): string {
  const items = [...endpoints, ...domains];
  switch (format) {
    case "yaml":
      // One policy stands in two fields; an alias would be right too, but no reader of YAML likes them.
      return stringify({ items }, { aliasDuplicateObjects: false, lineWidth: 0 });
    case "json":
      return `${JSON.stringify({ items }, null, 2)}\n`;
    case "table":
      return table([["KIND", "NAMESPACE", "NAME", "URL", "UPSTREAM"], ...items.map(row)]);
  }
}

function row(object: KubeObject): string[] {
  const { url, domain, upstream } =
    (object as { spec?: { url?: string; domain?: string; upstream?: { url: string } } }).spec ?? {};
  const { name, namespace = "", generateName = "" }: Partial<KubeObject["metadata"]> = object.metadata;
  return [object.kind ?? "", namespace, name ?? `${generateName}*`, url ?? domain ?? "", upstream?.url ?? ""];
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((cells) => cells[at]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("   ")
      .trimEnd();
  return `${rows.map(line).join("\n")}\n`;
}

/** `object: field: what, remedy`, with what became of it before. */
export function told({ object, field, reason, effect }: Problem): string {
  return `${effect}: ${object}: ${field}: ${reason}`;
}
