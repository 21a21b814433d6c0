// The chart as it is published: it names its image by digest and says what changed, packed and signed by Helm.
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { imagesAnnotation, withAnnotations } from "#scripts/generate/chart-yaml.ts";
import { command } from "#tools/command.ts";
import type { Section } from "./changes.ts";
import type { SigningKey } from "./signing.ts";

export interface ReleasedImage {
  readonly registry: string;
  readonly repository: string;
  readonly digest: string;
}

export interface PackageOptions {
  /** The chart of the checkout. */
  readonly chart: string;
  readonly helm: string;
  readonly image: ReleasedImage;
  readonly section: Section;
  readonly key: SigningKey;
  /** Folder of the results. */
  readonly out: string;
}

export interface ChartPackage {
  /** Path of the .tgz; its provenance lies beside it as .tgz.prov. */
  readonly archive: string;
  readonly name: string;
  readonly version: string;
}

/** Packs and signs a copy of the chart; rejects when the result does not verify. */
export async function packageChart({ chart, helm, image, section, key, out }: PackageOptions): Promise<ChartPackage> {
  const copy = join(out, ".chart");
  await rm(copy, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  await cp(chart, copy, { recursive: true });
  await rewrite(join(copy, "values.yaml"), (text) => withImage(text, image));
  await rewrite(join(copy, "Chart.yaml"), (text) => withChanges(text, image, section));
  const passphrase = key.passphraseFile === undefined ? [] : ["--passphrase-file", key.passphraseFile];
  const sign = ["--sign", "--key", key.name, "--keyring", key.keyring, ...passphrase];
  await command(helm, ["package", copy, "--destination", out, ...sign], { timeout: 60_000 });
  const { name, version } = parse(await readFile(join(copy, "Chart.yaml"), "utf8")) as Omit<ChartPackage, "archive">;
  await rm(copy, { recursive: true });
  const archive = join(out, `${name}-${version}.tgz`);
  await command(helm, ["verify", archive, "--keyring", key.publicKeyring ?? key.keyring], { timeout: 60_000 });
  return { archive, name, version };
}

async function rewrite(path: string, change: (text: string) => string): Promise<void> {
  await writeFile(path, change(await readFile(path, "utf8")));
}

/** values.yaml with the image that this release was built with; every other line stays as it is. */
function withImage(values: string, { registry, repository, digest }: ReleasedImage): string {
  const [before = "", after] = values.split(/(?<=^image:\n)/m);
  if (after === undefined) throw new Error("chart/values.yaml has no image");
  const image = Object.entries({ registry, repository, digest }).reduce(
    (text, [key, value]) => text.replace(new RegExp(`^  ${key}: .*$`, "m"), `  ${key}: ${JSON.stringify(value)}`),
    after,
  );
  const changed = `${before}${image}`;
  const read = parse(changed) as { image: ReleasedImage };
  if (read.image.digest !== digest || read.image.repository !== repository || read.image.registry !== registry) {
    throw new Error("chart/values.yaml: image has not the lines registry, repository and digest");
  }
  return changed;
}

function withChanges(chartYaml: string, { registry, repository, digest }: ReleasedImage, section: Section): string {
  const { version } = parse(chartYaml) as { version: string };
  return withAnnotations(chartYaml, {
    ...imagesAnnotation(`${registry}/${repository}@${digest}`),
    "artifacthub.io/changes": stringify(section.changes, { lineWidth: 100 }),
    "artifacthub.io/prerelease": String(version.includes("-")),
    "artifacthub.io/containsSecurityUpdates": String(section.changes.some(({ kind }) => kind === "security")),
  });
}
