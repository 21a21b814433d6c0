// What of Secrets and ConfigMaps is watched for Gateways: whoever watches these kinds watches this part of them.
import type { ConfigMapObject, SecretObject } from "#kube/kinds.ts";
import type { Part } from "../runtime/define-controller.ts";

/** The others are Helm's releases and people's passwords: nobody here has any business with them. */
export const certificates: Part<SecretObject> = { fieldSelector: "type=kubernetes.io/tls" };

/** The one key that a Gateway reads. */
const AUTHORITIES = "ca.crt";

export const authorities: Part<ConfigMapObject> = {
  keeps: ({ data, ...rest }) => ({
    ...rest,
    ...(data?.[AUTHORITIES] === undefined ? {} : { data: { [AUTHORITIES]: data[AUTHORITIES] } }),
  }),
};
