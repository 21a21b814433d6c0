// A release from the checkout: image for two architectures, chart that names it by digest, provenance, list of contents,
// checksums; all of it pushed to a registry, and pulled back once.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { VERSION } from "#api/version.ts";
import { buildImages } from "#scripts/images/build-images.ts";
import type { Tell } from "#tools/cache.ts";
import { command } from "#tools/command.ts";
import { type ChartPackage, packageChart, type ReleasedImage } from "./chart-package.ts";
import { sectionOf } from "./changes.ts";
import { type IndexLayout, writeIndexLayout } from "./index-layout.ts";
import { chartsOf, isPublished, pushChart, pushImage, type Registry } from "./publish.ts";
import { sbomOf } from "./sbom.ts";
import type { SigningKey } from "./signing.ts";

export const ARCHES = ["x64", "arm64"] as const;
const REPOSITORY = "ngrok-operator";

export interface ReleaseOptions {
  readonly top: string;
  /** Folder of the results, which is emptied. */
  readonly out: string;
  /** With helm4 and crane. */
  readonly programs: string;
  readonly registry: Registry;
  readonly key: SigningKey;
  readonly tell: Tell;
}

export interface Released {
  readonly image: ReleasedImage;
  readonly chart: ChartPackage;
  /** Of the chart in the registry. */
  readonly chartDigest: string;
  readonly layout: IndexLayout;
}

/** Why this checkout is not to be published, one reason each; none where it is. */
export async function obstacles(top: string): Promise<string[]> {
  const git = async (...args: string[]): Promise<string> => (await command("git", ["-C", top, ...args])).trim();
  const { date } = sectionOf(await readFile(join(top, "CHANGELOG.md"), "utf8"), VERSION);
  const tags = (await git("tag", "--points-at", "HEAD")).split("\n");
  return [
    ...((await git("status", "--porcelain")) === "" ? [] : ["the checkout has changes that are not committed"]),
    ...(/^\d{4}-\d\d-\d\d$/.test(date) ? [] : [`CHANGELOG.md dates ${VERSION} as "${date}": write the day`]),
    ...(tags.includes(`v${VERSION}`) ? [] : [`the commit is not tagged: git tag v${VERSION}`]),
  ];
}

/** Builds, packs, signs and pushes. Rejects before anything is pushed when the registry has this version already. */
export async function release(options: ReleaseOptions): Promise<Released> {
  const { top, out, programs, registry, key, tell } = options;
  if (await isPublished(programs, registry, REPOSITORY, VERSION)) {
    throw new Error(`${chartsOf(registry)}/${REPOSITORY} has ${VERSION} already: releases are not replaced`);
  }
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  const section = sectionOf(await readFile(join(top, "CHANGELOG.md"), "utf8"), VERSION);
  const layout = await images(options);
  const image = { registry: registry.address, repository: REPOSITORY, digest: layout.digest };
  const chart = await packageChart({
    chart: join(top, "chart"),
    helm: join(programs, "helm4"),
    image,
    section,
    key,
    out,
  });
  await writeFile(join(out, `${REPOSITORY}-${VERSION}.spdx.json`), await sbomOf(top));
  await writeFile(join(out, "images.txt"), `${image.registry}/${image.repository}@${image.digest}\n`);
  await writeFile(join(out, "SHA256SUMS"), await checksums(out));
  tell(`packed ${chart.archive}, signed by "${key.name}", with ${section.changes.length} changes`);
  await pushImage(programs, layout, image, VERSION);
  tell(`pushed ${registry.address}/${REPOSITORY}@${layout.digest}: ${ARCHES.join(", ")}`);
  const chartDigest = await pushChart(programs, chart, registry, key);
  tell(`pushed ${chartsOf(registry)}/${REPOSITORY} ${VERSION}, ${chartDigest}; pulled back and verified`);
  return { image, chart, chartDigest, layout };
}

async function images({ top, out, tell }: ReleaseOptions): Promise<IndexLayout> {
  const archives: Record<string, string> = {};
  for (const arch of ARCHES) {
    tell(`image for ${arch}`);
    archives[arch] = (await buildImages({ tell, top, arch, out: join(out, "images", arch) })).operator.archive;
  }
  return await writeIndexLayout(archives, join(out, "images/index"));
}

/** As `sha256sum --check` reads it, of the files that are handed out. */
async function checksums(folder: string): Promise<string> {
  const files = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile());
  const lines = files.map(async ({ name }) => {
    const sum = createHash("sha256").update(await readFile(join(folder, name)));
    return `${sum.digest("hex")}  ${name}\n`;
  });
  return (await Promise.all(lines)).toSorted((a, b) => a.slice(66).localeCompare(b.slice(66))).join("");
}
