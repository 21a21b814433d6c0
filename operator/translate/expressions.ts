// What a route matches, as expressions of a traffic policy. Text of users only ever becomes the content of a CEL string.
import type { HttpMatch, NamedMatch } from "./model.ts";

/** Where the parts of a request are read from. */
export interface RequestParts {
  readonly path: string;
  readonly headers: string;
  readonly queryParams: string;
}

export const LIVE: RequestParts = {
  path: "req.url.path",
  headers: "req.headers",
  queryParams: "req.url.query_params",
};

/** As the request was before any rule of a route changed it; see CAPTURE. */
export const CAPTURED: RequestParts = {
  path: "vars.original_path",
  headers: "vars.original_headers.decodeJson()",
  queryParams: "vars.original_query_params.decodeJson()",
};

/** The variables that CAPTURED reads. */
export const CAPTURE: readonly Readonly<Record<string, string>>[] = [
  { original_path: "${req.url.path}" },
  { original_headers: "${req.headers.encodeJson()}" },
  { original_query_params: "${req.url.query_params.encodeJson()}" },
];

/** All must hold. */
export function matchExpressions(match: HttpMatch | undefined, parts: RequestParts): string[] {
  if (match === undefined) return [];
  const { path, pathType, headers, queryParams, method } = match;
  return [
    ...(path === undefined ? [] : [pathExpression(path, pathType, parts.path)]),
    ...headers.map((one) => namedExpression(one, parts.headers)),
    ...queryParams.map((one) => namedExpression(one, parts.queryParams)),
    ...(method === undefined ? [] : [`req.method == ${celString(method)}`]),
  ];
}

/** A regular expression is compared as a prefix too: so it has always been written (docs/decisions/translation.md). */
function pathExpression(path: string, type: HttpMatch["pathType"], part: string): string {
  return type === "exact" ? `${part} == ${celString(path)}` : `${part}.startsWith(${celString(path)})`;
}

/** Told of a path that is written as one. `prefix`: what the kind of its object calls a plain beginning. */
export function comparedPlainly(prefix: "Prefix" | "PathPrefix"): string {
  return `a regular expression of a path is compared as the plain beginning of it, as it has always been: write ${prefix}, or Exact for each path`;
}

function namedExpression({ name, value, type }: NamedMatch, part: string): string {
  const key = celString(name);
  const joined = `${part}[${key}].join(',')`;
  const compared = type === "regex" ? `${joined}.matches(${celString(value)})` : `${joined} == ${celString(value)}`;
  return `${part}.exists_one(x, x == ${key}) && ${compared}`;
}

/** A CEL string literal that means exactly `text`. */
export function celString(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what a literal may not hold
  return `'${text.toWellFormed().replaceAll(/[\\'\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, escaped)}'`;
}

function escaped(character: string): string {
  if (character === "\\" || character === "'") return `\\${character}`;
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
