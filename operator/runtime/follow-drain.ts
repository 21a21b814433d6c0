// A drain that somebody else drives, as this process's metrics tell it: a hook is gone before anybody could read metrics of its
// own, but shows on the KubernetesOperator what it has come to.
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { DrainState } from "#drain/state.ts";
import { follow } from "#kube/watch.ts";
import type { FollowStateParts } from "./follow-state.ts";
import type { Gate } from "./gate.ts";

/** Until the signal. Asks nothing of the server while there is no such drain. */
export function tellDrain(parts: FollowStateParts, gate: Gate, signal: AbortSignal): void {
  let following: AbortController | undefined;
  const settle = (state: DrainState): void => {
    const wanted = state.phase === "Draining" && state.driver !== "leader";
    if (wanted === (following !== undefined)) return;
    following?.abort(new Error("the drain is over"));
    following = wanted ? new AbortController() : undefined;
    if (following === undefined) return;
    const until = AbortSignal.any([following.signal, signal]);
    followDrain(parts, until).catch((error: unknown) => {
      if (!until.aborted) parts.log.warn({ err: String(error) }, "the progress of the drain is not told any more");
    });
  };
  gate.onChange(settle);
  settle(gate.state);
}

async function followDrain(
  { connection, release, clock, metrics, log }: FollowStateParts,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace } = release;
  await follow<KubernetesOperator>(
    connection,
    KubernetesOperator,
    { clock, namespace, fieldSelector: `metadata.name=${name}` },
    {
      changed({ status }) {
        if (status?.drain === undefined) return;
        const { totalResources: total, drainedResources: drained, failedResources: failed } = status.drain;
        metrics.drained({ total, drained, failed });
      },
      removed() {},
      trouble: (error, waitMs) => log.debug({ err: error.message, waitMs }, "the drain's progress is watched again"),
    },
    signal,
  );
}
