// How reports name an object and a kind.
import type { KubeObject } from "#kube/kind.ts";
import { resourceName } from "#kube/kind.ts";
import type { Row } from "./kinds.ts";

/** `cloudendpoint shop/web` */
export function nameOf(row: Pick<Row, "kind">, object: KubeObject): string {
  const { name, namespace } = object.metadata;
  const kind = row.kind.kind.toLowerCase();
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

/** `cloudendpoints.ngrok.k8s.ngrok.com` */
export function kindNameOf(row: Pick<Row, "kind">): string {
  return resourceName(row.kind);
}
