// Reserved domains at ngrok: find, change, remove.
import type { Change, Freshness, Removed } from "./change.ts";

export interface RemoteDomain {
  readonly id: string;
  readonly uri: string;
  /** The host name, a wildcard with its leading `*.`. */
  readonly domain: string;
  readonly description: string;
  readonly metadata: string;
  /** Points of presence; empty when ngrok decides. */
  readonly resolvesTo: readonly PointOfPresence[];
  readonly cnameTarget?: string;
  readonly acmeChallengeCNAMETarget?: string;
  readonly certificate?: { readonly id: string };
  /** Absent when ngrok manages certificate and DNS by itself. */
  readonly certificateManagementPolicy?: { readonly authority: string; readonly privateKeyType: string };
  readonly certificateManagementStatus?: CertificateManagementStatus;
}

export interface PointOfPresence {
  readonly value: string;
}

/** Times are RFC 3339, as ngrok sent them. */
export interface CertificateManagementStatus {
  readonly renewsAt?: string;
  readonly provisioningJob?: {
    readonly errorCode?: string;
    readonly message?: string;
    readonly startedAt?: string;
    readonly retriesAt?: string;
  };
}

export interface DomainPatch {
  readonly description?: string | undefined;
  readonly metadata?: string | undefined;
  readonly resolvesTo?: readonly PointOfPresence[] | undefined;
}

export interface DomainBody extends DomainPatch {
  readonly domain: string;
}

export interface DomainsPort {
  /**
   * By id when there is one; without an id, or when the id is not there any more, by host name (unique in an account).
   * Whether to adopt what the host name found is the caller's decision: compare `id` and metadata (`isOurs`).
   */
  find(
    by: { readonly id?: string | undefined; readonly host?: string | undefined } & Freshness,
    signal: AbortSignal,
  ): Promise<RemoteDomain | undefined>;
  change(change: Change<RemoteDomain, DomainBody, DomainPatch>, signal: AbortSignal): Promise<RemoteDomain>;
  remove(id: string, signal: AbortSignal): Promise<Removed>;
}
