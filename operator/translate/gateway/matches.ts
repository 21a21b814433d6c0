// A match of an HTTPRoute rule, in the model's words.
import type { HttpRouteMatch, ValueMatch } from "#kube/routing-objects.ts";
import { comparedPlainly } from "../expressions.ts";
import type { HttpMatch, NamedMatch } from "../model.ts";
import { quoted, type Tell } from "./view.ts";

export interface PathMatch {
  readonly type: "exact" | "prefix" | "regex";
  readonly value: string;
}

const PATH_TYPES: Readonly<Record<string, PathMatch["type"]>> = {
  Exact: "exact",
  PathPrefix: "prefix",
  RegularExpression: "regex",
};

const VALUE_TYPES: Readonly<Record<string, NamedMatch["type"]>> = { Exact: "exact", RegularExpression: "regex" };

export interface Matched {
  readonly path: PathMatch;
  readonly match: HttpMatch;
}

/** undefined when the match cannot be had: a rule without a part of its conditions would serve more than it says. */
export function matchOf(given: HttpRouteMatch, field: string, tell: Tell): Matched | undefined {
  const path = pathOf(given, `${field}.path.type`, tell);
  const headers = valuesOf(given.headers, `${field}.headers`, tell);
  const queryParams = valuesOf(given.queryParams, `${field}.queryParams`, tell);
  if (path === undefined || headers === undefined || queryParams === undefined) return undefined;
  const { method } = given;
  const match: HttpMatch = {
    path: path.value,
    pathType: path.type,
    headers,
    queryParams,
    ...(method !== undefined && method !== "" && { method: method.toUpperCase() }),
  };
  return { path, match };
}

function pathOf({ path }: HttpRouteMatch, field: string, tell: Tell): PathMatch | undefined {
  const given = path?.type ?? "PathPrefix";
  const type = Object.hasOwn(PATH_TYPES, given) ? PATH_TYPES[given] : undefined;
  if (type === "regex") tell(field, comparedPlainly("PathPrefix"), "ignored");
  if (type !== undefined) return { type, value: path?.value ?? "/" };
  tell(field, `${quoted(given)} is not known: write Exact, PathPrefix or RegularExpression`);
  return undefined;
}

/** Earlier releases pasted values into an expression, which took a backslash away where two stood. */
const DOUBLED =
  "two backslashes are compared as two, where earlier releases made one of them: write one, unless two are meant";

function valuesOf(given: readonly ValueMatch[] | undefined, field: string, tell: Tell): NamedMatch[] | undefined {
  const values: NamedMatch[] = [];
  for (const [at, { type: said = "Exact", name, value }] of (given ?? []).entries()) {
    const type = Object.hasOwn(VALUE_TYPES, said) ? VALUE_TYPES[said] : undefined;
    if (type === undefined) {
      tell(`${field}[${at}].type`, `${quoted(said)} is not known: write Exact or RegularExpression`);
      return undefined;
    }
    if (value.includes("\\\\")) tell(`${field}[${at}].value`, DOUBLED, "ignored");
    values.push({ name, value, type });
  }
  return values;
}
