// The licences of what a layer holds, as their authors ask: one text with every package that went into its bundles.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

/** The npm packages among the sources of a bundle, as folders from the top of the project, sorted. */
export function packagesOf(inputs: readonly string[]): string[] {
  const folders = inputs.flatMap((input) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? []);
  return [...new Set(folders)].toSorted();
}

/** Name, version, licence and licence text of each package among `inputs`; rejects when a package says neither. */
export async function licencesOf(top: string, inputs: readonly string[]): Promise<string> {
  const texts = await Promise.all(packagesOf(inputs).map((folder) => licenceOf(join(top, folder))));
  const line = `\n${"-".repeat(80)}\n\n`;
  return [`The programs in this layer contain ${texts.length} packages of others.\n`, ...texts].join(line);
}

async function licenceOf(folder: string): Promise<string> {
  const { name, version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as PackageJson;
  const names = (await readdir(folder)).filter((file) => /^(licen[cs]e|copying|notice)(\.|-|$)/i.test(file));
  if (names.length === 0 && license === undefined) throw new Error(`${folder} names no licence: look at its source`);
  const texts = await Promise.all(names.toSorted().map((file) => readFile(join(folder, file), "utf8")));
  return [`${name} ${version} (${license ?? "see below"})\n`, ...texts.map((text) => `${text.trim()}\n`)].join("\n");
}
