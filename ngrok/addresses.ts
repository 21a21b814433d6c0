// Reserved TCP addresses at ngrok, which picks them: find, change, remove.
import type { Change, Freshness, Removed } from "./change.ts";

export interface RemoteAddress {
  readonly id: string;
  readonly uri: string;
  /** `host:port`. */
  readonly addr: string;
  readonly description: string;
  readonly metadata: string;
  readonly region: string;
}

export interface AddressBody {
  readonly description?: string | undefined;
  readonly metadata?: string | undefined;
}

export interface AddressesPort {
  /** By id when there is one; without an id, or when the id is not there any more, by `host:port`. */
  find(
    by: { readonly id?: string | undefined; readonly addr?: string | undefined } & Freshness,
    signal: AbortSignal,
  ): Promise<RemoteAddress | undefined>;
  /** All addresses with exactly this metadata, which names the Service they were reserved for. */
  matching(by: { readonly metadata: string } & Freshness, signal: AbortSignal): Promise<readonly RemoteAddress[]>;
  change(change: Change<RemoteAddress, AddressBody, AddressBody>, signal: AbortSignal): Promise<RemoteAddress>;
  remove(id: string, signal: AbortSignal): Promise<Removed>;
}
