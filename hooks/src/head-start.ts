// Helm counts from the moment it made the Job, a hook from its first line: what lies between (a node that has to be made,
// scheduling, pulling the image) is gone from the hook's time.
import type { Budget } from "#drain/budget.ts";
import type { Reader } from "#kube/reader.ts";
import { Pod, type PodObject } from "#kube/kinds.ts";
import type { Clock } from "#wire/clock.ts";

/** Which pod is the hook's own, and how long Helm waits. */
interface OwnPod {
  /** `pod/<name>/<uid>` */
  readonly identity: string;
  readonly namespace: string;
  readonly budget: Budget;
}

/**
 * Milliseconds that Helm has waited already, by the hook's own pod; always less than it waits altogether. 0 where it cannot be
 * told (outside of a pod, without the right, since RBAC may be late, or with clocks that differ), and where Helm waits no more.
 * Never rejects but for `signal`.
 */
export async function headStart(read: Reader, own: OwnPod, clock: Clock, signal: AbortSignal): Promise<number> {
  const { identity, namespace, budget } = own;
  const [, name = "", uid] = identity.split("/");
  try {
    const pod = await read.get(Pod, { name, namespace }, signal);
    if (pod === undefined || pod.metadata.uid !== uid) return 0;
    return waitedFor(pod, budget.helmSeconds * 1000, clock);
  } catch {
    signal.throwIfAborted();
    return 0;
  }
}

/**
 * The wait for a node was written at both its ends by the API server, and what came after by the node's clock, the hook's own. Until
 * its kubelet has said when it began, the two are compared: more than Helm waits at all are clocks that differ.
 */
function waitedFor({ metadata, status }: PodObject, helmMs: number, clock: Clock): number {
  const made = Date.parse(metadata.creationTimestamp ?? "");
  const scheduled = status?.conditions?.find((one) => one.type === "PodScheduled" && one.status === "True");
  const bound = Date.parse(scheduled?.lastTransitionTime ?? metadata.creationTimestamp ?? "");
  const forNode = Math.max(0, bound - made);
  const since = clock.date().getTime() - (status?.startTime === undefined ? bound : Date.parse(status.startTime));
  const all = since > 0 && forNode + since < helmMs ? forNode + since : forNode;
  return all < helmMs ? all : 0;
}
