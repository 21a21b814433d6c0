// What is in the image, as SPDX: npm's own list of the packages (Node among them), and the libraries of the machine that
// builds, which npm does not know.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "#tools/command.ts";

interface Spdx {
  readonly documentDescribes: readonly string[];
  readonly packages: readonly { readonly SPDXID: string; readonly packageFileName: string }[];
  readonly relationships: readonly { readonly spdxElementId: string; readonly relatedSpdxElement: string }[];
}

/** An entry of package-lock.json. */
interface Locked {
  readonly dev?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

/** What the image runs although the lock file has it for developers. */
const RUNS = ["node_modules/node"];
const CPUS = ["x64", "arm64"];

/** Debian's packages of the libraries that go in. */
const LIBRARIES = ["libc6", "libgcc-s1", "libstdc++6"];

/** The document, as text. A machine without dpkg leaves its libraries out. */
export async function sbomOf(top: string): Promise<string> {
  // Not `--omit dev`: npm then leaves out also what a tool of developers shares with the image.
  const args = ["sbom", "--package-lock-only", "--sbom-format", "spdx", "--sbom-type", "application"];
  const whole = JSON.parse(await command("npm", args, { cwd: top, timeout: 60_000 })) as Spdx;
  const lock = JSON.parse(await readFile(join(top, "package-lock.json"), "utf8")) as {
    readonly packages: Readonly<Record<string, Locked>>;
  };
  const own = whole.packages.filter(({ packageFileName: path }) => isInImage(path, lock.packages[path]));
  const ids = new Set(["SPDXRef-DOCUMENT", ...own.map(({ SPDXID }) => SPDXID)]);
  const packages: object[] = [...own];
  const relationships: object[] = whole.relationships.filter(
    ({ spdxElementId, relatedSpdxElement }) => ids.has(spdxElementId) && ids.has(relatedSpdxElement),
  );
  const [root = ""] = whole.documentDescribes;
  for (const [name, version] of await libraries()) {
    const SPDXID = `SPDXRef-Package-debian-${name.replaceAll("+", "p")}-${version.replaceAll(/[^\w.]/g, "-")}`;
    const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}`;
    packages.push({
      name,
      SPDXID,
      versionInfo: version,
      downloadLocation: "NOASSERTION",
      filesAnalyzed: false,
      externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl }],
    });
    relationships.push({ spdxElementId: root, relatedSpdxElement: SPDXID, relationshipType: "CONTAINS" });
  }
  return `${JSON.stringify({ ...whole, packages, relationships }, null, 2)}\n`;
}

/** Whether it is for one of the architectures of the image, and no tool of developers. */
function isInImage(path: string, { dev, os, cpu, libc }: Locked = {}): boolean {
  if (dev === true && !RUNS.includes(path)) return false;
  const linux = os === undefined || os.includes("linux");
  return linux && libc?.includes("musl") !== true && (cpu === undefined || cpu.some((one) => CPUS.includes(one)));
}

async function libraries(): Promise<[name: string, version: string][]> {
  const asked = ["--show", "--showformat", "${Package} ${Version}\\n", ...LIBRARIES];
  const said = await command("dpkg-query", asked).catch(() => "");
  return [...said.matchAll(/^(\S+) (\S+)$/gm)].map(([, name = "", version = ""]) => [name, version]);
}
