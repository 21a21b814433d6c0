// The drain as the api-manager's leader drives it: when the KubernetesOperator was deleted by hand, or the hook that
// began is gone. The same conduct as the hook's, under the leader's own token.
import { KubernetesOperator, drainPolicyOf } from "#api/kubernetes-operator.ts";
import { ownKinds } from "#api/own-kinds.ts";
import type { Release } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { resourceName } from "#kube/kind.ts";
import { CustomResourceDefinition } from "#kube/kinds.ts";
import type { Reader } from "#kube/reader.ts";
import { conduct, type Conclusion } from "./conduct.ts";
import type { DrainEvent } from "./events.ts";
import type { Hands } from "./hands.ts";
import type { Report } from "./report.ts";
import { mark, policyUnder, type StateReader } from "./state.ts";
import type { Signs } from "./trigger.ts";

export interface Lead {
  readonly hands: Hands;
  readonly release: Release;
  readonly clusterWide: boolean;
  /** From the duty; a policy that is sealed already wins. */
  readonly policy: DrainPolicy;
  /** `pod/<name>/<uid>` */
  readonly identity: string;
  readonly state: StateReader;
  /** Ends with the token and on SIGTERM. */
  readonly signal: AbortSignal;
  onEvent?(event: DrainEvent, report: Report): void;
}

/** The leader has no Helm behind it that gives up: it takes the time it needs, pass after pass, this long at a stretch. */
const STRETCH_MS = 270_000;

/**
 * Marks and drains. A conclusion without a farewell means: not done; the caller tries again while it holds the token.
 * In a terminating namespace the mark cannot be created; the deleting KubernetesOperator is trigger enough then.
 */
export async function leaderDrain(work: Lead): Promise<Conclusion> {
  const { hands, release, state, signal } = work;
  const wanted = {
    policy: work.policy,
    driver: "leader",
    by: work.identity,
    since: hands.clock.date().toISOString(),
  } as const;
  const held = await mark(hands.connection, hands.read, release, wanted, "skip", signal);
  await state.fresh(signal);
  return await conduct({
    hands,
    release,
    clusterWide: work.clusterWide,
    policy: () => policyUnder(held, state.now),
    budgetMs: STRETCH_MS,
    signal,
    driver: "leader",
    mark: held,
    ...(work.onEvent === undefined ? {} : { onEvent: work.onEvent.bind(work) }),
  });
}

export interface Look {
  readonly read: Reader;
  readonly release: Release;
  readonly state: StateReader;
  /** See `Signs`. */
  readonly stoodBy: boolean;
  /** Whether one of our CRDs goes. @param deleting whether the KubernetesOperator does */
  readonly crdTerminating: (deleting: boolean, signal: AbortSignal) => Promise<boolean>;
}

/** Reads the signs past every cache; `dutyOf` says what they mean. Throws when the server cannot tell. */
export async function signsOf(look: Look, signal: AbortSignal): Promise<Signs> {
  const { read, release, state, stoodBy } = look;
  const now = await state.fresh(signal);
  const object = await read.get(KubernetesOperator, { name: release.name, namespace: release.namespace }, signal);
  const deleting = object?.metadata.deletionTimestamp !== undefined;
  const operator = object === undefined ? undefined : { deleting, policy: drainPolicyOf(object) };
  // After it: a CRD that takes it along is marked first.
  return { state: now, operator, crdTerminating: await look.crdTerminating(deleting, signal), stoodBy };
}

/** Asks the CRDs themselves, which takes rights outside the namespaces. */
export async function anyCrdTerminating(read: Reader, signal: AbortSignal): Promise<boolean> {
  const crds = await Promise.all(
    ownKinds.map((kind) => read.get(CustomResourceDefinition, { name: resourceName(kind) }, signal)),
  );
  return crds.some((crd) => crd?.metadata.deletionTimestamp !== undefined);
}
