// docs/gateway-api.md promises what its examples become.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { became, docExamples } from "#test/support/doc-examples.ts";
import { gatewayOptions } from "#test/support/gateway-ground.ts";
import { index } from "../manifests.ts";
import { translate } from "../translate.ts";

const examples = docExamples(readFileSync("docs/gateway-api.md", "utf8"));
const standing = examples.find(({ name }) => name === "class")?.objects ?? [];

test("the page has an example of every kind", () => {
  const kinds = new Set(examples.flatMap(({ objects }) => objects.map(({ kind }) => kind)));
  expect([...kinds]).toEqual(
    expect.arrayContaining(["GatewayClass", "Gateway", "HTTPRoute", "TCPRoute", "TLSRoute", "ReferenceGrant"]),
  );
});

test.for(examples)("the example $name becomes what the page says", ({ objects, promised }) => {
  const translation = translate(index([...standing, ...objects]), gatewayOptions);
  expect(translation.problems).toEqual([]);
  expect(became(translation)).toEqual(promised);
});
