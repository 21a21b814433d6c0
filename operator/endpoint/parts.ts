// What of Secrets and ConfigMaps is watched: whoever watches one of these kinds in a pod watches the same part of it.
import type { ConfigMapObject, SecretObject } from "#kube/kinds.ts";
import type { Part } from "../runtime/define-controller.ts";

/** Of a Secret these entries; the rest is not ours to keep, and kubectl repeats it in an annotation. */
export function entriesOf(...names: readonly string[]): (secret: SecretObject) => SecretObject {
  return ({ data = {}, ...secret }) => {
    const { annotations: _, ...metadata } = secret.metadata;
    const kept = Object.entries(data).filter(([name]) => names.includes(name));
    return { ...secret, metadata, data: Object.fromEntries(kept) };
  };
}

/** For Gateways. The others are Helm's releases and people's passwords: nobody here has any business with them. */
export const certificates: Part<SecretObject> = { fieldSelector: "type=kubernetes.io/tls" };

/** The one key that a Gateway reads. */
const AUTHORITIES = "ca.crt";

export const authorities: Part<ConfigMapObject> = {
  keeps: ({ data, ...rest }) => ({
    ...rest,
    ...(data?.[AUTHORITIES] === undefined ? {} : { data: { [AUTHORITIES]: data[AUTHORITIES] } }),
  }),
};
