// Where a kind lives on an API server.
import { KnownError } from "#wire/errors.ts";
import { resourceName, type Kind, type Ref } from "./kind.ts";

/** `/api/v1` or `/apis/GROUP/VERSION`. */
export function groupPath(group: string, version: string): string {
  return group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
}

/** The collection: of one namespace, or of all when `namespace` is undefined. */
export function listPath(kind: Kind, version: string, namespace: string | undefined): string {
  const scope = kind.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${groupPath(kind.group, version)}${scope}/${kind.plural}`;
}

/** One object. Throws KnownError invalid for a namespaced kind without a namespace: the path would mean another object. */
export function objectPath(kind: Kind, version: string, at: Ref): string {
  if (at.name === "" || (kind.namespaced && (at.namespace === undefined || at.namespace === ""))) {
    throw new KnownError("invalid", `${resourceName(kind)} "${at.name}" needs a name and a namespace`);
  }
  return `${listPath(kind, version, at.namespace)}/${encodeURIComponent(at.name)}`;
}

/** A key of a map, such as an annotation's, as a step of a JSON pointer (RFC 6901). */
export function pointerStep(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** `GROUP/VERSION`, as objects carry it. */
export function apiVersionOf(kind: Kind, version: string): string {
  return kind.group === "" ? version : `${kind.group}/${version}`;
}
