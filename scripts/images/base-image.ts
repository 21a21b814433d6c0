// Another image to build upon in place of our own base layer, brought by crane; it has to be a Linux on which Node runs.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { binaries } from "#tools/binaries.ts";
import type { Tell } from "#tools/cache.ts";
import { command, onPath } from "#tools/command.ts";
import { architectureOf, type BaseImage } from "./image.ts";
import type { Layer } from "./layer.ts";

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
}

/** The media types that an OCI manifest has for what Docker calls otherwise; the bytes are the same. */
const OCI_NAMES: Readonly<Record<string, string>> = {
  "application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar",
  "application/vnd.docker.image.rootfs.diff.tar.gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
};

/** Pulls `name` for `arch`, in Node's words; rejects when it lacks one of `libraries`. */
export async function pullBase(
  name: string,
  arch: string,
  libraries: readonly string[],
  tell: Tell,
): Promise<BaseImage> {
  const crane = (await onPath("crane")) ? "crane" : join(await binaries(tell), "crane");
  const folder = await mkdtemp(join(tmpdir(), "ngrok-operator-base-"));
  try {
    const platform = `linux/${architectureOf(arch)}`;
    await command(crane, ["pull", "--format=oci", "--platform", platform, name, folder], { timeout: 300_000 });
    const files = await filesOf(folder);
    const missing = libraries.map((path) => basename(path)).filter((library) => !files.has(library));
    if (missing.length > 0) {
      throw new Error(
        `${name} has no ${missing.join(", ")}, which Node needs: choose a base with glibc and libstdc++, such as debian:12-slim`,
      );
    }
    return await readLayout(name, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readLayout(name: string, folder: string): Promise<BaseImage> {
  const { digest, manifest, config } = await manifestOf(folder);
  const layers = await Promise.all(
    manifest.layers.map(async (layer, at): Promise<Layer> => {
      const diffId = config.rootfs.diff_ids[at];
      if (diffId === undefined) throw new Error(`${name}: its config names fewer layers than its manifest`);
      const mediaType = OCI_NAMES[layer.mediaType] ?? layer.mediaType;
      const content = await readFile(blobPath(folder, layer.digest));
      return { name: "base", blob: { mediaType, digest: layer.digest, content }, diffId };
    }),
  );
  return { name, digest, layers, env: config.config?.Env ?? [] };
}

async function manifestOf(folder: string): Promise<{
  digest: string;
  manifest: { config: Descriptor; layers: Descriptor[] };
  config: { config?: { Env?: string[] }; rootfs: { diff_ids: string[] } };
}> {
  const read = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, "utf8"));
  const index = (await read(join(folder, "index.json"))) as { manifests: Descriptor[] };
  const digest = index.manifests[0]?.digest;
  if (digest === undefined) throw new Error(`${folder} holds no image`);
  const manifest = (await read(blobPath(folder, digest))) as { config: Descriptor; layers: Descriptor[] };
  const config = (await read(blobPath(folder, manifest.config.digest))) as {
    config?: { Env?: string[] };
    rootfs: { diff_ids: string[] };
  };
  return { digest, manifest, config };
}

/** The names, without folders, of all files in an image. */
async function filesOf(folder: string): Promise<Set<string>> {
  const { manifest } = await manifestOf(folder);
  const names = new Set<string>();
  for (const { digest } of manifest.layers) {
    const list = await command("tar", ["-tf", blobPath(folder, digest)]);
    for (const path of list.split("\n")) names.add(basename(path));
  }
  return names;
}

function blobPath(folder: string, digest: string): string {
  return join(folder, "blobs", digest.replace(":", "/"));
}
