// What the programs need below them: Node itself, and the little of a Linux that Node asks for - its libraries, names
// of users, certificate authorities, a place for temporary files.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { rootCertificates } from "node:tls";
import type { Tell } from "#tools/cache.ts";
import { command } from "#tools/command.ts";
import { file, folder, link, type Entry } from "./tar.ts";

/** The user that every container of ours runs as. */
export const NONROOT = 65532;

/** The program at the place where its package's install script puts it. */
export function nodeOf(top: string): string {
  return join(top, "node_modules/node/bin/node");
}

/** The shared libraries of a program and its loader, as absolute paths; by ldd. */
export async function librariesOf(program: string): Promise<string[]> {
  const output = await command("ldd", [program]);
  if (output.includes("not found")) throw new Error(`${program} does not run on this machine:\n${output.trim()}`);
  return [...output.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map(([, path = ""]) => path);
}

/**
 * The base layer. Its /lib and /lib64 are links into /usr, as on every newer Linux; the certificate authorities are
 * Node's own list, so that nothing of the machine that builds gets in.
 */
export async function baseEntries(libraries: readonly string[], tell: Tell): Promise<Entry[]> {
  const user = (name: string, id: number, home: string): string => `${name}:x:${id}:${id}::${home}:/sbin/nologin\n`;
  const group = (name: string, id: number): string => `${name}:x:${id}:\n`;
  return [
    link("lib", "usr/lib"),
    link("lib64", "usr/lib64"),
    folder("usr/lib"),
    folder("usr/lib64"),
    folder("tmp", 0o1777),
    folder("home/nonroot", 0o700, NONROOT),
    file("etc/passwd", user("root", 0, "/root") + user("nonroot", NONROOT, "/home/nonroot")),
    file("etc/group", group("root", 0) + group("nonroot", NONROOT)),
    // Without it glibc asks DNS before /etc/hosts, and the hostAliases of a pod would lose.
    file("etc/nsswitch.conf", "hosts: files dns\n"),
    file("etc/ssl/certs/ca-certificates.crt", `${rootCertificates.join("\n")}\n`),
    ...(await libraryEntries(libraries)),
    ...(await libraryLicences(tell)),
  ];
}

async function libraryEntries(libraries: readonly string[]): Promise<Entry[]> {
  const resolver = libraries
    .filter((path) => basename(path) === "libc.so.6")
    // An older glibc (before 2.34) opens these by name when it looks up a host.
    .flatMap((path) =>
      ["libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"].map((name) => join(dirname(path), name)),
    )
    .filter((path) => existsSync(path));
  return await Promise.all(
    [...new Set([...libraries, ...resolver])].map(async (path) => {
      if (!/^\/(usr\/)?lib/.test(path)) throw new Error(`${path} is a library outside of /usr/lib: no loader finds it`);
      const place = path.startsWith("/usr/") ? path.slice(1) : `usr${path}`;
      return file(place, await readFile(path), 0o755);
    }),
  );
}

// Debian's and Fedora's places.
const LIBRARY_LICENCES = {
  glibc: ["/usr/share/doc/libc6/copyright", "/usr/share/licenses/glibc/LICENSES"],
  gcc: ["/usr/share/doc/libgcc-s1/copyright", "/usr/share/licenses/libgcc/COPYING.RUNTIME"],
};

async function libraryLicences(tell: Tell): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const [name, places] of Object.entries(LIBRARY_LICENCES)) {
    const place = places.find((path) => existsSync(path));
    if (place) entries.push(file(`usr/share/licenses/${name}/LICENSE`, await readFile(place)));
    else tell(`the licence of ${name} is not on this machine (${places.join(", ")}): do not publish these images`);
  }
  return entries;
}

/** The layer of Node: the program and its licence. */
export async function nodeEntries(node: string): Promise<Entry[]> {
  const own = `node-${process.platform}-${process.arch}`;
  const places = ["..", `../node_modules/${own}`, `../../${own}`].map((path) => join(dirname(node), path, "LICENSE"));
  const licence = places.find((path) => existsSync(path));
  if (!existsSync(node) || licence === undefined) throw new Error(`${node} is not whole: run \`npm ci\``);
  return [
    file("usr/local/bin/node", await readFile(node), 0o755),
    file("usr/share/licenses/node/LICENSE", await readFile(licence)),
  ];
}
