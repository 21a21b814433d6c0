// What an image takes from outside the sources, for one architecture: Node, the native library of ngrok's agent SDK, the
// libraries that both ask for, and their licences. This machine's own are at hand; those of another come from the same places,
// npm and Debian, and are kept in the cache.
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { cacheFolder, madeOnce, type Tell } from "#tools/cache.ts";
import { command } from "#tools/command.ts";
import { addonOf, type Addon } from "./addon.ts";
import { neededBy } from "./elf.ts";
import { librariesOf, nodeOf } from "./runtime.ts";

export type Arch = "x64" | "arm64";

/** A file of this machine and its place in the image. */
export interface Library {
  readonly source: string;
  readonly place: string;
  /** Only an older glibc asks for it. */
  readonly optional?: true;
}

export interface Platform {
  readonly arch: Arch;
  /** The program; its licence lies where its package has it. */
  readonly node: string;
  readonly libraries: readonly Library[];
  /** Where the licences of the libraries may be, the first that is there counts. */
  readonly documents: Readonly<Record<"glibc" | "gcc", readonly string[]>>;
  /** The folder whose node_modules hold the addon. */
  readonly top: string;
  readonly addon: Addon | undefined;
}

/** glibc's name of each architecture, Debian's, and where a program looks for its loader. */
const NAMES = {
  x64: { glibc: "x86_64-linux-gnu", debian: "amd64", loader: "usr/lib64/ld-linux-x86-64.so.2" },
  arm64: { glibc: "aarch64-linux-gnu", debian: "arm64", loader: "usr/lib/ld-linux-aarch64.so.1" },
} as const;

/** An older glibc (before 2.34) opens these by name when it looks up a host. */
const RESOLVER = ["libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"];

export function isArch(name: string): name is Arch {
  return name in NAMES;
}

/** @param node the program that goes in; that of node_modules unless given */
export async function platformOf(top: string, arch: string, tell: Tell, node?: string): Promise<Platform> {
  if (!isArch(arch)) throw new Error(`images are built for x64 and arm64, not for ${arch}`);
  return arch === process.arch ? await own(top, arch, node ?? nodeOf(top)) : await foreign(top, arch, tell);
}

async function own(top: string, arch: Arch, node: string): Promise<Platform> {
  const addon = addonOf(top);
  const needed = await Promise.all([node, ...(addon === undefined ? [] : [addon.source])].map(librariesOf));
  const libraries = [...new Set(needed.flat())];
  const resolver = libraries
    .filter((path) => basename(path) === "libc.so.6")
    .flatMap((path) => RESOLVER.map((name) => join(dirname(path), name)))
    .filter((path) => existsSync(path) && !libraries.includes(path));
  return {
    arch,
    node,
    top,
    addon,
    libraries: [
      ...libraries.map((source) => ({ source, place: placeOf(source) })),
      ...resolver.map((source) => ({ source, place: placeOf(source), optional: true as const })),
    ],
    // Debian's and Fedora's places.
    documents: {
      glibc: ["/usr/share/doc/libc6/copyright", "/usr/share/licenses/glibc/LICENSES"],
      gcc: ["/usr/share/doc/libgcc-s1/copyright", "/usr/share/licenses/libgcc/COPYING.RUNTIME"],
    },
  };
}

function placeOf(path: string): string {
  if (!/^\/(usr\/)?lib/.test(path)) throw new Error(`${path} is a library outside of /usr/lib: no loader finds it`);
  return path.startsWith("/usr/") ? path.slice(1) : `usr${path}`;
}

