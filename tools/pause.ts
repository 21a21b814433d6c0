// The image of the pause container, the sandbox of every pod: one static program from Kubernetes' own source, in an
// OCI layout that is the same bytes wherever it is made with the same compiler.
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "./command.ts";

const OCI = "application/vnd.oci.image";

/** Compiles `kubernetes`/build/pause/linux/pause.c and writes the image as an OCI layout into `folder`. */
export async function makePause(kubernetes: string, folder: string): Promise<void> {
  await mkdir(join(folder, "rootfs"), { recursive: true });
  const source = join(kubernetes, "build/pause/linux/pause.c");
  const program = join(folder, "rootfs/pause");
  await command("gcc", ["-Os", "-static", "-s", "-DVERSION=ngrok-operator", "-o", program, source]);
  const flags = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"];
  await command("tar", [...flags, "-C", join(folder, "rootfs"), "-cf", join(folder, "layer.tar"), "pause"]);
  const layer = await readFile(join(folder, "layer.tar"));
  await rm(join(folder, "rootfs"), { recursive: true });
  await rm(join(folder, "layer.tar"));
  await writeLayout(folder, layer);
}

async function writeLayout(folder: string, layer: Buffer): Promise<void> {
  await mkdir(join(folder, "blobs/sha256"), { recursive: true });
  const blob = async (
    mediaType: string,
    content: Buffer,
  ): Promise<{ mediaType: string; digest: string; size: number }> => {
    const digest = createHash("sha256").update(content).digest("hex");
    await writeFile(join(folder, "blobs/sha256", digest), content);
    return { mediaType, digest: `sha256:${digest}`, size: content.length };
  };
  const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  const layerBlob = await blob(`${OCI}.layer.v1.tar`, layer);
  const config = {
    architecture: { x64: "amd64", arm64: "arm64" }[process.arch as string] ?? process.arch,
    os: "linux",
    config: { User: "65535:65535", Entrypoint: ["/pause"] },
    rootfs: { type: "layers", diff_ids: [layerBlob.digest] },
  };
  const configBlob = await blob(`${OCI}.config.v1+json`, json(config));
  const mediaType = `${OCI}.manifest.v1+json`;
  const manifest = await blob(
    mediaType,
    json({ schemaVersion: 2, mediaType, config: configBlob, layers: [layerBlob] }),
  );
  await writeFile(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  await writeFile(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
}
