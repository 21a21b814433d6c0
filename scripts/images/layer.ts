// A layer: an archive of files, compressed, under the digests by which registries and nodes know it.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { madeOnce } from "#tools/cache.ts";
import { tar, withFolders, type Entry } from "./tar.ts";

export interface Blob {
  readonly mediaType: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
  readonly content: Buffer;
}

export interface Layer {
  /** For people: what it brings. */
  readonly name: string;
  readonly blob: Blob;
  /** Digest of the archive before it was compressed. */
  readonly diffId: string;
}

const LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";

export function digestOf(content: Buffer): string {
  return `sha256:${createHash("sha256").update(content).digest("hex")}`;
}

export function blob(mediaType: string, content: Buffer): Blob {
  return { mediaType, digest: digestOf(content), content };
}

/**
 * The layer of `entries`. With `cache`, a folder, the compressed archive is kept there under its diffId: Node and its
 * libraries take seconds to compress and change once in a while.
 */
export async function makeLayer(name: string, entries: readonly Entry[], cache?: string): Promise<Layer> {
  const archive = tar(withFolders(entries));
  const diffId = digestOf(archive);
  const content = cache === undefined ? await compressed(archive) : await cached(archive, join(cache, diffId.slice(7)));
  return { name, blob: blob(LAYER, content), diffId };
}

async function cached(archive: Buffer, folder: string): Promise<Buffer> {
  await madeOnce(folder, async (temporary) => {
    await writeFile(join(temporary, "layer.tar.gz"), await compressed(archive));
  });
  return await readFile(join(folder, "layer.tar.gz"));
}

/** zlib writes neither a name nor a time into the header, so equal archives stay equal. */
async function compressed(archive: Buffer): Promise<Buffer> {
  return await promisify(gzip)(archive, { level: 6 });
}
