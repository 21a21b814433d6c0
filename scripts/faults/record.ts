// docs/uninstall-matrix.json: what has passed, checked in, so that the page made of it is the same on every machine.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { allCases } from "#test/faults/cases.ts";
import { resultOf } from "#test/faults/results.ts";

const RECORD = join(import.meta.dirname, "../../docs/uninstall-matrix.json");

/** Writes how every case ended that has passed for this image and chart; how many there are. */
export async function writeRecord(folder: string): Promise<number> {
  const ended: Record<string, string> = {};
  for (const each of allCases()) {
    const result = await resultOf(folder, each);
    if (result !== undefined) ended[each.id] = result.ended;
  }
  await writeFile(RECORD, `${JSON.stringify(ended, null, 2)}\n`);
  return Object.keys(ended).length;
}
