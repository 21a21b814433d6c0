// A look-up of a name that ends when it is told to: getaddrinfo holds a thread, and with it the end of the process, until DNS
// has answered or 20 s are over.
import { promises as dns } from "node:dns";
import { readFile } from "node:fs/promises";
import type { LookupFunction } from "node:net";
import { asError } from "./errors.ts";

/** What of getaddrinfo's configuration names of the cluster need. */
interface Resolving {
  /** Domains that are tried in this order after a name that is not found. */
  readonly search: readonly string[];
  /** Of more dots a name is tried as it is first. */
  readonly ndots: number;
}

/** @param text of resolv.conf(5); its last `search` line counts. */
export function resolvingOf(text: string): Resolving {
  const last = (pattern: RegExp): string => [...text.matchAll(pattern)].at(-1)?.[1] ?? "";
  const ndots = last(/^options\b.*\bndots:(\d+)/gm);
  return {
    search: last(/^(?:search|domain)[ \t]+(.*)$/gm)
      .split(/\s+/)
      .filter(Boolean),
    ndots: ndots === "" ? 1 : Number(ndots),
  };
}

/** In the order of resolv.conf(5). */
export function namesToTry(host: string, { search, ndots }: Resolving): readonly string[] {
  if (host.endsWith(".")) return [host];
  const within = search.map((domain) => `${host}.${domain}`);
  const dots = host.split(".").length - 1;
  return dots >= ndots ? [host, ...within] : [...within, host];
}

export interface Lookup {
  /** For `connect()`: the addresses of a name, by DNS alone and without /etc/hosts. */
  readonly lookup: LookupFunction;
  /** Ends what is under way, at once. */
  readonly cancel: () => void;
}

/** @param servers of DNS, `address:port`; default: those of resolv.conf. */
export function cancellableLookup(servers?: readonly string[], configuration = "/etc/resolv.conf"): Lookup {
  const resolver = new dns.Resolver();
  if (servers !== undefined) resolver.setServers(servers);
  const addressesOf = async (host: string): Promise<readonly Address[] | NodeJS.ErrnoException> => {
    try {
      const resolving = resolvingOf(await readFile(configuration, "utf8").catch(() => ""));
      return await firstOf(resolver, namesToTry(host, resolving));
    } catch (error) {
      return said(error);
    }
  };
  const answer = async (...[host, { all }, done]: Parameters<LookupFunction>): Promise<void> => {
    const found = await addressesOf(host);
    if (found instanceof Error) done(found, "");
    else if (all === true) done(null, [...found]);
    else done(null, found[0]?.address ?? "", found[0]?.family);
  };
  return { lookup: (...asked) => void answer(...asked), cancel: () => resolver.cancel() };
}

interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}

async function firstOf(resolver: dns.Resolver, names: readonly string[]): Promise<readonly Address[]> {
  let failure: unknown;
  for (const name of names) {
    const [v4, v6] = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
    const found = [
      ...(v4.status === "fulfilled" ? v4.value : []).map((address): Address => ({ address, family: 4 })),
      ...(v6.status === "fulfilled" ? v6.value : []).map((address): Address => ({ address, family: 6 })),
    ];
    if (found.length > 0) return found;
    failure = v4.status === "rejected" ? v4.reason : undefined;
    // A server that says nothing says nothing of the next name either.
    if (!isNotFound(failure)) break;
  }
  throw failure;
}

/** In getaddrinfo's codes: of DNS "connection refused" would read as if the host had refused. */
function said(error: unknown): NodeJS.ErrnoException {
  return Object.assign(asError(error), { code: isNotFound(error) ? "ENOTFOUND" : "EAI_AGAIN" });
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOTFOUND" || error.code === "ENODATA");
}
