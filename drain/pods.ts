// The pods of the three components of a release: who may still write. Hook pods, test pods and what has lost its node are
// not among them, so that nobody ever waits for itself.
import { deploymentsOf, type Release } from "#api/release.ts";
import type { KubeObject } from "#kube/kind.ts";
import { Pod } from "#kube/kinds.ts";
import type { Reader } from "#kube/reader.ts";

const COMPONENTS = ["controller", "agent", "bindings-forwarder"];

/** Selects all that isComponentPod may take, and perhaps pods of a chart beside ours: those are told apart by it alone. */
export function selectorOf(release: Release): string {
  return `app.kubernetes.io/instance=${release.name},app.kubernetes.io/component in (${COMPONENTS.join(", ")})`;
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
    pods.push(...page.items.filter((pod) => isComponentPod(pod, release) && mayWrite(pod)));
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

/** Whether a pod is one of the three components of this release: it is waited for, and may be evicted as a hung writer. */
export function isComponentPod(pod: KubeObject, release: Release): boolean {
  const labels = pod.metadata.labels;
  return (
    labels?.["app.kubernetes.io/instance"] === release.name &&
    COMPONENTS.includes(labels["app.kubernetes.io/component"] ?? "") &&
    !isAnotherCharts(pod, release)
  );
}

/** Kubernetes cuts what it makes names from. */
const GENERATE_NAME_BYTES = 58;

/**
 * Whether it is of a chart beside ours under one parent: its pods have our instance label, perhaps a component `controller`, and
 * a name label of their own. An earlier one is on pods of ours where an upgrade to another nameOverride failed, as it does at
 * the selectors of Deployments whose names stay: such pods are known by those.
 */
function isAnotherCharts({ metadata: { name, labels } }: KubeObject, release: Release): boolean {
  const said = labels?.["app.kubernetes.io/name"];
  if (said === undefined || release.nameLabel === undefined || said === release.nameLabel) return false;
  return !deploymentsOf(release).some((one) => name.startsWith(`${one}-`.slice(0, GENERATE_NAME_BYTES)));
}
