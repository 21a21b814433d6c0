// Which of two routes is tried first.
import fc from "fast-check";
import { expect, test } from "vitest";
import type { HttpMatch, NamedMatch, Route } from "./model.ts";
import { sortRoutes } from "./route-order.ts";

function route(match: Partial<HttpMatch> | undefined): Route {
  return {
    ...(match !== undefined && { httpMatch: { headers: [], queryParams: [], ...match } }),
    trafficPolicies: [],
    destinations: [],
  };
}

const named = (name: string, value: string): NamedMatch => ({ name, value, type: "exact" });

/** Each is tried before the next. */
const ORDER: readonly (Partial<HttpMatch> | undefined)[] = [
  { path: "/aa", pathType: "exact" },
  { path: "/a", pathType: "exact" },
  { path: "/b", pathType: "exact" },
  { path: "/long", pathType: "prefix", headers: [named("a", "1")] },
  { path: "/long", pathType: "prefix", headers: [named("b", "1")] },
  { path: "/long", pathType: "prefix", queryParams: [named("a", "1")] },
  { path: "/long", pathType: "prefix", queryParams: [named("b", "1")] },
  { path: "/long", pathType: "prefix", method: "GET" },
  { path: "/long", pathType: "prefix", method: "POST" },
  { path: "/long", pathType: "prefix" },
  { path: "/", pathType: "prefix" },
  { path: "/longest.*", pathType: "regex" },
  { headers: [named("a", "1")] },
  { method: "GET" },
  {},
  undefined,
];

test("what says more comes first, whatever order the routes were written in", () => {
  const sorted = ORDER.map(route);
  fc.assert(
    fc.property(fc.shuffledSubarray(sorted, { minLength: sorted.length }), (shuffled) => {
      expect(sortRoutes(shuffled)).toEqual(sorted);
    }),
  );
});

test("of two that say the same the first that was written comes first, and headers may be written in any order", () => {
  const [a, b] = [named("a", "1"), named("b", "2")];
  const first = { ...route({ headers: [a, b] }), trafficPolicies: [] };
  const second = route({ headers: [b, a] });
  expect(sortRoutes([first, second])[0]).toBe(first);
  expect(sortRoutes([second, first])[0]).toBe(second);
});

test("of equal paths the text of the headers decides, not their number, and the method comes last", () => {
  const at = (match: Partial<HttpMatch>): Route => route({ path: "/", pathType: "prefix", ...match });
  const [beta, env, team] = [named("x-beta", "1"), named("x-env", "prod"), named("x-team", "a")];
  const sorted = [
    at({ headers: [beta, env] }),
    at({ headers: [env] }),
    at({ headers: [env, team] }),
    at({ queryParams: [named("a", "1")] }),
    at({ method: "GET" }),
  ];
  expect(sortRoutes(sorted.toReversed())).toEqual(sorted);
});
