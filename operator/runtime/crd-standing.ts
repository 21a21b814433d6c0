// Reads whether a kind's CRD stands. Where the CRD may not be read (`rbac.cluster=false`) the API server is asked in another
// way: under a CRD that is being deleted it refuses every creation, also one that is only rehearsed.
import type { Connection } from "#kube/connection.ts";
import { crdState } from "#kube/crd.ts";
import type { Kind } from "#kube/kind.ts";
import { apiVersionOf, listPath } from "#kube/paths.ts";
import { type Reader, versionFor } from "#kube/reader.ts";
import { KnownError, known } from "#wire/errors.ts";
import type { Standing } from "./crd-check.ts";

export interface StandingParts {
  readonly connection: Connection;
  readonly reader: Reader;
  /** Whether there are rights outside the namespaces. */
  readonly clusterWide: boolean;
  /** Where a creation may be rehearsed. */
  readonly namespace: string;
}

/** Never throws: what cannot be told is "unknown". */
export async function readStanding(parts: StandingParts, kind: Kind, signal: AbortSignal): Promise<Standing> {
  if (!parts.clusterWide) return await rehearse(parts, kind, signal);
  try {
    const state = await crdState(parts.reader, kind, signal);
    if (state === "there") return { is: "there" };
    if (state === "terminating") return { is: "terminating", why: "it is being deleted" };
    return { is: "unknown", why: "it is not there" };
  } catch (error) {
    return { is: "unknown", why: known(error).message };
  }
}

async function rehearse({ connection, namespace }: StandingParts, kind: Kind, signal: AbortSignal): Promise<Standing> {
  try {
    const version = await versionFor(connection, kind, signal);
    const metadata = { generateName: "ngrok-operator-asks-", namespace };
    await connection.request({
      method: "POST",
      path: listPath(kind, version, namespace),
      query: { dryRun: "All" },
      body: { apiVersion: apiVersionOf(kind, version), kind: kind.kind, metadata, spec: {} },
      signal,
    });
    return { is: "there" };
  } catch (error) {
    return standingFrom(known(error));
  }
}

/** Who speaks only once the CRD is known not to go: a namespace that goes, webhooks, policies, quotas; the schema by its 422. */
const LATER = /being terminated|admission webhook|calling webhook|not support dry run|denied request|exceeded quota/;

/** What the refusal of a rehearsed creation says about the CRD. Pure. */
export function standingFrom({ status, message }: KnownError): Standing {
  if (message.includes("custom resource definition is terminating"))
    return { is: "terminating", why: "it is being deleted" };
  if (status === 422 || LATER.test(message)) return { is: "there" };
  return { is: "unknown", why: message };
}
