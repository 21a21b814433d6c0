// What is in the image, as SPDX: npm's own list of the packages (Node among them), and the libraries of the machine that
// builds, which npm does not know.
import { command } from "#tools/command.ts";

interface Spdx {
  readonly documentDescribes: readonly string[];
  readonly packages: object[];
  readonly relationships: object[];
}

/** Debian's packages of the libraries that go in. */
const LIBRARIES = ["libc6", "libgcc-s1", "libstdc++6"];

/** The document, as text. A machine without dpkg leaves its libraries out. */
export async function sbomOf(top: string): Promise<string> {
  const args = ["sbom", "--omit", "dev", "--sbom-format", "spdx", "--sbom-type", "application"];
  const document = JSON.parse(await command("npm", args, { cwd: top, timeout: 60_000 })) as Spdx;
  const [root = ""] = document.documentDescribes;
  for (const [name, version] of await libraries()) {
    const SPDXID = `SPDXRef-Package-debian-${name.replaceAll("+", "p")}-${version.replaceAll(/[^\w.]/g, "-")}`;
    const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}`;
    document.packages.push({
      name,
      SPDXID,
      versionInfo: version,
      downloadLocation: "NOASSERTION",
      filesAnalyzed: false,
      externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl }],
    });
    document.relationships.push({ spdxElementId: root, relatedSpdxElement: SPDXID, relationshipType: "CONTAINS" });
  }
  return `${JSON.stringify(document, null, 2)}\n`;
}

async function libraries(): Promise<[name: string, version: string][]> {
  const asked = ["--show", "--showformat", "${Package} ${Version}\\n", ...LIBRARIES];
  const said = await command("dpkg-query", asked).catch(() => "");
  return [...said.matchAll(/^(\S+) (\S+)$/gm)].map(([, name = "", version = ""]) => [name, version]);
}
