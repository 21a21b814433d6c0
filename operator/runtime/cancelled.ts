// What a drain has shown on the KubernetesOperator, once a person has cancelled it: whoever drove shows nothing any more, so
// the leader that works again takes it back, or kubectl would tell of a drain under way for ever.
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { refOf } from "#kube/kind.ts";
import { reader } from "#kube/reader.ts";
import { isClass, known } from "#wire/errors.ts";
import type { UninstallReadyParts } from "./uninstall-ready.ts";
import { writeOver } from "./write-status.ts";

/**
 * Takes back, under Open alone, what a drain has shown, whoever wrote it: one write, and none where nothing is shown. Ready is
 * the controller's to say anew; the report of what was done until then stays. What fails is tried again with the next change.
 */
export async function takeDrainBack(
  { connection, watches, gate, release, log }: UninstallReadyParts,
  signal: AbortSignal,
): Promise<void> {
  const store = watches.cache.store(KubernetesOperator);
  const cached = store.get({ name: release.name, namespace: release.namespace });
  if (cached === undefined || !isLeftIn(cached)) return;
  try {
    // Its controller writes as well as it begins anew: what the cache has is seldom the newest.
    const operator = await reader(connection).get(KubernetesOperator, refOf(cached), signal);
    if (operator === undefined || !isLeftIn(operator) || !gate.open) return;
    const conditions = operator.status?.conditions?.filter((one) => !isDraining(one)) ?? [];
    store.put(await writeOver(connection, KubernetesOperator, operator, { drain: null, conditions }, signal));
    log.info({}, "the drain that was cancelled is shown no more");
  } catch (error) {
    signal.throwIfAborted();
    if (!isClass(error, "gone", "conflict"))
      log.warn({ err: known(error).message }, "cannot take back what a cancelled drain has shown");
  }
}

/** Without a phase it is a wish for the next drain; what is being deleted is drained to its end. */
function isLeftIn({ metadata, status }: KubernetesOperator): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  return status?.drain?.phase !== undefined || status?.conditions?.some(isDraining) === true;
}

function isDraining({ type }: { readonly type: string }): boolean {
  return type === "Draining";
}
