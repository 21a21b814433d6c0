// Whose an object with our finalizer is: pure, from the object and what is known about the other installs.
import { GATEWAY_CONTROLLER } from "#api/classes.ts";
import {
  CONTROLLER_NAME,
  CONTROLLER_NAME_LEGACY,
  DRAIN_OWNER,
  FINALIZERS,
  GATEWAY_CLASS_FINALIZER,
  hasControllerLabels,
} from "#api/keys.ts";
import type { Release } from "#api/release.ts";
import { namesOf, ownerOf } from "#api/release.ts";
import type { KubeObject } from "#kube/kind.ts";
import { GatewayClass } from "#kube/kinds.ts";
import type { Row } from "./kinds.ts";

/** What decides where no stamp does. */
export interface Surroundings {
  readonly release: Release;
  /** Other KubernetesOperators in the cluster, from a consistent cluster-wide list; unknown counts as "there may be". */
  readonly others: "none" | "some" | "unknown";
}

/** stamp, label, scope: ours, and why. stranger: another install's; not: our finalizer, but nothing says it is ours. */
export type Whose = "stamp" | "label" | "scope" | "stranger" | "not";

/** The finalizers of ours that an object of this row carries. */
export function finalizersOf(row: Row): readonly string[] {
  return row.kind.plural === GatewayClass.plural ? [GATEWAY_CLASS_FINALIZER] : FINALIZERS;
}

export function carriesOurs(row: Row, object: KubeObject): boolean {
  const ours = finalizersOf(row);
  return object.metadata.finalizers?.some((entry) => ours.includes(entry)) ?? false;
}

/** Finalizers that are not ours to take off; they are reported. */
export function foreignFinalizers(row: Row, object: KubeObject): readonly string[] {
  const ours = finalizersOf(row);
  return object.metadata.finalizers?.filter((entry) => !ours.includes(entry)) ?? [];
}

/**
 * The stamp decides. Without one: our controller labels; else the scope, but only when no other install is there that
 * could be the owner.
 */
export function whose(row: Row, object: KubeObject, { release, others }: Surroundings): Whose {
  const { annotations, labels, namespace } = object.metadata;
  const stamp = annotations?.[DRAIN_OWNER];
  if (stamp !== undefined) return stamp === ownerOf(release) ? "stamp" : "stranger";
  if (row.kind.plural === GatewayClass.plural) {
    // This finalizer is Gateway API's, not ours alone: other controllers write the same entry.
    const spec = (object as { spec?: { controllerName?: string } }).spec;
    return spec?.controllerName === GATEWAY_CONTROLLER && others === "none" ? "scope" : "not";
  }
  if (hasControllerLabels(labels, release.namespace, namesOf(release).manager)) return "label";
  if (hasControllerLabels(labels, release.namespace, `${release.fullname}-agent-manager`)) return "label";
  if (labels?.[CONTROLLER_NAME] !== undefined || labels?.[CONTROLLER_NAME_LEGACY] !== undefined) return "stranger";
  const inScope =
    release.watchNamespace === undefined || namespace === release.watchNamespace || namespace === release.namespace;
  return inScope && others === "none" ? "scope" : "not";
}

export function isOurs(answer: Whose): boolean {
  return answer === "stamp" || answer === "label" || answer === "scope";
}
