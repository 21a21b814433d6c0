// What each minor version of Kubernetes that we support says of its kinds: the OpenAPI document in its Go module, taken out
// once and kept beside the tests' programs. Nothing of it is built.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { alone, cacheFolder, madeOnce, type Tell } from "./cache.ts";
import { takeFromModule } from "./module-files.ts";

/** The newest patch release of each minor version. */
export const KUBERNETES_VERSIONS = ["v1.33.13", "v1.34.4", "v1.35.4", "v1.36.3", "v1.37.2"] as const;
export type KubernetesVersion = (typeof KUBERNETES_VERSIONS)[number];

/** The swagger.json (OpenAPI 2) of each version; 20 MB of download and some seconds for each that is not there. */
export async function openApiDocuments(tell: Tell): Promise<Readonly<Record<KubernetesVersion, string>>> {
  const entries: [KubernetesVersion, string][] = [];
  for (const version of KUBERNETES_VERSIONS) entries.push([version, await openApiDocument(version, tell)]);
  return Object.fromEntries(entries) as Record<KubernetesVersion, string>; // one entry for each version, just above
}

async function openApiDocument(version: KubernetesVersion, tell: Tell): Promise<string> {
  const folder = join(cacheFolder(), "testing", `openapi-${version}`);
  const path = join(folder, "swagger.json");
  if (existsSync(folder)) return path;
  await alone("openapi", tell, () =>
    madeOnce(folder, async (temporary) => {
      const began = Date.now();
      await takeFromModule(`k8s.io/kubernetes@${version}`, ["api/openapi-spec/swagger.json"], temporary);
      tell(`took the API of Kubernetes ${version} from its module in ${((Date.now() - began) / 1000).toFixed(1)} s`);
    }),
  );
  return path;
}
