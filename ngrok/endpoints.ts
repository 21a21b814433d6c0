// Cloud endpoints at ngrok: find, change, remove. Endpoints of agents are not of this port.
import type { Change, Freshness, Removed } from "./change.ts";

export interface RemoteEndpoint {
  readonly id: string;
  readonly uri: string;
  readonly url: string;
  readonly description: string;
  readonly metadata: string;
  /** JSON text as it was sent, "" for none. */
  readonly trafficPolicy: string;
  readonly bindings: readonly string[];
  readonly poolingEnabled: boolean;
}

export interface EndpointPatch {
  readonly url?: string | undefined;
  readonly description?: string | undefined;
  readonly metadata?: string | undefined;
  /** JSON text; "" takes the policy off. */
  readonly trafficPolicy?: string | undefined;
  readonly bindings?: readonly string[] | undefined;
  /** Undefined leaves the account's default on creation, and what is set on an update. */
  readonly poolingEnabled?: boolean | undefined;
}

export interface EndpointBody extends EndpointPatch {
  readonly url: string;
}

export interface EndpointsPort {
  /** By id alone: a URL may be shared by the pooled endpoints of several clusters. */
  find(by: { readonly id: string }, signal: AbortSignal): Promise<RemoteEndpoint | undefined>;
  /**
   * All cloud endpoints with this URL and exactly this metadata: what a creation whose id was lost may have left. Only a
   * single one may be taken for ours. URLs are compared without default port and letter case of the host.
   */
  matching(
    by: { readonly url: string; readonly metadata: string } & Freshness,
    signal: AbortSignal,
  ): Promise<readonly RemoteEndpoint[]>;
  change(change: Change<RemoteEndpoint, EndpointBody, EndpointPatch>, signal: AbortSignal): Promise<RemoteEndpoint>;
  remove(id: string, signal: AbortSignal): Promise<Removed>;
}
