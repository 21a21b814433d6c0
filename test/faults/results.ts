// What has been shown already, one file a case in the tools' cache: for this image, this chart and this wording of the
// scenario. A run that was interrupted goes on where it ended.
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "#tools/cache.ts";
import { productOf } from "#test/support/product.ts";
import { fingerprintOf, type Case } from "./cases.ts";
import type { Ended } from "./flow.ts";

export interface Result {
  readonly id: string;
  readonly ended: Ended;
  readonly seconds: number;
  readonly seed: number;
  /** RFC 3339. */
  readonly at: string;
}

/** The folder of the results for an image (by its digest) and the chart as it is now. */
export function resultsFolder(image: string): string {
  return join(cacheFolder(), "faults", productOf(image));
}

/** The case's result if it has passed as it is written now. */
export async function resultOf(folder: string, of: Case): Promise<Result | undefined> {
  const text = await readFile(fileOf(folder, of), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Result);
}

export async function keepResult(folder: string, of: Case, result: Result): Promise<void> {
  const file = fileOf(folder, of);
  await mkdir(folder, { recursive: true });
  await writeFile(`${file}.${process.pid}`, `${JSON.stringify(result, null, 2)}\n`);
  await rename(`${file}.${process.pid}`, file);
}

function fileOf(folder: string, of: Case): string {
  return join(folder, `${of.id}.${fingerprintOf(of)}.json`);
}
