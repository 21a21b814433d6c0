// Registrations of Kubernetes operators at ngrok, and the endpoints that are bound to one.
import type { Change, Freshness, Removed } from "./change.ts";
import type { KeyAndRequest } from "./csr.ts";

export interface RemoteOperator {
  readonly id: string;
  readonly uri: string;
  readonly description: string;
  readonly metadata: string;
  readonly enabledFeatures: readonly string[];
  readonly region: string;
  readonly deployment: { readonly name: string; readonly namespace: string; readonly version: string };
  readonly binding?: {
    readonly endpointSelectors: readonly string[];
    readonly ingressEndpoint?: string;
    /** PEM; times are RFC 3339. */
    readonly cert?: { readonly cert: string; readonly notBefore?: string; readonly notAfter?: string };
  };
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

/** An endpoint that ngrok serves into this cluster. */
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
