// docs/uninstall-matrix.json: what has passed, checked in, so that the page made of it is the same on every machine.
import { readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { allCases, type Case } from "#test/faults/cases.ts";
import { resultOf } from "#test/faults/results.ts";

const RECORD = join(import.meta.dirname, "../../docs/uninstall-matrix.json");
/** Behind an end that an earlier image or chart has shown, for the same wording of the scenario. */
const EARLIER = "*";

/** Writes how every case ended that has passed for this image and chart, else for the latest before it; how many there are. */
export async function writeRecord(folder: string): Promise<number> {
  const all = dirname(folder);
  const others = (await readdir(all)).map((name) => join(all, name)).filter((other) => other !== folder);
  const ended: Record<string, string> = {};
  for (const each of allCases()) {
    const end = (await resultOf(folder, each))?.ended ?? (await earlier(others, each));
    if (end !== undefined) ended[each.id] = end;
  }
  await writeFile(RECORD, `${JSON.stringify(ended, null, 2)}\n`);
  return Object.keys(ended).length;
}

async function earlier(folders: readonly string[], of: Case): Promise<string | undefined> {
  const found = (await Promise.all(folders.map(async (folder) => await resultOf(folder, of)))).filter(
    (result) => result !== undefined,
  );
  const latest = found.toSorted((a, b) => (a.at < b.at ? -1 : 1)).at(-1);
  return latest === undefined ? undefined : `${latest.ended}${EARLIER}`;
}
