// The list of contents of a release names what runs in the image, as tools that look for known holes ask for it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { sbomOf } from "./sbom.ts";

const TOP = join(import.meta.dirname, "../..");

interface Package {
  readonly name: string;
  readonly SPDXID: string;
  readonly versionInfo: string;
  readonly externalRefs: readonly { readonly referenceType: string; readonly referenceLocator: string }[];
}
interface Document {
  readonly spdxVersion: string;
  readonly packages: readonly Package[];
  readonly relationships: readonly { readonly spdxElementId: string; readonly relatedSpdxElement: string }[];
}

test("the SPDX names every package that runs, Node among them, by a name that scanners know, and refers to nothing else", async () => {
  const { spdxVersion, packages, relationships } = JSON.parse(await sbomOf(TOP)) as Document;
  expect(spdxVersion).toBe("SPDX-2.3");
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(TOP, "package.json"), "utf8")) as {
    readonly dependencies: Record<string, string>;
    readonly devDependencies: Record<string, string>;
  };
  const listed = packages.map(({ name, versionInfo }) => `${name}@${versionInfo}`);
  const run = Object.entries(dependencies).map(([name, version]) => `${name}@${version}`);
  expect(listed).toEqual(expect.arrayContaining(run));
  const sdk = dependencies["@ngrok/ngrok"];
  expect(listed.filter((name) => /^(node|@ngrok\/ngrok-.*)@/.test(name)).toSorted()).toEqual([
    `@ngrok/ngrok-linux-arm64-gnu@${sdk}`,
    `@ngrok/ngrok-linux-x64-gnu@${sdk}`,
    `node@${devDependencies["node"]}`,
  ]);
  // Types are nothing that runs; some tools of ours are npm's peers of what does.
  const tools = Object.keys(devDependencies).filter((name) => name !== "node" && !name.startsWith("@types/"));
  expect(listed.filter((name) => tools.some((tool) => name.startsWith(`${tool}@`)))).toEqual([]);
  for (const { name, externalRefs } of packages) {
    const purls = externalRefs.filter(({ referenceType }) => referenceType === "purl");
    expect(
      purls.map(({ referenceLocator }) => referenceLocator),
      name,
    ).toEqual([expect.stringMatching(/^pkg:(npm|deb)\//)]);
  }
  const ids = new Set(packages.map(({ SPDXID }) => SPDXID));
  expect(ids.size).toBe(packages.length);
  const known = (id: string): boolean => id === "SPDXRef-DOCUMENT" || ids.has(id);
  const ends = relationships.flatMap(({ spdxElementId, relatedSpdxElement }) => [spdxElementId, relatedSpdxElement]);
  expect(ends.filter((id) => !known(id))).toEqual([]);
}, 120_000);
