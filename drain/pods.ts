// The pods of the three components of a release: who may still write. Hook pods, test pods and what has lost its node are
// not among them, so that nobody ever waits for itself.
import type { Release } from "#api/release.ts";
import type { KubeObject } from "#kube/kind.ts";
import { Pod } from "#kube/kinds.ts";
import type { Reader } from "#kube/reader.ts";

const COMPONENTS = "app.kubernetes.io/component in (controller, agent, bindings-forwarder)";

export function selectorOf(release: Release): string {
  return `app.kubernetes.io/instance=${release.name},${COMPONENTS}`;
}

/** After 60 s past its deletionTimestamp the token of a terminating pod is refused: it can do no harm. */
const TOKEN_DIES_AFTER_MS = 60_000;

export async function podsOfRelease(
  read: Reader,
  release: Release,
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  const pods: KubeObject[] = [];
  for await (const page of read.pages(
    Pod,
    { namespace: release.namespace, labelSelector: selectorOf(release) },
    signal,
  )) {
    pods.push(...page.items.filter((pod) => mayWrite(pod)));
  }
  return pods;
}

/** Pending or Running, and not long past its end. The wall clock suffices: too early a "no" only ends a wait. */
export function mayWrite(pod: KubeObject): boolean {
  const { status } = pod as KubeObject & { status?: { phase?: string } };
  const ended = pod.metadata.deletionTimestamp;
  if (ended !== undefined && Date.now() - Date.parse(ended) > TOKEN_DIES_AFTER_MS) return false;
  return status?.phase === "Pending" || status?.phase === "Running";
}

/** Whether a pod is one of the three components, so that it may be evicted as a hung writer. */
export function isComponentPod(pod: KubeObject, release: Release): boolean {
  const labels = pod.metadata.labels;
  return (
    labels?.["app.kubernetes.io/instance"] === release.name &&
    ["controller", "agent", "bindings-forwarder"].includes(labels["app.kubernetes.io/component"] ?? "")
  );
}
