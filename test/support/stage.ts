// What demo, e2e and bench stand on: a real cluster and our images in its registry, brought by whoever needs them.
import { join } from "node:path";
import { buildImages } from "#scripts/images/build-images.ts";
import { connect, type Connection } from "#kube/connection.ts";
import { load, up } from "#tools/cluster/cluster.ts";
import type { Cluster, ProviderName, UpOptions } from "#tools/cluster/provider.ts";
import { helm, type HelmOptions, type HelmRun, type HelmVersion } from "./helm.ts";
import { kubectlOf, type Kubectl } from "./kubectl.ts";
import { patient } from "./patient.ts";

export const TOP = join(import.meta.dirname, "../..");
export const CHART = join(TOP, "chart");

export interface Stage {
  readonly cluster: Cluster;
  readonly kubectl: Kubectl;
  /** Our image in the cluster's registry, by digest. */
  readonly image: string;
  readonly helm: (version: HelmVersion, args: readonly string[], options?: HelmOptions) => Promise<HelmRun>;
  /** Helm's flags by which the chart finds our image in the cluster's registry, by digest. */
  readonly imageFlags: readonly string[];
  /** A connection of the cluster's admin; the caller ends it. */
  connect(): Promise<Connection>;
}

/** A stage of what runs already: the cluster, and the digest of the operator's image in its registry. */
export function stageOf(cluster: Cluster, image: string): Stage {
  return {
    cluster,
    kubectl: kubectlOf(cluster),
    image,
    helm: async (version, args, options) => await helm(cluster, version, args, options),
    imageFlags: imageFlags(image),
    connect: async () => patient(await connect({ kubeconfig: cluster.kubeconfig, userAgent: "ngrok-operator-test" })),
  };
}

/** `HOST[:PORT][/PATH]/NAME@sha256:...` as the chart's values. */
export function imageFlags(image: string): string[] {
  const [name = "", digest = ""] = image.split("@");
  const at = name.lastIndexOf("/");
  const values = { registry: name.slice(0, at), repository: name.slice(at + 1), digest };
  return Object.entries(values).flatMap(([key, value]) => ["--set-string", `image.${key}=${value}`]);
}

/** Builds the images and pushes the operator's, which holds the hooks too; resolves to its reference by digest. */
export async function bringImages(cluster: Cluster, tell: (line: string) => void): Promise<string> {
  const { operator } = await buildImages({ tell, revision: false });
  return await load(cluster, operator.archive, "operator");
}

/** Brings both; a cluster of that name that runs already is used. */
export async function raise(options: UpOptions & { readonly provider?: ProviderName }): Promise<Stage> {
  const cluster = await up(options);
  return stageOf(cluster, await bringImages(cluster, options.tell));
}
