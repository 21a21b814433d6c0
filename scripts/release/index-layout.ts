// One image for several architectures: an OCI layout whose index names an image of each, so that a node pulls its own by the
// digest that is the same for all.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { architectureOf } from "#scripts/images/image.ts";
import { digestOf } from "#scripts/images/layer.ts";
import { command } from "#tools/command.ts";

const INDEX = "application/vnd.oci.image.index.v1+json";

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

export interface IndexLayout {
  readonly folder: string;
  /** Of the index: what the chart names. */
  readonly digest: string;
}

/** Unpacks the archives, by Node's names of their architectures, into `folder` and writes their index over it. */
export async function writeIndexLayout(
  archives: Readonly<Record<string, string>>,
  folder: string,
): Promise<IndexLayout> {
  await mkdir(folder, { recursive: true });
  const manifests: object[] = [];
  for (const [arch, archive] of Object.entries(archives)) {
    await command("tar", ["-xf", archive, "-C", folder]);
    const { mediaType, digest, size } = await onlyImage(folder);
    manifests.push({ mediaType, digest, size, platform: { architecture: architectureOf(arch), os: "linux" } });
  }
  const index = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }));
  await writeFile(join(folder, "index.json"), index);
  return { folder, digest: digestOf(index) };
}

async function onlyImage(folder: string): Promise<Descriptor> {
  const index = JSON.parse(await readFile(join(folder, "index.json"), "utf8")) as { manifests: Descriptor[] };
  const [only] = index.manifests;
  if (only === undefined) throw new Error(`${folder} holds no image`);
  return only;
}
