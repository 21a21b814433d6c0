// The file by which a later command knows of a cluster: who provides it, and once it is whole, all that there is to say.
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder } from "../cache.ts";
import { PROVIDERS, type Cluster, type ProviderName } from "./provider.ts";

/** A cluster's name: what may stand in a file name and in a Kubernetes label. */
const NAME = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;

/** The folder of a cluster; throws on a name that is none. */
export function folderOf(name: string, cache: string = cacheFolder()): string {
  if (!NAME.test(name)) {
    throw new Error(`--name ${JSON.stringify(name)}: use 1 to 40 small letters, digits and hyphens, such as "demo"`);
  }
  return join(cache, "clusters", name);
}

/** Says who is about to make the cluster, so that what a killed `up` leaves can be cleaned by the right one. */
export async function recordProvider(name: string, provider: ProviderName): Promise<void> {
  await mkdir(folderOf(name), { recursive: true });
  await writeFile(join(folderOf(name), "provider"), provider);
}

/** Who provides the cluster, whole or not; undefined when nobody has begun one of that name. */
export async function recordedProvider(name: string): Promise<ProviderName | undefined> {
  const text = await readFile(join(folderOf(name), "provider"), "utf8").catch(() => "");
  return PROVIDERS.find((provider) => provider === text);
}

/** Says that the cluster is whole. */
export async function record(cluster: Cluster): Promise<void> {
  const temporary = join(cluster.folder, "cluster.tmp");
  await writeFile(temporary, JSON.stringify(cluster, null, 2));
  await rename(temporary, join(cluster.folder, "cluster.json"));
}

/** The cluster as it was when it was whole; whether it still runs is for its provider to say. */
export async function recorded(name: string): Promise<Cluster | undefined> {
  const text = await readFile(join(folderOf(name), "cluster.json"), "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Cluster);
}

export async function forget(name: string): Promise<void> {
  await rm(folderOf(name), { recursive: true, force: true });
}

/** The variables that a cluster gives to programs that use it. */
export function environmentOf(
  cluster: Pick<Cluster, "name" | "kubeconfig" | "hostIp" | "registry">,
): Record<string, string> {
  const { name, kubeconfig, hostIp, registry } = cluster;
  return { KUBECONFIG: kubeconfig, HOST_IP: hostIp, REGISTRY: registry, CLUSTER_NAME: name };
}
