// The URL of an endpoint and the binding it takes, by ngrok's rules.
import { invalidScheme, invalidUrl, missingPort, wrongField } from "./errors.ts";

export interface Place {
  /** As given; a bare host gets `https://`. */
  readonly url: string;
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  /** What has to be reserved for it: the host, or host and port of a TCP address. */
  readonly reservable: string;
}

const defaultPorts: Readonly<Record<string, number>> = { http: 80, https: 443, tls: 443 };

/** Throws ApiError 400. */
export function placeOf(given: string): Place {
  const url = given.includes("://") ? given : `https://${given}`;
  const scheme = url.slice(0, url.indexOf("://")).toLowerCase();
  if (scheme !== "tcp" && defaultPorts[scheme] === undefined) throw invalidScheme();
  // Under http the parser would drop a port 80 that tcp needs to see.
  const parsed = URL.parse(`other${url.slice(url.indexOf("://"))}`);
  if (parsed === null || parsed.hostname === "" || parsed.username !== "") throw invalidUrl();
  if (parsed.pathname.length > 1 || parsed.search !== "" || parsed.hash !== "") throw invalidUrl();
  const port = parsed.port === "" ? defaultPorts[scheme] : Number(parsed.port);
  if (port === undefined || port === 0) throw missingPort();
  const host = parsed.hostname.toLowerCase();
  return { url, scheme, host, port, reservable: scheme === "tcp" ? `${host}:${port}` : host };
}

const known = new Set(["public", "internal", "kubernetes"]);

/** The one binding of an endpoint: as wished, else `internal` for hosts under `.internal` and `public` for the rest. */
export function bindingOf(wished: readonly string[], place: Place): string {
  if (wished.length > 1) throw wrongField("bindings", "at most one is supported");
  const internal = place.host.endsWith(".internal");
  const binding = wished[0] ?? (internal ? "internal" : "public");
  if (!known.has(binding)) throw wrongField("bindings", `'${binding}' is not public, internal or kubernetes`);
  if (internal !== (binding === "internal")) {
    throw wrongField("bindings", "internal endpoints, and only they, have a host under .internal");
  }
  return binding;
}

/** Endpoints with the same key share a URL and must pool. */
export const keyOf = (place: Place, binding: string) => `${binding} ${place.scheme}://${place.host}:${place.port}`;
