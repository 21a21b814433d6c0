// Reserved TCP addresses at ngrok, which picks them: find, change, remove.
import { maybe, text } from "./answer.ts";
import type { Change, Freshness, Removed } from "./change.ts";
import { collection, type Ground, type Shape } from "./collection.ts";

export interface RemoteAddress {
  readonly id: string;
  readonly uri: string;
  /** `host:port`. */
  readonly addr: string;
  readonly description: string;
  readonly metadata: string;
  readonly region: string;
  /** RFC 3339. */
  readonly createdAt?: string | undefined;
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

/** The port over a client's calls. */
export function addresses(ground: Ground): AddressesPort {
  const at = collection(ground, shape);
  return {
    async find({ id, addr, asOf }, signal) {
      const known = id === undefined || id === "" ? undefined : await at.find(id, signal);
      if (known !== undefined || addr === undefined) return known;
      return (await at.matching(addrKey(addr), { asOf }, signal))[0];
    },
    matching: async ({ metadata, asOf }, signal) => await at.matching(metadataKey(metadata), { asOf }, signal),
    change: at.change,
    remove: at.remove,
  };
}

const shape: Shape<RemoteAddress, AddressBody, AddressBody> = {
  path: "/reserved_addrs",
  field: "reserved_addrs",
  keys: ({ addr, metadata }) => [addrKey(addr), metadataKey(metadata)],
  create: patch,
  update: patch,
  read: (of, id) => ({
    id,
    uri: text(of, "uri"),
    addr: text(of, "addr"),
    description: text(of, "description"),
    metadata: text(of, "metadata"),
    region: text(of, "region"),
    createdAt: maybe(of, "created_at"),
  }),
};

function patch({ description, metadata }: AddressBody): object {
  return { description, metadata };
}

function addrKey(addr: string): string {
  return `addr ${addr.toLowerCase()}`;
}

function metadataKey(metadata: string): string {
  return `metadata ${metadata}`;
}
