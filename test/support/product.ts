// What a result holds for: an image and the chart beside it, without what no release takes along.
import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CHART } from "./stage.ts";

/** 16 hexadecimal digits that change with the image (by its digest) and with the chart as it is now. */
export function productOf(image: string): string {
  const hash = createHash("sha256").update(image.split("@").at(-1) ?? "");
  const exclude = ["ci/**", "tests/**"];
  for (const file of globSync("**/*.{yaml,tpl,txt,json}", { cwd: CHART, exclude }).toSorted())
    hash.update(file).update(readFileSync(join(CHART, file)));
  return hash.digest("hex").slice(0, 16);
}
