// docs/uninstall-matrix.json: what has passed, checked in, so that the page made of it is the same on every machine.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
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
  /** The product (productOf) that has shown it; without it, of an entry from before this was written down. */
  readonly product?: string;
}

/**
 * Writes how every case ended that has passed for this image and chart, here or on another machine that made the same
 * ones of them, else for the latest before it, of which this machine or the record itself knows; how many there are.
 */
export async function writeRecord(folder: string): Promise<number> {
  const all = dirname(folder);
  const product = basename(folder);
  const others = (await readdir(all)).map((name) => join(all, name)).filter((other) => other !== folder);
  const previous = JSON.parse(await readFile(RECORD, "utf8")) as Readonly<Record<string, Entry>>;
  const entries: Record<string, Entry> = {};
  for (const each of allCases()) {
    const wording = fingerprintOf(each);
    const result = await resultOf(folder, each);
    const kept = keptFrom(previous[each.id], wording, product);
    const entry = result ? { ended: result.ended, wording, product } : kept;
    const known = entry?.product === product ? entry : ((await earlier(others, each, wording)) ?? kept);
    if (known !== undefined) entries[each.id] = known;
  }
  await writeFile(RECORD, `${JSON.stringify(entries, null, 2)}\n`);
  return Object.keys(entries).length;
}

/** What the record said before, marked where that was of another product; undefined when it was of another wording. */
export function keptFrom(previous: Entry | undefined, wording: string, product: string): Entry | undefined {
  if (previous?.wording !== wording) return undefined;
  const ended = previous.ended.replace(EARLIER, "");
  return { ...previous, ended: previous.product === product ? ended : `${ended}${EARLIER}` };
}

/** The latest that this machine has seen of other products. */
async function earlier(folders: readonly string[], of: Case, wording: string): Promise<Entry | undefined> {
  const found = await Promise.all(
    folders.map(async (folder) => {
      const result = await resultOf(folder, of);
      return result && { ...result, product: basename(folder) };
    }),
  );
  const latest = found
    .filter((each) => each !== undefined)
    .toSorted((a, b) => (a.at < b.at ? -1 : 1))
    .at(-1);
  return latest && { ended: `${latest.ended}${EARLIER}`, wording, product: latest.product };
}
