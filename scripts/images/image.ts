// An image as the OCI specification says it: layers, a config, a manifest that names both, and the archive that holds
// them all, so that the digest of what was built is the digest of what a node pulls.
import type { Blob, Layer } from "./layer.ts";
import { blob } from "./layer.ts";
import { file, tar, withFolders } from "./tar.ts";

/** An image to build upon: its layers stay what they are. */
export interface BaseImage {
  /** As a person named it. */
  readonly name: string;
  readonly digest: string;
  readonly layers: readonly Layer[];
  readonly env: readonly string[];
}

export interface ImageOptions {
  /** Node's name of the architecture; this machine's unless given. */
  readonly arch?: string;
  readonly layers: readonly Layer[];
  readonly base?: BaseImage;
  /** What runs when nobody says what. */
  readonly command?: readonly string[];
  readonly user: number;
  /** OCI's own label names; config and manifest bear them. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface Image {
  /** The manifest's. */
  readonly digest: string;
  /** Bytes that a node without any of the layers pulls. */
  readonly size: number;
  readonly manifest: Blob;
  readonly blobs: readonly Blob[];
}

const OCI = "application/vnd.oci.image";
const MANIFEST = `${OCI}.manifest.v1+json`;
const EPOCH = "1970-01-01T00:00:00Z";
const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The OCI name of the architecture that Node calls `arch`. */
export function architectureOf(arch: string): string {
  const name = { x64: "amd64", arm64: "arm64" }[arch];
  if (name === undefined) throw new Error(`images are built for x64 and arm64, this machine is ${arch}`);
  return name;
}

export function assemble(options: ImageOptions): Image {
  const layers = [...(options.base?.layers ?? []), ...options.layers];
  const config = blob(`${OCI}.config.v1+json`, json(configOf(options, layers)));
  const content = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: descriptor(config),
    layers: layers.map((layer) => descriptor(layer.blob)),
    annotations: {
      ...options.labels,
      ...(options.base && {
        "org.opencontainers.image.base.name": options.base.name,
        "org.opencontainers.image.base.digest": options.base.digest,
      }),
    },
  };
  const manifest = blob(MANIFEST, json(content));
  const blobs = [config, ...layers.map((layer) => layer.blob)];
  return {
    digest: manifest.digest,
    size: blobs.reduce((sum, { content: { length } }) => sum + length, 0),
    manifest,
    blobs,
  };
}

function configOf(options: ImageOptions, layers: readonly Layer[]): object {
  const { arch = process.arch, base, command, user, labels } = options;
  return {
    created: EPOCH, // a real time would make each build another image
    architecture: architectureOf(arch),
    os: "linux",
    config: {
      User: `${user}:${user}`,
      Env: [...(base?.env ?? [PATH]), "NODE_ENV=production"],
      Entrypoint: ["/usr/local/bin/node"],
      ...(command && { Cmd: command }),
      WorkingDir: "/app",
      Labels: labels,
    },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    history: layers.map(({ name }) => ({ created: EPOCH, created_by: name })),
  };
}

/** The image as the tar of an OCI layout, whose index gives it `tag`. */
export function archiveOf(image: Image, tag: string): Buffer {
  const named = { ...descriptor(image.manifest), annotations: { "org.opencontainers.image.ref.name": tag } };
  const blobs = new Map([image.manifest, ...image.blobs].map(({ digest, content }) => [digest, content]));
  return tar(
    withFolders([
      file("oci-layout", json({ imageLayoutVersion: "1.0.0" })),
      file("index.json", json({ schemaVersion: 2, mediaType: `${OCI}.index.v1+json`, manifests: [named] })),
      ...[...blobs].map(([digest, content]) => file(`blobs/${digest.replace(":", "/")}`, content)),
    ]),
  );
}

function descriptor({ mediaType, digest, content }: Blob): object {
  return { mediaType, digest, size: content.length };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
