// A cluster by its name, whoever provides it: the one door for demo, tests, bench and the command.
import type { Tell } from "../cache.ts";
import { current } from "./current.ts";
import { embedded } from "./embedded/provider.ts";
import { kind } from "./kind.ts";
import type { Cluster, PartStatus, Provider, ProviderName, UpOptions } from "./provider.ts";
import { recordedProvider } from "./record.ts";
import { push } from "./registry.ts";

const providers: Readonly<Record<ProviderName, Provider>> = { embedded, kind, current };

export function providerOf(name: ProviderName): Provider {
  return providers[name];
}

/**
 * The cluster of that name, started unless it runs. One that another provider made is an error, since two cannot have
 * one name.
 */
export async function up(options: UpOptions & { readonly provider?: ProviderName }): Promise<Cluster> {
  const { name, provider = "embedded" } = options;
  const known = await recordedProvider(name);
  if (known !== undefined && known !== provider) {
    throw new Error(
      `cluster ${name} belongs to provider ${known}: use --provider ${known}, another --name, or end it with down`,
    );
  }
  return await providers[provider].up(options);
}

/** Ends the cluster and leaves nothing of it; false when there was nothing. */
export async function down(name: string, tell: Tell): Promise<boolean> {
  const provider = (await recordedProvider(name)) ?? "embedded";
  return await providers[provider].down(name, tell);
}

/** The cluster of that name if it runs. */
export async function find(name: string): Promise<Cluster | undefined> {
  return await providers[(await recordedProvider(name)) ?? "embedded"].find(name);
}

export async function status(cluster: Cluster): Promise<PartStatus[]> {
  return await providers[cluster.provider].status(cluster);
}

/**
 * Puts an image, an OCI layout as folder or tar, into the cluster's registry; its digest stays. Resolves to the
 * reference by digest, as pods name it. The repository is the archive's file name unless given.
 */
export async function load({ bin, registry }: Cluster, archive: string, repository?: string): Promise<string> {
  return await push(bin, registry, archive, repository);
}
