// Names of objects and the parts of endpoint URLs. The hash is the one thing of Node that api/ may use.
import { createHash } from "node:crypto";

const LABEL_LIMIT = 63;
const NAME_LIMIT = 253;
const HASH_LENGTH = 8;

/** The first hex digits of the SHA-256 of `text`: the same text gives the same digits everywhere. */
export function shortHash(text: string, digits: number = HASH_LENGTH): string {
  return createHash("sha256").update(text).digest("hex").slice(0, digits);
}

/**
 * The name of the Domain object for a host: `*.example.com` gives `wildcard-example-com`.
 * Two hosts can share one (a.b.com, a-b.com): who finds the name taken by another host uses distinctDomainName.
 */
export function domainName(host: string): string {
  return kubernetesName(host.toLowerCase().replaceAll("*", "wildcard").replaceAll(".", "-"), NAME_LIMIT);
}

/** The name of the Domain object for a host whose plain name is taken: the plain one and a hash of the host. */
export function distinctDomainName(host: string): string {
  return withHash(domainName(host), host.toLowerCase(), NAME_LIMIT);
}

/**
 * A name that Kubernetes accepts for an object (RFC 1123 subdomain of at most `limit` characters), made from any text.
 * What had to be cut ends in a hash of the whole name, so that long texts keep names of their own.
 */
export function kubernetesName(text: string, limit: number = LABEL_LIMIT): string {
  const name = text
    .replaceAll("*", "wildcard")
    .toLowerCase()
    .replaceAll(/[^a-z0-9.-]+/g, "-")
    .replaceAll(/[.-]*\.[.-]*/g, ".")
    .replaceAll(/^[.-]+|[.-]+$/g, "");
  if (name === "") return "default";
  return name.length <= limit ? name : withHash(name, name, limit);
}

/** The name for something whose plain name is taken: as much of the plain one as fits, and a hash of what tells the two apart. */
export function distinctName(name: string, by: string): string {
  return withHash(name, by, LABEL_LIMIT);
}

/** RFC 9562's namespace for URLs. */
const URL_NAMESPACE = "6ba7b8119dad11d180b400c04fd430c8";

/** The name of the BoundEndpoint of an address: `ngrok-` and the UUID (version 5, of URLs) of `endpointURL` as its spec has it. */
export function boundEndpointName(endpointURL: string): string {
  const bytes = createHash("sha1")
    .update(Buffer.from(URL_NAMESPACE, "hex"))
    .update(endpointURL)
    .digest()
    .subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return `ngrok-${bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")}`;
}

function withHash(name: string, hashed: string, limit: number): string {
  // A dash at the cut may stay, a dot may not: no part of a name ends in a dash.
  return `${name.slice(0, limit - HASH_LENGTH - 1).replace(/-*\.$/, "")}-${shortHash(hashed)}`;
}

export type EndpointScheme = "http" | "https" | "tcp" | "tls";

/** The parts of an endpoint's URL; the host is in lower case and may begin with `*.`. */
export interface EndpointUrl {
  readonly scheme: EndpointScheme;
  readonly host: string;
  readonly port: number;
}

const defaultPorts: Readonly<Record<EndpointScheme, number | undefined>> = {
  http: 80,
  https: 443,
  tls: 443,
  tcp: undefined,
};

function isScheme(text: string): text is EndpointScheme {
  return Object.hasOwn(defaultPorts, text);
}

/**
 * Takes `spec.url` of an endpoint apart. `problem` is a sentence that names the remedy; the caller names object and field.
 * A missing scheme means http; a path is ngrok's to judge and left out here. The ports of tls:// are not limited.
 */
export function parseEndpointUrl(given: string): { readonly url: EndpointUrl } | { readonly problem: string } {
  const text = given.trim();
  if (text === "") return { problem: "the URL is empty: write one like https://app.example.com" };
  const separator = text.indexOf("://");
  const scheme = separator < 0 ? "http" : text.slice(0, separator).toLowerCase();
  if (!isScheme(scheme)) {
    return { problem: `the scheme of ${quoted(text)} is not known: use https://, http://, tls:// or tcp://` };
  }
  const authority = text.slice(separator < 0 ? 0 : separator + 3).replace(/[/?#].*$/s, "");
  // What stands before an @ may be a password: it is not quoted.
  if (authority.includes("@"))
    return { problem: "the URL carries a user name or password: remove what stands before the @" };
  return parseAuthority(text, scheme, authority);
}

function parseAuthority(
  text: string,
  scheme: EndpointScheme,
  authority: string,
): { url: EndpointUrl } | { problem: string } {
  const colon = authority.indexOf(":");
  const host = (colon < 0 ? authority : authority.slice(0, colon)).toLowerCase();
  if (host === "") {
    return {
      problem: `${quoted(text)} names no host: write one like ${scheme === "tcp" ? "tcp://1.tcp.ngrok.io:12345" : `${scheme}://app.example.com`}`,
    };
  }
  if (!isHost(host)) {
    return {
      problem: `the host of ${quoted(text)} is not a host name: use letters, digits, - and dots, such as app.example.com or *.example.com`,
    };
  }
  if (colon < 0) {
    const port = defaultPorts[scheme];
    if (port === undefined) return { problem: `${quoted(text)} names no port: write ${scheme}://${host}:<port>` };
    return { url: { scheme, host, port } };
  }
  const port = portOf(authority.slice(colon + 1));
  if (port === undefined) return { problem: `the port of ${quoted(text)} is not valid: use a number from 1 to 65535` };
  return { url: { scheme, host, port } };
}

function portOf(text: string): number | undefined {
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : undefined;
}

/**
 * A host name as ngrok serves them: labels of letters, digits, `-` and `_`, the first one may be `*`. Internal ones are
 * never asked of a name server, so the length of their labels is free: those of Services need it.
 */
export function isHost(host: string): boolean {
  if (host.length > NAME_LIMIT) return false;
  if (isInternalHost(host)) return /^(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(host) && !host.includes("..");
  return /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/.test(host);
}

/** Long texts are cut: an error message has to fit into a condition. */
function quoted(text: string): string {
  return JSON.stringify(text.length <= 100 ? text : `${text.slice(0, 100)}...`);
}

/** Whether a host is served to other endpoints of the account only, and so needs no reservation. */
export function isInternalHost(host: string): boolean {
  return host.toLowerCase().endsWith(".internal");
}

/** Whether a host is that of an address that ngrok reserves for TCP, such as `1.tcp.ngrok.io` or `0.tcp.eu.ngrok.io`. */
export function isTcpAddress(host: string): boolean {
  return /^\d+\.tcp\.([a-z0-9-]+\.)*ngrok\.io$/i.test(host);
}
