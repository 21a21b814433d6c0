// Which name somebody meant who mistyped it.
import { expect, test } from "vitest";
import { nearest } from "./nearest.ts";

const NAMES = ["bindings", "mapping-strategy", "metadata", "traffic-policy", "url"] as const;

test.for([
  ["traffic-polcy", "traffic-policy"],
  ["traffic-policies", "traffic-policy"],
  ["trafficPolicy", "traffic-policy"],
  ["binding", "bindings"],
  ["bindigns", "bindings"],
  ["uri", "url"],
  ["url", "url"],
] as const)("%s was to be %s", ([given, meant]) => {
  expect(nearest(given, NAMES)).toBe(meant);
});

test.for(["modules", "domain", "", "u", "policy", "x".repeat(63)])("%j was to be none of them", (given) => {
  expect(nearest(given, NAMES)).toBeUndefined();
});

test("of two that are near the nearer one is meant", () => {
  expect(nearest("computed-urls", ["computed-urn-s", "computed-url"])).toBe("computed-url");
});
