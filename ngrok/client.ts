// The way to ngrok's REST API: one client per API key, its ports in our words.
import type { Clock } from "#wire/clock.ts";
import type { Fence } from "#wire/fence.ts";
import type { AddressesPort } from "./addresses.ts";
import type { DomainsPort } from "./domains.ts";
import type { EndpointsPort } from "./endpoints.ts";
import type { IPPoliciesPort } from "./ip-policies.ts";
import type { OperatorsPort } from "./operators.ts";

/**
 * ngrok as the drain and the controllers know it. Every method throws KnownError (wire/errors.ts; codes in
 * ngrok/errors.ts), or FenceLost when a write was asked for without the right to write. A creation whose outcome is
 * unknown throws class transient, code "Ambiguous": look the object up before creating it again.
 */
export interface NgrokPort {
  readonly domains: DomainsPort;
  readonly endpoints: EndpointsPort;
  readonly ipPolicies: IPPoliciesPort;
  readonly operators: OperatorsPort;
  readonly addresses: AddressesPort;
  /** Returns when ngrok accepts the API key; else throws (401 and 403 are class invalid). */
  verifyKey(signal: AbortSignal): Promise<void>;
}

export interface NgrokOptions {
  /** Base of the API, default https://api.ngrok.com; http and https, a path is kept. */
  readonly apiUrl?: string | undefined;
  readonly apiKey: string;
  /** E.g. `ngrok-operator/0.1.0`. */
  readonly userAgent: string;
  readonly clock: Clock;
  /** Without it the client only reads, until `under` gives it one. */
  readonly fence?: Fence | undefined;
  /** Calls a second over all ports; no limit when absent. */
  readonly rate?: { readonly perSecond: number; readonly burst?: number } | undefined;
  /** Calls in flight at once, default 32. */
  readonly concurrency?: number;
  /** Milliseconds that one call may take, its retries and waits included; default 10,000. */
  readonly timeoutMs?: number;
  /** Ends the client: calls in flight end, its connections close. */
  readonly signal: AbortSignal;
}

export interface NgrokClient extends NgrokPort, AsyncDisposable {
  /** The same client, its connections, pace and lists, with the right to write. */
  under(fence: Fence): NgrokPort;
}

/** Connects to nothing yet. Throws KnownError invalid when the API key or `apiUrl` cannot be used. */
export declare function connectNgrok(options: NgrokOptions): NgrokClient;
