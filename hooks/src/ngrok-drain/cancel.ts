// `ngrok-drain cancel`: opens a drained or draining install again, as long as its KubernetesOperator is not being deleted.
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { namesOf } from "#api/release.ts";
import { isCancelOf, parseState, stateRef } from "#drain/state.ts";
import { hasEnded } from "#kube/job.ts";
import { ConfigMap, Job } from "#kube/kinds.ts";
import { observeLease } from "#kube/lease-observer.ts";
import { isClass, KnownError } from "#wire/errors.ts";
import { type DrainCommand, EXIT, type World } from "./command.ts";

export const cancelCommand: DrainCommand = {
  name: "cancel",
  summary: "End a drain and let the operator work again. Possible until the KubernetesOperator is being deleted.",
  examples: [
    ["cancel", "that uninstall was a mistake"],
    [
      "cancel && helm rollback ngrok-operator 3 -n ngrok-operator",
      "Helm's side too: it takes the release for uninstalling",
    ],
  ],
  exits: "0 open, 2 too late or nothing to cancel here, 1 error",
  run,
};

async function run(world: World): Promise<number> {
  const { read, signal, connection, install } = world;
  const { release } = install;
  const { name, namespace } = stateRef(release);
  for (;;) {
    if (await isGoing(world)) return tooLate(world);
    const object = await read.get(ConfigMap, { name, namespace }, signal);
    if (object === undefined) {
      throw new KnownError("invalid", `the drain state, ConfigMap ${namespace}/${name}, is not there`, {
        hint: `take the release back first: helm rollback ${release.name} REVISION -n ${namespace}`,
      });
    }
    const state = parseState(object);
    const hook = await waitingHook(world);
    const isTold = hook.job === undefined || isCancelOf(state, hook.job);
    const isOpen = state.phase === "Open" && state.explicit && state.wish === undefined && isTold;
    try {
      // Guarded by what was read; a wiped mark counts as closed, so the word Open is written in any case.
      if (!isOpen) {
        await connection.request({
          method: "PATCH",
          path: `/api/v1/namespaces/${namespace}/configmaps/${name}`,
          contentType: "application/merge-patch+json",
          body: {
            metadata: { resourceVersion: object.metadata.resourceVersion },
            data: { phase: "Open", policy: null, driver: null, by: null, since: null, uid: null, ...hook },
          },
          signal,
        });
      }
    } catch (error) {
      if (isClass(error, "conflict")) continue;
      throw error;
    }
    // A drain that was at its very end may have gone on to the last step meanwhile.
    if (state.phase !== "Open") await untilHeard(world);
    return (await isGoing(world)) ? tooLate(world) : opened(world, state.phase, hook.job !== undefined);
  }
}

/**
 * The UID of a drain hook's Job that has not ended: its pod may start after our answer, and must know then that this uninstall
 * was cancelled. The Job itself stays: for a Helm 3 that still waits a deleted hook is one that has succeeded.
 */
async function waitingHook({ read, signal, install }: World): Promise<{ readonly job?: string }> {
  const { release } = install;
  const job = await read.get(Job, { name: namesOf(release).drainJob, namespace: release.namespace }, signal);
  const uid = job === undefined || hasEnded(job) ? undefined : job.metadata.uid;
  return uid === undefined ? {} : { job: uid };
}

/** A holder that has renewed twice since has read the state; one that is silent for so long may not write any more. */
const SILENT_MS = 15_000;

/** Waits until whoever holds the write token has seen the Open, so that nothing of the drain comes after our answer. */
async function untilHeard({ connection, install, clock, signal }: World): Promise<void> {
  const { release } = install;
  const lease = { name: namesOf(release).lease, namespace: release.namespace };
  using observer = observeLease(connection, lease, clock);
  let view = await observer.look(signal);
  const { holder } = view;
  let renewals = 0;
  while (holder !== "" && view.holder === holder && renewals < 2) {
    const left = SILENT_MS - (clock.now() - view.changedAt);
    if (left <= 0) return;
    const next = await observer.next(left, signal);
    if (next.changedAt !== view.changedAt) renewals += 1;
    view = next;
  }
}

async function isGoing({ read, signal, install }: World): Promise<boolean> {
  const { name, namespace } = install.release;
  const operator = await read.get(KubernetesOperator, { name, namespace }, signal);
  return operator?.metadata.deletionTimestamp !== undefined;
}

function opened(world: World, before: string, waits: boolean): number {
  const { release } = world.install;
  const rollback = `helm rollback ${release.name} REVISION -n ${release.namespace}`;
  world.answer({ command: "cancel", release, ok: true, before, next: rollback }, [
    before === "Open"
      ? `open      there was no drain${waits ? `; job ${namesOf(release).drainJob}, whose pod has not begun, will begin none` : ""}`
      : `open      the drain (${before}) is cancelled; the operator works again`,
    `next      Helm still takes the release for uninstalling: ${rollback}`,
    `          REVISION is the last one of: helm history ${release.name} -n ${release.namespace}`,
  ]);
  return EXIT.ok;
}

function tooLate(world: World): number {
  const { release } = world.install;
  const { name, namespace } = release;
  const reason = `kubernetesoperator ${namespace}/${name} is being deleted, which nothing takes back`;
  const remedy = `let the drain end (ngrok-drain status --watch), then install again: what Retain kept is adopted`;
  world.answer({ command: "cancel", release, ok: false, reason, remedy }, [
    `refused   ${reason}. Nothing is cancelled`,
    `remedy    ${remedy}`,
  ]);
  return EXIT.refused;
}
