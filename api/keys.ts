// Every key by which the cluster knows what is ours: finalizers, the stamp, labels, annotations.

/** Written; the legacy prefix is the one that every release so far has written. */
export const FINALIZER = "k8s.ngrok.com/finalizer";
/** Recognised and removed, never written. */
export const FINALIZER_CANONICAL = "ngrok.com/finalizer";
export const FINALIZERS: readonly string[] = [FINALIZER, FINALIZER_CANONICAL];
/** The finalizer that Gateway API names for a GatewayClass in use; it is shared by all controllers of a class. */
export const GATEWAY_CLASS_FINALIZER = "gateway-exists-finalizer.gateway.networking.k8s.io";

/** The stamp: annotation `<release namespace>/<release>` of the install that added the finalizer. */
export const DRAIN_OWNER = "ngrok.com/drain-owner";
/**
 * "true": the remote object existed before; kept by the drain under either policy, and reported. "false" on a Domain: the
 * reservation was another Domain's of its host, which left it behind: it is this one's to give back. Believed of us alone.
 */
export const ADOPTED = "ngrok.com/adopted";
/** On a Domain that a drain has marked as adopted: `<namespace>/<name>` of the Domain for whose sake it did. */
export const KEPT_WITH = "ngrok.com/kept-with";

/** On a KubernetesOperator: the controller of the GatewayClasses that it serves, where that is not the default one. */
export const GATEWAY_CONTROLLER_NAME = "ngrok.com/gateway-controller-name";

/**
 * Annotations of what is made at run time with the label of the release, and stands in no manifest. An Argo CD that tracks by that
 * label (the default up to 2.x) takes it for a part of the Application that Git has dropped: by the first one it is no difference,
 * by the second it is not pruned. https://argo-cd.readthedocs.io/en/stable/user-guide/compare-options/
 */
export const IN_NO_MANIFEST: Readonly<Record<string, string>> = {
  "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
  "argocd.argoproj.io/sync-options": "Prune=false",
};

/** Labels of generated objects; both prefixes are written, either full pair is recognised. */
export const CONTROLLER_NAMESPACE = "ngrok.com/controller-namespace";
export const CONTROLLER_NAME = "ngrok.com/controller-name";
export const CONTROLLER_NAMESPACE_LEGACY = "k8s.ngrok.com/controller-namespace";
export const CONTROLLER_NAME_LEGACY = "k8s.ngrok.com/controller-name";

/** The claim of an install on one object, as kube/finalizer.ts writes it (the types agree by shape). */
export interface OwnClaim {
  readonly finalizer: string;
  readonly finalizers: readonly string[];
  readonly stamp: string;
  readonly owner: string;
}

export function claimOf(release: { namespace: string; name: string }): OwnClaim {
  return {
    finalizer: FINALIZER,
    finalizers: FINALIZERS,
    stamp: DRAIN_OWNER,
    owner: `${release.namespace}/${release.name}`,
  };
}

export function gatewayClassClaimOf(release: { namespace: string; name: string }): OwnClaim {
  return { ...claimOf(release), finalizer: GATEWAY_CLASS_FINALIZER, finalizers: [GATEWAY_CLASS_FINALIZER] };
}

/** The labels of an object that the manager `name` in `namespace` generated. */
export function controllerLabels(namespace: string, name: string): Record<string, string> {
  return {
    [CONTROLLER_NAMESPACE]: namespace,
    [CONTROLLER_NAME]: name,
    [CONTROLLER_NAMESPACE_LEGACY]: namespace,
    [CONTROLLER_NAME_LEGACY]: name,
  };
}

/** Keys by which objects are known to be ours: they are not a user's to give, and other hands of ours write and remove them. */
export const OWN_KEYS: ReadonlySet<string> = new Set([
  ...Object.keys(controllerLabels("", "")),
  DRAIN_OWNER,
  ADOPTED,
  KEPT_WITH,
]);

export function hasControllerLabels(
  labels: Record<string, string> | undefined,
  namespace: string,
  name: string,
): boolean {
  return (
    (labels?.[CONTROLLER_NAMESPACE] === namespace && labels[CONTROLLER_NAME] === name) ||
    (labels?.[CONTROLLER_NAMESPACE_LEGACY] === namespace && labels[CONTROLLER_NAME_LEGACY] === name)
  );
}

/** The namespace of the install whose controller generated the object; undefined for a person's. */
export function generatorNamespace(labels: Readonly<Record<string, string>> | undefined): string | undefined {
  return labels?.[CONTROLLER_NAMESPACE] ?? labels?.[CONTROLLER_NAMESPACE_LEGACY];
}

/** Whether some install's controller generated the object: a person's carries a stamp as well, but none of these labels. */
export function hasAnyControllerLabel(labels: Readonly<Record<string, string>> | undefined): boolean {
  const keys = [CONTROLLER_NAMESPACE, CONTROLLER_NAME, CONTROLLER_NAMESPACE_LEGACY, CONTROLLER_NAME_LEGACY];
  return keys.some((key) => labels?.[key] !== undefined);
}
