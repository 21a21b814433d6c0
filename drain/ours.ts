// Whose an object with our finalizer is: pure, from the object and what is known about the other installs.
import { GATEWAY_CONTROLLER } from "#api/classes.ts";
import {
  CONTROLLER_NAME,
  CONTROLLER_NAME_LEGACY,
  CONTROLLER_NAMESPACE,
  CONTROLLER_NAMESPACE_LEGACY,
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

export interface OtherInstall {
  /** `<release namespace>/<release>` */
  readonly owner: string;
  /** Whether it serves Gateway API. */
  readonly gateway: boolean;
  /** Of the GatewayClasses that it serves; of the default name where it says nothing. */
  readonly gatewayController?: string;
}

/** What decides where no stamp does. */
export interface Surroundings {
  readonly release: Release;
  /** Other KubernetesOperators in the cluster, from a consistent cluster-wide list; unknown counts as "there may be". */
  readonly others: "none" | "some" | "unknown";
  /** Those that were seen. */
  readonly installs?: readonly OtherInstall[];
}

/**
 * stamp, label, scope: ours, and why. stranger: another install's. shared: another install uses it as well.
 * not: our finalizer, but nothing says whose it is.
 */
export type Whose = "stamp" | "label" | "scope" | "stranger" | "shared" | "not";

/** The finalizers of ours that an object of this row carries. */
export function finalizersOf(row: Row): readonly string[] {
  return isGatewayClass(row) ? [GATEWAY_CLASS_FINALIZER] : FINALIZERS;
}

/**
 * The finalizer of a GatewayClass is Gateway API's: on a class of another controller it is that controller's, unless an
 * install of us has stamped it. What our controller is called is a matter of each install, and may have been another once.
 */
export function carriesOurs(row: Row, object: KubeObject): boolean {
  const ours = finalizersOf(row);
  const isStamped = object.metadata.annotations?.[DRAIN_OWNER] !== undefined;
  if (isGatewayClass(row) && controllerOf(object) !== GATEWAY_CONTROLLER && !isStamped) return false;
  return object.metadata.finalizers?.some((entry) => ours.includes(entry)) ?? false;
}

/** Finalizers that are not ours to take off; they are reported. */
export function foreignFinalizers(row: Row, object: KubeObject): readonly string[] {
  const ours = finalizersOf(row);
  return object.metadata.finalizers?.filter((entry) => !ours.includes(entry)) ?? [];
}

/**
 * The stamp decides. Without one: our controller labels; else the scope, but only when no other install is there that
 * could be the owner. An object of a user's kind is then ours wherever it is: nobody else is there who could free it, and
 * nothing but the finalizer goes.
 */
export function whose(row: Row, object: KubeObject, { release, others, installs }: Surroundings): Whose {
  const { annotations, labels, namespace } = object.metadata;
  const stamp = annotations?.[DRAIN_OWNER];
  if (isGatewayClass(row)) return whoseClass(object, stamp === ownerOf(release), others, installs);
  if (stamp !== undefined) return stamp === ownerOf(release) ? "stamp" : "stranger";
  if (hasControllerLabels(labels, release.namespace, namesOf(release).manager)) return "label";
  if (hasControllerLabels(labels, release.namespace, `${release.fullname}-agent-manager`)) return "label";
  if (makerOf(object) !== undefined) return "stranger";
  const inScope =
    row.whose === "user" ||
    release.watchNamespace === undefined ||
    namespace === release.watchNamespace ||
    namespace === release.namespace;
  return inScope && others === "none" ? "scope" : "not";
}

/** One class serves every install whose controller it names: the last of them lets it go, whoever has stamped it. */
function whoseClass(
  object: KubeObject,
  stamped: boolean,
  others: Surroundings["others"],
  installs: Surroundings["installs"],
): Whose {
  const used = others === "unknown" || (others === "some" && (installs?.some((one) => serves(one, object)) ?? true));
  if (used) return "shared";
  return stamped ? "stamp" : "scope";
}

function serves({ gateway, gatewayController = GATEWAY_CONTROLLER }: OtherInstall, gatewayClass: KubeObject): boolean {
  return gateway && gatewayController === controllerOf(gatewayClass);
}

export function isOurs(answer: Whose): boolean {
  return answer === "stamp" || answer === "label" || answer === "scope";
}

/** Whom the stamp or the labels name, `<namespace>/<name>`; undefined when nothing does. */
export function namedOwner(object: KubeObject): string | undefined {
  return object.metadata.annotations?.[DRAIN_OWNER] ?? makerOf(object);
}

/** Why an object with our finalizer is left alone, for people. */
export function whyLeft(
  answer: Whose,
  object: KubeObject,
  { others, installs = [] }: Pick<Surroundings, "others" | "installs">,
): string {
  const names = installs.map(({ owner }) => owner).join(" or ");
  const users = installs.filter((one) => serves(one, object)).map(({ owner }) => owner);
  if (answer === "shared")
    return `${users.join(" or ") || "another install"} may serve Gateway API with it, and frees it in the end`;
  const owner = namedOwner(object);
  if (owner !== undefined) return `another install owns it: ${owner}`;
  const unstamped = "it carries our finalizer, but no stamp and no label says whose it is";
  if (others === "some") return `${unstamped}, and ${names || "another install"} may own it`;
  if (others === "unknown") return `${unstamped}, and whether there is another install cannot be seen`;
  return `${unstamped}, and it is outside of what this install watches`;
}

function makerOf({ metadata: { labels } }: KubeObject): string | undefined {
  const name = labels?.[CONTROLLER_NAME] ?? labels?.[CONTROLLER_NAME_LEGACY];
  if (name === undefined) return undefined;
  return `${labels?.[CONTROLLER_NAMESPACE] ?? labels?.[CONTROLLER_NAMESPACE_LEGACY] ?? ""}/${name}`;
}

function controllerOf(object: KubeObject): string | undefined {
  return (object as { spec?: { controllerName?: string } }).spec?.controllerName;
}

function isGatewayClass(row: Row): boolean {
  return row.kind.plural === GatewayClass.plural;
}
