// What tells the Services of a BoundEndpoint from everybody else's: labels that name it, under both prefixes.

export const BINDING_NAME = "ngrok.com/endpoint-binding-name";
export const BINDING_NAMESPACE = "ngrok.com/endpoint-binding-namespace";
export const BINDING_NAME_LEGACY = "bindings.k8s.ngrok.com/endpoint-binding-name";
export const BINDING_NAMESPACE_LEGACY = "bindings.k8s.ngrok.com/endpoint-binding-namespace";

/** On the Service in front of the forwarders: its own host name, under both prefixes. */
export const ENDPOINT_URL = "ngrok.com/endpoint-url";
export const ENDPOINT_URL_LEGACY = "bindings.k8s.ngrok.com/endpoint-url";

/** On the Service that workloads use: the keys of the labels and annotations that the BoundEndpoint asked for, in JSON. */
export const GIVEN = "ngrok.com/endpoint-binding-given";

type Labels = Readonly<Record<string, string>> | undefined;

/** The labels of a Service that was made for the BoundEndpoint `name` in `namespace`. */
export function bindingLabels(namespace: string, name: string): Record<string, string> {
  return {
    [BINDING_NAME]: name,
    [BINDING_NAMESPACE]: namespace,
    [BINDING_NAME_LEGACY]: name,
    [BINDING_NAMESPACE_LEGACY]: namespace,
  };
}

/** The BoundEndpoint that a Service's labels name, the canonical pair before the legacy one; undefined when none does. */
export function boundBy(labels: Labels): { readonly name: string; readonly namespace: string } | undefined {
  return (
    pair(labels?.[BINDING_NAME], labels?.[BINDING_NAMESPACE]) ??
    pair(labels?.[BINDING_NAME_LEGACY], labels?.[BINDING_NAMESPACE_LEGACY])
  );
}

/** Whether the labels are those of a Service that was made for this BoundEndpoint. */
export function isBoundFor(
  labels: Labels,
  { name, namespace }: { readonly name: string; readonly namespace?: string | undefined },
): boolean {
  const owner = boundBy(labels);
  return owner?.name === name && owner.namespace === namespace;
}

function pair(name: string | undefined, namespace: string | undefined) {
  return name === undefined || namespace === undefined ? undefined : { name, namespace };
}
