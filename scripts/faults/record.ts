// docs/uninstall-matrix.json: what has passed, checked in, so that the page made of it is the same on every machine.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { allCases, fingerprintOf, type Case } from "#test/faults/cases.ts";
import { resultOf } from "#test/faults/results.ts";

const RECORD = join(import.meta.dirname, "../../docs/uninstall-matrix.json");
/** Behind an end that an earlier image or chart has shown, for the same wording of the scenario. */
const EARLIER = "*";

export interface Entry {
  /** How the case ended, and a mark behind it where that was not shown for the product as it is. */
  readonly ended: string;
  /** Fingerprint of the scenario for which it was shown. */
  readonly wording: string;
}

/**
 * Writes how every case ended that has passed for this image and chart, else for the latest before it, of which this
 * machine or the record itself knows; how many there are.
 */
export async function writeRecord(folder: string): Promise<number> {
  const all = dirname(folder);
  const others = (await readdir(all)).map((name) => join(all, name)).filter((other) => other !== folder);
  const previous = JSON.parse(await readFile(RECORD, "utf8")) as Readonly<Record<string, Entry>>;
  const entries: Record<string, Entry> = {};
  for (const each of allCases()) {
    const wording = fingerprintOf(each);
    const ended = (await resultOf(folder, each))?.ended ?? (await earlier(others, each));
    const entry = ended === undefined ? keptFrom(previous[each.id], wording) : { ended, wording };
    if (entry !== undefined) entries[each.id] = entry;
  }
  await writeFile(RECORD, `${JSON.stringify(entries, null, 2)}\n`);
  return Object.keys(entries).length;
}

/** What the record said before, marked once as of an earlier product; undefined when it was of another wording. */
export function keptFrom(previous: Entry | undefined, wording: string): Entry | undefined {
  if (previous?.wording !== wording) return undefined;
  const isMarked = !/\d$/.test(previous.ended);
  return isMarked ? previous : { ...previous, ended: `${previous.ended}${EARLIER}` };
}

async function earlier(folders: readonly string[], of: Case): Promise<string | undefined> {
  const found = (await Promise.all(folders.map(async (folder) => await resultOf(folder, of)))).filter(
    (result) => result !== undefined,
  );
  const latest = found.toSorted((a, b) => (a.at < b.at ? -1 : 1)).at(-1);
  return latest === undefined ? undefined : `${latest.ended}${EARLIER}`;
}
