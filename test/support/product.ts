// What a result holds for: an image and the chart beside it, without what no release takes along.
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { CHART } from "./stage.ts";

/** 16 hexadecimal digits that change with the image (by its digest) and with the chart as it is now, its words to people apart. */
export function productOf(image: string): string {
  const hash = createHash("sha256").update(image.split("@").at(-1) ?? "");
  const exclude = ["ci/**", "tests/**", "templates/NOTES.txt"];
  for (const file of globSync("**/*.{yaml,tpl,txt,json}", { cwd: CHART, exclude }).toSorted())
    hash.update(file).update(withoutWords(file, readFileSync(join(CHART, file), "utf8")));
  return hash.digest("hex").slice(0, 16);
}

/** A comment on a value or its description changes no uninstall. */
function withoutWords(file: string, text: string): string {
  if (file === "values.yaml") return JSON.stringify(parse(text));
  if (file !== "values.schema.json") return text;
  return JSON.stringify(JSON.parse(text), (key, value: unknown) =>
    key === "description" && typeof value === "string" ? undefined : value,
  );
}
