// docs/ingress.md promises what its examples become.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { became, docExamples } from "#test/support/doc-examples.ts";
import { OPTIONS } from "#test/support/translating.ts";
import { index } from "./manifests.ts";
import { translate } from "./translate.ts";

const examples = docExamples(readFileSync("docs/ingress.md", "utf8"));
const standing = examples.find(({ name }) => name === "class")?.objects ?? [];

test("the page has an example for each of its headings", () => {
  expect(examples.map(({ name }) => name)).toEqual(["class", "one", "several", "verbose", "merged"]);
});

test.for(examples)("the example $name becomes what the page says", ({ objects, promised }) => {
  const translation = translate(index([...standing, ...objects]), OPTIONS);
  expect(translation.problems).toEqual([]);
  expect(became(translation)).toEqual(promised);
});
