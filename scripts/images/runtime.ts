// What the programs need below them: Node itself, and the little of a Linux that Node asks for - its libraries, names
// of users, certificate authorities, a place for temporary files.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { rootCertificates } from "node:tls";
import type { Tell } from "#tools/cache.ts";
import { command } from "#tools/command.ts";
import type { Platform } from "./platform.ts";
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
export async function baseEntries(
  { libraries, documents }: Pick<Platform, "libraries" | "documents">,
  tell: Tell,
): Promise<Entry[]> {
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
    ...(await libraryLicences(documents, tell)),
  ];
}

async function libraryEntries(libraries: Platform["libraries"]): Promise<Entry[]> {
  return await Promise.all(libraries.map(async ({ source, place }) => file(place, await readFile(source), 0o755)));
}

async function libraryLicences(documents: Platform["documents"], tell: Tell): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (const [name, places] of Object.entries(documents)) {
    const place = places.find((path) => existsSync(path));
    if (place) entries.push(file(`usr/share/licenses/${name}/LICENSE`, await readFile(place)));
    else tell(`the licence of ${name} is not on this machine (${places.join(", ")}): do not publish these images`);
  }
  return entries;
}

/** The layer of Node: the program and its licence. */
export async function nodeEntries({ node, arch }: Pick<Platform, "node" | "arch">): Promise<Entry[]> {
  const own = `node-${process.platform}-${arch}`;
  const places = ["..", `../node_modules/${own}`, `../../${own}`].map((path) => join(dirname(node), path, "LICENSE"));
  const licence = places.find((path) => existsSync(path));
  if (!existsSync(node) || licence === undefined) throw new Error(`${node} is not whole: run \`npm ci\``);
  return [
    file("usr/local/bin/node", await readFile(node), 0o755),
    file("usr/share/licenses/node/LICENSE", await readFile(licence)),
  ];
}
