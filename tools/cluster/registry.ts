// The registry of a cluster, from which its node pulls by digest as in production: served inside the cluster's network,
// gone with it. Host and node call it by the same name.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { command } from "../command.ts";
import type { Component } from "./embedded/components.ts";

/** The registry's process. Its blobs are on disk, its manifests in memory: a new one knows no image. */
export function registryComponent(folder: string, port: number): Component {
  return {
    name: "registry",
    program: "crane",
    args: ["registry", "serve", "--address", `0.0.0.0:${port}`, "--disk", folder],
  };
}

export interface ServedRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`, over plain http. */
  readonly address: string;
}

/** An empty registry on a free port of loopback, gone with its images when it is disposed. */
export async function serveRegistry(bin: string): Promise<ServedRegistry> {
  const disk = await mkdtemp(join(tmpdir(), "ngrok-operator-registry-"));
  const crane = spawn(join(bin, "crane"), ["registry", "serve", "--address", "127.0.0.1:0", "--disk", disk], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(crane, "close");
  const end = async (): Promise<void> => {
    crane.kill("SIGKILL");
    await ended;
    await rm(disk, { recursive: true, force: true });
  };
  try {
    return { address: `127.0.0.1:${await portOf(crane)}`, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function portOf(crane: ChildProcess): Promise<string> {
  if (!crane.stderr) throw new Error("crane has no stderr");
  for await (const line of createInterface({ input: crane.stderr })) {
    const port = /serving on port (\d+)/.exec(line)?.[1];
    if (port !== undefined) return port;
  }
  throw new Error("crane served no registry");
}

/**
 * containerd's hosts.toml files, which send it to the registry over plain http: when an image names it, and for every
 * other name too, so that the chart's real image names are pulled without leaving the machine.
 */
export function mirrorFiles(registry: string): Record<string, string> {
  const text = `server = "http://${registry}"\n[host."http://${registry}"]\n  capabilities = ["pull", "resolve"]\n`;
  return { [`certs.d/${registry}/hosts.toml`]: text, "certs.d/_default/hosts.toml": text };
}

/** The manifest that an OCI layout's index names. */
export interface LayoutImage {
  readonly digest: string;
  /** As annotated, `latest` when it is not. */
  readonly tag: string;
}

/** Reads the index of an OCI layout; throws when it is none or names several images. */
export async function layoutImage(folder: string): Promise<LayoutImage> {
  const text = await readFile(join(folder, "index.json"), "utf8").catch(() => {
    throw new Error(`${folder} is no OCI layout: it has no index.json (crane pull --format=oci makes one)`);
  });
  const index = JSON.parse(text) as { manifests?: { digest: string; annotations?: Record<string, string> }[] };
  const [manifest, ...more] = index.manifests ?? [];
  if (manifest === undefined || more.length > 0) {
    throw new Error(`${folder}/index.json names ${index.manifests?.length ?? 0} images; exactly one can be loaded`);
  }
  const name = manifest.annotations?.["org.opencontainers.image.ref.name"] ?? "latest";
  return { digest: manifest.digest, tag: name.includes("/") ? "latest" : (name.split(":").at(-1) ?? "latest") };
}

/**
 * Pushes an OCI layout, a folder or a tar of one, as `registry`/`repository` and returns the reference by digest. The
 * repository is the archive's file name unless given.
 */
export async function push(bin: string, registry: string, archive: string, repository?: string): Promise<string> {
  const info = await stat(archive).catch(() => {
    throw new Error(`${archive}: there is no such file or folder; \`npm run images\` writes dist/images/*.tar`);
  });
  const name = repository ?? basename(archive).replace(/\.tar$/, "");
  if (info.isDirectory()) return await pushLayout(bin, registry, archive, name);
  const folder = await mkdtemp(join(tmpdir(), "ngrok-operator-image-"));
  try {
    await command("tar", ["-xf", archive, "-C", folder]);
    return await pushLayout(bin, registry, folder, name);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function pushLayout(bin: string, registry: string, folder: string, repository: string): Promise<string> {
  const { digest, tag } = await layoutImage(folder);
  await command(join(bin, "crane"), ["push", folder, `${registry}/${repository}:${tag}`], { timeout: 120_000 });
  return `${registry}/${repository}@${digest}`;
}
