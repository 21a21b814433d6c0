// How people write the addresses of an endpoint and of its upstream, and what an agent makes of them. Pure.
import { KnownError } from "#wire/errors.ts";
import { code } from "./errors.ts";

const protocols = ["http", "https", "tcp", "tls"] as const;
export type Proto = (typeof protocols)[number];

/** Where ngrok is to listen: "" for a place of ngrok's choice, else `host` or `host:port`. */
export interface Place {
  readonly proto: Proto;
  readonly place: string;
}

export interface UpstreamAddress {
  readonly proto: Proto;
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

const defaultPorts: Readonly<Record<Proto, number | undefined>> = { http: 80, https: 443, tls: 443, tcp: undefined };

/** Throws KnownError invalid for what is no such address. */
export function placeOf(url: string): Place {
  const { proto, rest } = split(url, "https");
  if (proto === undefined) throw invalid("url", url, "its scheme is not http, https, tcp or tls");
  if (rest === "") return { proto, place: "" };
  const parsed = parse(rest);
  if (parsed === undefined)
    throw invalid("url", url, "write a scheme and a host, such as https://app.example.com, and no path");
  const port = parsed.port === "" || Number(parsed.port) === defaultPorts[proto] ? "" : `:${parsed.port}`;
  return { proto, place: `${parsed.hostname}${port}` };
}

/**
 * Where an endpoint may be, in the order in which it is asked for: what leaves the host to ngrok would have a new one each
 * time, and `had` is the one that people know. Throws KnownError invalid for a `url` that is no such address.
 */
export function placesOf(url: string, had: string | undefined): readonly [Place, ...Place[]] {
  const place = placeOf(url);
  if (place.place !== "" || had === undefined || had === "") return [place];
  try {
    const before = placeOf(had);
    return before.proto === place.proto ? [before, place] : [place];
  } catch {
    return [place];
  }
}

/** Throws KnownError invalid for what is no such address. */
export function upstreamOf(url: string): UpstreamAddress {
  if (/^[0-9]+$/.test(url)) return { proto: "http", host: "localhost", port: portOf(url, url) };
  const { proto, rest } = split(url, "http");
  if (proto === undefined) throw invalid("upstream.url", url, "its scheme is not http, https, tcp or tls");
  const parsed = parse(rest === "" || rest.startsWith(":") ? `localhost${rest}` : rest);
  if (parsed === undefined)
    throw invalid(
      "upstream.url",
      url,
      "write a scheme, a host and a port, such as http://web.shop.svc:8080, and no path",
    );
  const port = parsed.port === "" ? defaultPorts[proto] : portOf(parsed.port, url);
  if (port === undefined) throw invalid("upstream.url", url, "a tcp upstream needs a port");
  return { proto, host: parsed.hostname.replace(/^\[|\]$/g, ""), port };
}

/** `http://web.shop.svc:8080`, as the SDK takes it. */
export function upstreamUrl({ proto, host, port }: UpstreamAddress): string {
  return `${proto}://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function split(url: string, proto: Proto): { readonly proto: Proto | undefined; readonly rest: string } {
  const match = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(url.trim());
  if (match === null) return { proto, rest: url.trim() };
  const scheme = match[1]?.toLowerCase();
  return { proto: protocols.find((one) => one === scheme), rest: (match[2] ?? "").replace(/\/$/, "") };
}

function parse(place: string): URL | undefined {
  // Of a scheme that URL does not know, so that no port is a default one.
  const url = URL.parse(`place://${place.replace(/\/$/, "")}`);
  if (
    url === null ||
    url.hostname === "" ||
    `${url.username}${url.password}${url.pathname}${url.search}${url.hash}` !== ""
  )
    return undefined;
  return url;
}

function portOf(text: string, url: string): number {
  const port = Number(text);
  if (port < 1 || port > 65_535) throw invalid("upstream.url", url, "a port is from 1 to 65535");
  return port;
}

function invalid(field: string, url: string, why: string): KnownError {
  return new KnownError("invalid", `spec.${field} ${JSON.stringify(url)}: ${why}`, { code: code.configuration });
}
