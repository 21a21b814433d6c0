// RequestRedirect and URLRewrite as regular expression and replacement: ngrok rewrites whole URLs, Gateway API parts of one.
import type { HttpRouteFilter, PathModifier } from "#kube/routing-objects.ts";
import type { Action } from "../policy.ts";
import type { PathMatch } from "./matches.ts";
import { quoted } from "./view.ts";

export type Redirect = NonNullable<HttpRouteFilter["requestRedirect"]>;
export type Rewrite = NonNullable<HttpRouteFilter["urlRewrite"]>;

/** What could not be made; `field` from the filter on, with its dot. */
export interface Unmade {
  readonly field: string;
  readonly reason: string;
}

const DEFAULT_STATUS = 302;

export function redirectAction(redirect: Redirect, path: PathMatch): Action | Unmade {
  const { scheme, hostname, port, statusCode } = redirect;
  const parts = pathParts(redirect.path);
  if ("reason" in parts) return parts;
  const host = hostPart(hostname);
  if ("reason" in host) return host;
  const to = [
    scheme === undefined ? "$1://" : `${scheme}://`,
    host.text,
    port === undefined || (scheme === "http" && port === 80) ? "$3" : `:${port}`,
    ...parts.text,
  ].join("");
  return { type: "redirect", config: { from: fromPattern(path), to, status_code: statusCode ?? DEFAULT_STATUS } };
}

export function rewriteAction({ hostname, path: modifier }: Rewrite, path: PathMatch): Action | Unmade {
  if (hostname === undefined && modifier === undefined)
    return { field: "", reason: "rewrites nothing: write hostname or path" };
  const parts = pathParts(modifier);
  if ("reason" in parts) return parts;
  const host = hostPart(hostname);
  if ("reason" in host) return host;
  const to = ["$1://", host.text, "$3", ...parts.text].join("");
  return { type: "url-rewrite", config: { from: fromPattern(path), to } };
}

/** A prefix is replaced as the text that it is, with one slash too many or too few where only one of the two ends in one. */
export function tellOfSlashes(
  { type, requestRedirect, urlRewrite }: HttpRouteFilter,
  { type: matched, value }: PathMatch,
  tell: (field: string, reason: string) => void,
): void {
  const [name, filter] =
    type === "URLRewrite" ? ["urlRewrite", urlRewrite] : (["requestRedirect", requestRedirect] as const);
  const to = filter?.path?.type === "ReplacePrefixMatch" ? filter.path.replacePrefixMatch : undefined;
  if (to === undefined || matched !== "prefix" || value.endsWith("/") === to.endsWith("/")) return;
  const asked = `${value.replace(/\/$/, "")}/x`;
  const becomes = `${to}${asked.slice(value.length)}`;
  const reason = `is put in place of ${quoted(value)} as it is, so that ${asked} becomes ${becomes}: end both with a /, or neither`;
  tell(`.${name}.path.replacePrefixMatch`, reason);
}

/** Groups 1 to 5: scheme, host, port with its colon, what the route matched of the path, what follows. */
function fromPattern({ type, value }: PathMatch): string {
  const literal = type === "regex" ? value : value.replaceAll(/[\\^$*+?()[\]{}|]/g, String.raw`\$&`);
  const path = literal.replaceAll("/", String.raw`\/`);
  return String.raw`^(?P<scheme>[a-zA-Z][a-zA-Z0-9+\-.]*):\/\/(?P<hostname>[^\/:]+)(?P<port>:\d+)?(?P<prefix>${path})(?P<remaining>.*)$`;
}

function hostPart(hostname: string | undefined): { readonly text: string } | Unmade {
  if (hostname?.includes("$") !== true) return { text: hostname ?? "$2" };
  return {
    field: ".hostname",
    reason: `${quoted(hostname)} holds a $, which no host name has: write one like app.example.com`,
  };
}

function pathParts(modifier: PathModifier | undefined): { readonly text: readonly [string, string] } | Unmade {
  if (modifier === undefined) return { text: ["$4", "$5"] };
  switch (modifier.type) {
    case "ReplacePrefixMatch":
      return partOf("replacePrefixMatch", modifier.replacePrefixMatch, (value) => [value, "$5"]);
    case "ReplaceFullPath":
      return partOf("replaceFullPath", modifier.replaceFullPath, (value) => ["", value]);
    default:
      return {
        field: ".path.type",
        reason: `${quoted(modifier.type)} is not known: write ReplaceFullPath or ReplacePrefixMatch`,
      };
  }
}

function partOf(
  name: string,
  value: string | undefined,
  place: (value: string) => readonly [string, string],
): { readonly text: readonly [string, string] } | Unmade {
  if (value === undefined) return { field: `.path.${name}`, reason: "is missing: write the new path" };
  // In a replacement a $ names a group, so that the path would become another one than is written.
  if (value.includes("$")) return { field: `.path.${name}`, reason: `${quoted(value)} holds a $: write it as %24` };
  return { text: place(value) };
}
