// A file as the API server would have stored it: an HTTPRoute that leaves a field out becomes what it becomes when it is written.
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { aGateway, aGatewayClass, anHTTPRoute } from "#test/support/builders.ts";
import { gatewayOptions, shop, toldIn } from "#test/support/gateway-ground.ts";
import { index } from "../../translate/manifests.ts";
import type { Translation } from "../../translate/model.ts";
import { translateAll } from "../../translate/translate.ts";
import { readManifests } from "./read-manifests.ts";

const backendRefs = [{ name: "shop", port: 80 }];
const everyPath = [{ path: { type: "PathPrefix", value: "/" } }];

function translated(spec: object): Translation {
  // The builder's own rules would stand in for what is left out.
  const route = { ...anHTTPRoute(), spec: { parentRefs: [{ name: "edge" }], ...spec } };
  const text = [aGatewayClass(), aGateway(), shop(), route].map((one) => stringify(one)).join("---\n");
  const { objects, refused } = readManifests([{ name: "a", text }]);
  expect(refused).toEqual([]);
  return translateAll(index(objects), gatewayOptions);
}

test.for([
  ["no matches", { rules: [{ backendRefs }] }, { rules: [{ matches: everyPath, backendRefs }] }],
  ["matches: null", { rules: [{ matches: null, backendRefs }] }, { rules: [{ matches: everyPath, backendRefs }] }],
  ["no rules", {}, { rules: [{ matches: everyPath }] }],
] as const)("a route with %s is one for every path", ([, left, written], { expect }) => {
  const found = translated(left);
  expect(found.problems).toEqual([]);
  expect(found.endpoints).toHaveLength(1);
  expect(found).toEqual(translated(written));
});

test("a list that is written empty is no field that is left out: it stays, and is told of", () => {
  const { endpoints, problems } = translated({ rules: [{ matches: [], backendRefs }] });
  expect(endpoints).toEqual([]);
  expect(toldIn(problems)).toEqual([expect.stringContaining("spec.rules[0].matches: is empty")]);
});

test.for(["x", ["x"], {}])("rules that are %j are read without harm", (rules, { expect }) => {
  expect(() => readManifests([{ name: "a", text: stringify({ ...anHTTPRoute(), spec: { rules } }) }])).not.toThrow();
});
