// Registrations of Kubernetes operators at ngrok, and the endpoints that are bound to one.
import { child, maybe, objectOrEmpty, text, texts, type Fields } from "./answer.ts";
import type { Change, Freshness, Removed } from "./change.ts";
import { collection, pathOf, type Ground, type Shape } from "./collection.ts";
import type { KeyAndRequest } from "./csr.ts";
import { pages } from "./pages.ts";

export interface RemoteOperator {
  readonly id: string;
  readonly uri: string;
  readonly description: string;
  readonly metadata: string;
  readonly enabledFeatures: readonly string[];
  readonly region: string;
  readonly deployment: { readonly name: string; readonly namespace: string; readonly version: string };
  readonly binding?: RemoteBinding | undefined;
}

export interface RemoteBinding {
  readonly endpointSelectors: readonly string[];
  readonly ingressEndpoint?: string | undefined;
  readonly cert?: BindingCertificate | undefined;
}

/** PEM; times are RFC 3339. */
export interface BindingCertificate {
  readonly cert: string;
  readonly notBefore?: string | undefined;
  readonly notAfter?: string | undefined;
}

export interface OperatorBinding {
  readonly endpointSelectors: readonly string[];
  /** PEM, label CERTIFICATE REQUEST. */
  readonly csr?: string | undefined;
}

export interface OperatorPatch {
  readonly description?: string | undefined;
  readonly metadata?: string | undefined;
  readonly enabledFeatures?: readonly string[] | undefined;
  readonly region?: string | undefined;
  readonly deployment?: { readonly name: string; readonly version: string } | undefined;
  readonly binding?: OperatorBinding | undefined;
}

export interface OperatorBody extends Omit<OperatorPatch, "deployment"> {
  readonly deployment: { readonly name: string; readonly namespace: string; readonly version: string };
}

/** An endpoint that ngrok serves into this cluster. What its entry does not have is "": one bad entry spoils no other. */
export interface RemoteBoundEndpoint {
  readonly id: string;
  readonly uri: string;
  readonly proto: string;
  readonly publicUrl: string;
}

export interface OperatorsPort {
  find(by: { readonly id: string }, signal: AbortSignal): Promise<RemoteOperator | undefined>;
  /** All registrations of this release name and namespace, of whichever cluster: `isOurOperator` tells whose. */
  matching(
    by: { readonly name: string; readonly namespace: string } & Freshness,
    signal: AbortSignal,
  ): Promise<readonly RemoteOperator[]>;
  change(change: Change<RemoteOperator, OperatorBody, OperatorPatch>, signal: AbortSignal): Promise<RemoteOperator>;
  remove(id: string, signal: AbortSignal): Promise<Removed>;
  /** Page after page of the endpoints bound to this operator; throws class gone when the operator is not registered. */
  boundEndpoints(id: string, signal: AbortSignal): AsyncIterable<readonly RemoteBoundEndpoint[]>;
  /** A new key and the request to be sent as `binding.csr`; no call is made. */
  keyAndRequest(): Promise<KeyAndRequest>;
}

/** The port over a client's calls. */
export function operators(ground: Ground): OperatorsPort {
  const at = collection(ground, shape);
  return {
    find: async ({ id }, signal) => await at.find(id, signal),
    matching: async ({ name, namespace, asOf }, signal) =>
      await at.matching(keyOf({ name, namespace }), { asOf }, signal),
    change: at.change,
    remove: at.remove,
    async *boundEndpoints(id, signal) {
      const path = `${pathOf(shape.path, id)}/bound_endpoints`;
      for await (const page of pages(ground.call, path, "endpoints", signal)) yield page.map(boundEndpoint);
    },
    async keyAndRequest() {
      // Loaded when bindings are on: nobody else pays for X.509.
      const { keyAndRequest } = await import("./csr.ts");
      return await keyAndRequest();
    },
  };
}

const shape: Shape<RemoteOperator, OperatorBody, OperatorPatch> = {
  path: "/kubernetes_operators",
  field: "operators",
  keys: ({ deployment }) => [keyOf(deployment)],
  create: patch,
  update: patch,
  read: (of, id) => ({
    id,
    uri: text(of, "uri"),
    description: text(of, "description"),
    metadata: text(of, "metadata"),
    enabledFeatures: texts(of, "enabled_features"),
    region: text(of, "region"),
    deployment: deployment(child(of, "deployment") ?? {}),
    binding: binding(child(of, "binding")),
  }),
};

function patch(given: OperatorBody | OperatorPatch): object {
  const { description, metadata, enabledFeatures, region, deployment: deployed, binding: bound } = given;
  return {
    description,
    metadata,
    enabled_features: enabledFeatures,
    region,
    deployment: deployed,
    binding: bound && { endpoint_selectors: bound.endpointSelectors, csr: bound.csr },
  };
}

function deployment(of: Fields): RemoteOperator["deployment"] {
  return { name: text(of, "name"), namespace: text(of, "namespace"), version: text(of, "version") };
}

function binding(of: Fields | undefined): RemoteBinding | undefined {
  if (of === undefined) return undefined;
  const cert = child(of, "cert");
  return {
    endpointSelectors: texts(of, "endpoint_selectors"),
    ingressEndpoint: maybe(of, "ingress_endpoint"),
    cert: cert && {
      cert: text(cert, "cert"),
      notBefore: maybe(cert, "not_before"),
      notAfter: maybe(cert, "not_after"),
    },
  };
}

function boundEndpoint(entry: unknown): RemoteBoundEndpoint {
  const of = objectOrEmpty(entry);
  return { id: text(of, "id"), uri: text(of, "uri"), proto: text(of, "proto"), publicUrl: text(of, "public_url") };
}

function keyOf({ name, namespace }: { readonly name: string; readonly namespace: string }): string {
  return `${namespace}/${name}`;
}
