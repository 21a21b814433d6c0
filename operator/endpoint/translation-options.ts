// What the translator has to know of an install, from its flags; the shape is the translator's.
import { GATEWAY_CONTROLLER, INGRESS_CONTROLLER } from "#api/classes.ts";
import { ownerOf, type Release } from "#api/release.ts";
import type { Options } from "../runtime/options.ts";

export interface TranslationOptions {
  readonly managerNamespace: string;
  readonly managerName: string;
  readonly clusterDomain: string;
  readonly referenceGrants: boolean;
  readonly watchNamespace?: string;
  readonly ngrokMetadata?: Readonly<Record<string, string>>;
  readonly ingressControllerName: string;
  readonly stamp?: string;
  readonly gatewayControllerName: string;
  readonly domainReclaimPolicy: "Delete" | "Retain";
}

/** @param clusterWide whether IngressClasses can be read: where they cannot, none is known to have gone */
export function translationOptions(release: Release, options: Options, clusterWide = true): TranslationOptions {
  return {
    managerNamespace: release.namespace,
    managerName: options.managerName,
    clusterDomain: options.clusterDomain,
    referenceGrants: options.routing?.referenceGrants ?? true,
    ...(release.watchNamespace === undefined ? {} : { watchNamespace: release.watchNamespace }),
    ...(Object.keys(options.metadata).length === 0 ? {} : { ngrokMetadata: options.metadata }),
    ingressControllerName: options.routing?.ingressControllerName ?? INGRESS_CONTROLLER,
    ...(clusterWide ? { stamp: ownerOf(release) } : {}),
    gatewayControllerName: options.routing?.gatewayControllerName ?? GATEWAY_CONTROLLER,
    domainReclaimPolicy: options.defaultDomainReclaimPolicy,
  };
}
