// What a run could not look at, in words: decision 9 takes what is not there for empty, and has it named.
import { ownKinds } from "#api/own-kinds.ts";
import type { Release } from "#api/release.ts";
import { ABSENT } from "#kube/discovery.ts";
import type { Reader } from "#kube/reader.ts";

export interface Looked {
  readonly read: Reader;
  readonly release: Release;
  readonly clusterWide: boolean;
  /** There was a KubernetesOperator, so our kinds are served. */
  readonly operator: boolean;
}

/** A sentence for each thing. Asks the API server only where there was no KubernetesOperator. */
export async function unseen({ read, release, clusterWide, operator }: Looked, signal: AbortSignal): Promise<string[]> {
  // A look that fails changes nothing of what was done, and nothing of what else is known.
  const gone = operator ? [] : await unserved(read, signal).catch(() => []);
  return [
    ...(clusterWide ? [] : [`rbac.cluster=false: what lies outside of ${namespacesOf(release)} was not looked at`]),
    ...(gone.length === 0
      ? []
      : [
          `the CustomResourceDefinitions of ${gone.join(", ")} are gone, and their objects with them: what those had made at ngrok is still there, as far as nobody deleted it`,
        ]),
  ];
}

async function unserved(read: Reader, signal: AbortSignal): Promise<string[]> {
  const names = await Promise.all(
    ownKinds.map(async (kind) => ((await read.served(kind, signal)) === ABSENT ? [kind.kind] : [])),
  );
  return names.flat();
}

function namespacesOf({ namespace, watchNamespace }: Release): string {
  return [...new Set([namespace, watchNamespace ?? namespace])].join(" and ");
}
