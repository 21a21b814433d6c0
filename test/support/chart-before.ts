// The chart as a version before this one: an older version in its labels, and values and schema that do not know the newest
// key. It is made from the chart of the checkout, since a shallow clone has no history to take it from.
import { cp, glob, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { CHART } from "./stage.ts";

/** What that version does not know, and what stands in its templates instead. */
const NEWEST = { group: "ngrokApi", read: ".Values.ngrokApi.callsPerMinute", instead: "0" } as const;

interface Schema {
  readonly required: readonly string[];
  readonly properties: Readonly<Record<string, unknown>>;
}

/** The chart, as version 0.0.9, in a folder of its own. */
export async function chartBefore(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "chart-before-"));
  await cp(CHART, path, { recursive: true });
  await edit(join(path, "Chart.yaml"), (text) => stringify({ ...(parse(text) as object), version: "0.0.9" }));
  await edit(join(path, "values.yaml"), (text) => {
    const { [NEWEST.group]: _, ...values } = parse(text) as Record<string, unknown>;
    return stringify(values);
  });
  await edit(join(path, "values.schema.json"), (text) => JSON.stringify(older(JSON.parse(text) as Schema)));
  for await (const file of glob(join(path, "templates/**/*.{yaml,tpl,txt}")))
    await edit(file, (text) => text.replaceAll(NEWEST.read, NEWEST.instead));
  return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true }) };
}

function older({ required, properties, ...schema }: Schema): object {
  const { [NEWEST.group]: _, ...known } = properties;
  const names = required.filter((name) => name !== NEWEST.group);
  return { ...schema, properties: known, required: names, if: { required: names } };
}

async function edit(file: string, change: (text: string) => string): Promise<void> {
  await writeFile(file, change(await readFile(file, "utf8")));
}
