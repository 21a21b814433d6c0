// The names of an install as Helm expressions, made from api/release.ts so that chart and code cannot differ.
import { namesOf, type ReleaseNames } from "#api/release.ts";

const SAMPLE = namesOf({ name: "release", namespace: "namespace", fullname: "x" });

/** The expression, without braces, that renders the name `key` of the release. */
export function nameExpression(key: keyof ReleaseNames): string {
  if (key === "kubernetesOperator") return ".Release.Name";
  // A user may name a Secret of their own.
  if (key === "credentials") return `include "ngrok-operator.credentials" .`;
  if (key === "drainClusterRole") return whole("drain");
  return named(SAMPLE[key].replace(/^x-/, ""));
}

/** The expression of `<fullname>-<suffix>`. */
export function named(suffix: string): string {
  return `include "ngrok-operator.named" (list . "${suffix}")`;
}

/** The expression of `<fullname>-<suffix>` uncut, for rights. */
export function whole(suffix: string): string {
  return `include "ngrok-operator.whole" (list . "${suffix}")`;
}

/** True when the release watches all namespaces. */
export const WATCHES_ALL = `include "ngrok-operator.watchesAll" .`;