async function foreign(top: string, arch: Arch, tell: Tell): Promise<Platform> {
  const { glibc, debian, loader } = NAMES[arch];
  const root = await brought(top, arch, tell);
  const node = join(root, `node_modules/node-linux-${arch}/bin/node`);
  const addon = addonOf(root, arch);
  const found = new Map<string, string>();
  const find = async (program: string): Promise<void> => {
    for (const name of neededBy(await readFile(program))) {
      if (found.has(name)) continue;
      const source = join(root, "usr", glibc, "lib", name);
      if (!existsSync(source))
        throw new Error(`${basename(program)} for ${arch} needs ${name}, which Debian's glibc has not`);
      found.set(name, source);
      await find(source);
    }
  };
  for (const program of [node, ...(addon === undefined ? [] : [addon.source])]) await find(program);
  const document = (name: string): string => join(root, `usr/share/doc/${name}-${debian}-cross/copyright`);
  return {
    arch,
    node,
    top: root,
    addon,
    libraries: [...found].map(([name, source]) => ({
      source,
      place: name === basename(loader) ? loader : `usr/lib/${glibc}/${name}`,
    })),
    documents: { glibc: [document("libc6")], gcc: [document("libgcc-s1")] },
  };
}

/**
 * The folder with what npm and Debian have for `arch`: node_modules, and the libraries of Debian's cross compiler, which
 * are those of its own release for that architecture.
 */
async function brought(top: string, arch: Arch, tell: Tell): Promise<string> {
  const lock = JSON.parse(await readFile(join(top, "package-lock.json"), "utf8")) as {
    packages: Record<string, { version: string; integrity?: string }>;
  };
  const sdk = `@ngrok/ngrok-linux-${arch}-gnu`;
  const { version: node } = lock.packages["node_modules/node"] ?? {};
  const { version, integrity } = lock.packages[`node_modules/${sdk}`] ?? {};
  if (node === undefined || version === undefined || integrity === undefined) {
    throw new Error(`package-lock.json names no node or no ${sdk}`);
  }
  const folder = join(cacheFolder(), "layers", `parts-${arch}-node-${node}-sdk-${version}`);
  return await madeOnce(folder, async (temporary) => {
    tell(`bringing Node ${node}, ngrok's SDK and glibc for ${arch}, once`);
    await npmPackage(temporary, `node-linux-${arch}`, node);
    await npmPackage(temporary, sdk, version, integrity);
    await debianLibraries(temporary, NAMES[arch].debian);
  });
}

/** One package without what it depends on, unpacked as npm would; with `integrity` no other is accepted. */
async function npmPackage(root: string, name: string, version: string, integrity?: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "ngrok-operator-npm-"));
  try {
    await command("npm", ["pack", "--silent", `${name}@${version}`], { cwd: folder, timeout: 300_000 });
    const [archive = ""] = await readdir(folder);
    const [algorithm = "sha512", expected] = integrity?.split("-") ?? [];
    const sum = createHash(algorithm)
      .update(await readFile(join(folder, archive)))
      .digest("base64");
    if (expected !== undefined && sum !== expected)
      throw new Error(`${name}@${version} is not what package-lock.json names`);
    await mkdir(join(root, "node_modules", name), { recursive: true });
    const to = ["-C", join(root, "node_modules", name), "--strip-components=1", "--no-same-owner"];
    await command("tar", ["-xzf", join(folder, archive), ...to]);
    await rm(join(root, "node_modules", name, "include"), { recursive: true, force: true });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function debianLibraries(root: string, debian: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "ngrok-operator-deb-"));
  const cross = (name: string): string => `${name}-${debian}-cross`;
  try {
    await debianPackages(folder, ["libc6", "libgcc-s1", "libstdc++6"].map(cross));
    // gcc's licence is in the package that its libraries are made from, which is called after its version.
    await debianPackages(folder, [await readlink(join(folder, "usr/share/doc", cross("libgcc-s1")))]);
    await cp(join(folder, "usr"), join(root, "usr"), { recursive: true, verbatimSymlinks: true });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Unpacks packages into `folder` without installing them. */
async function debianPackages(folder: string, names: readonly string[]): Promise<void> {
  const place = await mkdtemp(join(folder, "packages-"));
  const download = async (): Promise<string> =>
    await command("apt-get", ["download", ...names], { cwd: place, timeout: 300_000 });
  await download()
    .catch(async () => await command("apt-get", ["update", "-q"], { timeout: 300_000 }).then(download))
    .catch((error: unknown) => {
      const remedy = "images for another architecture are built on Debian or Ubuntu, after apt-get update as root";
      throw new Error(remedy, { cause: error });
    });
  for (const archive of await readdir(place)) await command("dpkg-deb", ["--extract", join(place, archive), folder]);
}
