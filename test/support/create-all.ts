// Objects of many kinds, made as fast as the API server takes them: kubectl needs a second for eight.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import type { Connection } from "#kube/connection.ts";
import type { Kind, KubeObject } from "#kube/kind.ts";
import {
  ConfigMap,
  Gateway,
  HTTPRoute,
  Ingress,
  ReferenceGrant,
  Secret,
  Service,
  TCPRoute,
  TLSRoute,
} from "#kube/kinds.ts";
import { listPath } from "#kube/paths.ts";
import { insistently, some } from "./population.ts";

const KINDS: readonly Kind[] = [
  AgentEndpoint,
  CloudEndpoint,
  Domain,
  NgrokTrafficPolicy,
  ConfigMap,
  Gateway,
  HTTPRoute,
  Ingress,
  ReferenceGrant,
  Secret,
  Service,
  TCPRoute,
  TLSRoute,
];

/**
 * Each has its apiVersion, kind and namespace; they come in no order. Returns them as they are stored, or with `rehearsed`
 * as they would be.
 */
export async function createAll(
  connection: Connection,
  objects: readonly KubeObject[],
  signal: AbortSignal,
  { rehearsed = false } = {},
): Promise<KubeObject[]> {
  const query = rehearsed ? { dryRun: "All" } : {};
  const stored: KubeObject[] = [];
  await some(objects, async (body) => {
    const request = { method: "POST", path: collectionOf(body), query, body, signal, timeoutMs: 60_000 } as const;
    stored.push((await insistently(async () => await connection.request(request))) as KubeObject);
  });
  return stored;
}

/** Where objects of its kind are made. */
export function collectionOf({ kind: name, apiVersion = "", metadata }: KubeObject): string {
  const kind = KINDS.find((one) => one.kind === name);
  if (kind === undefined) throw new Error(`${name} is none of the kinds that are made here`);
  return listPath(kind, apiVersion.split("/").at(-1) ?? "", metadata.namespace);
}
