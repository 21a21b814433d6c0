// Which pod is at the other end of a connection: known by the address from which it comes, since that is all a connection
// shows. Who is told too much is not told wrong: an address that several could have is nobody's.
import { isIPv6 } from "node:net";
import type { PodObject } from "#kube/kinds.ts";
import type { PodIdentity } from "#ngrok/mux-messages.ts";

/** Annotations of a pod that policies at ngrok may ask for; nothing else of it leaves the cluster. */
const OURS = ["ngrok.com/", "k8s.ngrok.com/"];

const NOBODY: PodIdentity = { uid: "", name: "", namespace: "", annotations: {} };

/** What is kept of each pod of the cluster in memory. */
export function podPart({ apiVersion, kind, metadata, spec, status }: PodObject): PodObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp } = metadata;
  const annotations = sent(metadata.annotations);
  return {
    ...(apiVersion === undefined ? {} : { apiVersion }),
    ...(kind === undefined ? {} : { kind }),
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
      ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
    spec: spec?.hostNetwork === true ? { hostNetwork: true } : {},
    status: {
      ...(status?.phase === undefined ? {} : { phase: status.phase }),
      ...(status?.podIP === undefined ? {} : { podIP: status.podIP }),
      ...(status?.podIPs === undefined ? {} : { podIPs: status.podIPs }),
    },
  };
}

/**
 * The addresses that are a pod's alone, of either family. None of a pod in the network of its node: every process there
 * has its address, the kubelet too. None of a pod that has ended: its address is another's soon.
 */
export function addressesOf({ spec, status }: PodObject): readonly string[] {
  if (spec?.hostNetwork === true || status?.phase === "Succeeded" || status?.phase === "Failed") return [];
  const all = [...(status?.podIPs ?? []).map(({ ip }) => ip), status?.podIP ?? ""];
  return [...new Set(all.filter((ip) => ip !== "").map(canonical))];
}

/** An address in the one way of writing in which it is compared: IPv4 as such, IPv6 as short as it goes. */
export function canonical(address: string): string {
  const bare = address.replace(/%.*$/, "").replace(/^::ffff:(?=\d+\.)/i, "");
  return isIPv6(bare) ? new URL(`http://[${bare}]/`).hostname.slice(1, -1) : bare;
}

/**
 * Who has an address, of the pods that say so. While one pod goes and the next has its address already, the next one has
 * it: an address is given anew only when the pod before is off the network.
 */
export function identityOf(pods: readonly PodObject[]): PodIdentity {
  const [pod] = pods.toSorted((a, b) => Number(isLeaving(a)) - Number(isLeaving(b)) || compare(born(b), born(a)));
  if (pod === undefined) return NOBODY;
  const { uid = "", name, namespace = "", annotations } = pod.metadata;
  return { uid, name, namespace, annotations: sent(annotations) };
}

function sent(annotations: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations).filter(([key]) => OURS.some((prefix) => key.startsWith(prefix))),
  );
}

function isLeaving({ metadata }: PodObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

function born({ metadata }: PodObject): string {
  return `${metadata.creationTimestamp ?? ""} ${metadata.uid ?? ""}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
