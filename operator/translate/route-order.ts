// The order in which the routes of a host are tried: what says more comes first.
import { compareText } from "./manifests.ts";
import type { HttpMatch, NamedMatch, Route } from "./model.ts";

/** Sorted; routes that say the same keep their order. */
export function sortRoutes(routes: readonly Route[]): Route[] {
  return routes.toSorted((a, b) => compareMatches(a.httpMatch, b.httpMatch));
}

const PATH_TYPES: readonly HttpMatch["pathType"][] = ["exact", "prefix", "regex"];

function compareMatches(a: HttpMatch | undefined, b: HttpMatch | undefined): number {
  if (a === undefined || b === undefined) return presentFirst(a, b);
  return (
    comparePaths(a, b) ||
    compareNamed(a.headers, b.headers) ||
    compareNamed(a.queryParams, b.queryParams) ||
    presentFirst(a.method, b.method) ||
    compareText(a.method ?? "", b.method ?? "")
  );
}

function comparePaths(a: HttpMatch, b: HttpMatch): number {
  if (a.path === undefined || b.path === undefined) return presentFirst(a.path, b.path);
  return (
    PATH_TYPES.indexOf(a.pathType) - PATH_TYPES.indexOf(b.pathType) ||
    b.path.length - a.path.length ||
    compareText(a.path, b.path)
  );
}

function compareNamed(a: readonly NamedMatch[], b: readonly NamedMatch[]): number {
  if (a.length === 0 || b.length === 0) return Number(a.length === 0) - Number(b.length === 0);
  return compareText(normalized(a), normalized(b));
}

/** The same for the same matches in another order. */
function normalized(matches: readonly NamedMatch[]): string {
  return matches
    .map(({ name, value }) => `${name}=${value}`)
    .toSorted(compareText)
    .join(",");
}

function presentFirst(a: unknown, b: unknown): number {
  return Number(a === undefined) - Number(b === undefined);
}
