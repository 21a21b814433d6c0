// The commands of a README, by section, as a reader would type them.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { TOP } from "./stage.ts";

/** The blocks `sh` of one section. */
export async function blocksOf(file: string, section: string): Promise<string[]> {
  const text = await readFile(join(TOP, file), "utf8");
  const part = text.split(/^## /m).find((one) => one.startsWith(`${section}\n`));
  if (part === undefined) throw new Error(`${file} has no section "${section}"`);
  return [...part.matchAll(/^```sh\n([^]*?)^```$/gm)].map(([, block = ""]) => block);
}

/** The commands in running text, as far as they are complete: of the release ngrok-operator in its namespace. */
export async function inlineOf(file: string, section: string): Promise<string[]> {
  const text = await readFile(join(TOP, file), "utf8");
  const part = text.split(/^## /m).find((one) => one.startsWith(`${section}\n`)) ?? "";
  return [...part.matchAll(/`((?:kubectl -n ngrok-operator|helm test ngrok-operator|curl) [^`]+)`/g)].map(
    ([, line = ""]) => line,
  );
}
