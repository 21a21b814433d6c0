// Helm counts from the moment it made the Job, a hook from its first line: what lies between (scheduling, pulling the image)
// is gone from the hook's time.
import type { Reader } from "#kube/reader.ts";
import { Pod } from "#kube/kinds.ts";
import type { Clock } from "#wire/clock.ts";

/** A longer head start than this is two clocks that differ. */
const LONGEST_MS = 120_000;

/**
 * Milliseconds that Helm has waited already: the age of the hook's own pod. 0 where it cannot be told: outside of a pod,
 * without the right (RBAC may be late), or with clocks that differ. Never rejects but for `signal`.
 *
 * @param identity `pod/<name>/<uid>`
 */
export async function headStart(
  read: Reader,
  { identity, namespace }: { readonly identity: string; readonly namespace: string },
  clock: Clock,
  signal: AbortSignal,
): Promise<number> {
  const [, name = "", uid] = identity.split("/");
  try {
    const pod = await read.get(Pod, { name, namespace }, signal);
    if (pod === undefined || pod.metadata.uid !== uid) return 0;
    const age = clock.date().getTime() - Date.parse(pod.metadata.creationTimestamp ?? "");
    return age > 0 && age <= LONGEST_MS ? age : 0;
  } catch {
    signal.throwIfAborted();
    return 0;
  }
}
