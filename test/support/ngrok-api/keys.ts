// Which API keys the stand-in takes, and what each of them may do.
import { missingKey, notAllowed, unreadableKey, wrongKey } from "./errors.ts";

/** `no-delete` may do all but DELETE, `read` only GET. */
export type Rights = "all" | "no-delete" | "read";

export class Keys {
  readonly #rights: Map<string, Rights> | undefined;
  readonly #wrongStatus: number;

  /** Without keys every key is good. `wrongStatus` is what a key that is not known gets (ngrok: 403). */
  constructor(keys: readonly string[] | Readonly<Record<string, Rights>> | undefined, wrongStatus: number) {
    if (keys) this.#rights = new Map(isList(keys) ? keys.map((key) => [key, "all"]) : Object.entries(keys));
    this.#wrongStatus = wrongStatus;
  }

  /** Adds a key or changes what it may do. */
  allow(key: string, rights: Rights): void {
    if (!this.#rights) throw new Error("this stand-in takes every key; start it with keys to give them rights");
    this.#rights.set(key, rights);
  }

  revoke(key: string): void {
    if (!this.#rights) throw new Error("this stand-in takes every key; start it with keys to revoke one");
    this.#rights.delete(key);
  }

  /** Throws the ApiError that a request with this header gets, if any. */
  check(authorization: string | undefined, method: string): void {
    if (authorization === undefined || authorization === "") throw missingKey();
    const key = authorization.startsWith("Bearer ") ? authorization.slice(7).trim() : "";
    if (key === "") throw unreadableKey();
    const rights = this.#rights ? this.#rights.get(key) : "all";
    if (rights === undefined) throw wrongKey(this.#wrongStatus, key);
    const refused = rights === "read" ? method !== "GET" : rights === "no-delete" && method === "DELETE";
    if (refused) throw notAllowed(method);
  }
}

function isList(keys: readonly string[] | Readonly<Record<string, Rights>>): keys is readonly string[] {
  return Array.isArray(keys);
}
