// What the product tells people to type does what it says wherever they stand.
import { expect, test } from "vitest";
import { PRODUCT, sourceFiles } from "./graph.ts";

/** Each acts on objects of one namespace: of the current one, which may be anybody's, where none is named. */
const WITHOUT_NAMESPACE =
  /kubectl (?:rollout|delete|patch|annotate|label|scale|edit|exec|logs|create (?:secret|configmap)) .*/g;

test("a command for objects of a namespace names the namespace", () => {
  const found = sourceFiles()
    .filter(({ path }) => PRODUCT.some((part) => path.startsWith(`${part}/`)) && !path.endsWith(".test.ts"))
    .flatMap(({ path, text }) => (text.match(WITHOUT_NAMESPACE) ?? []).map((command) => `${path}: ${command}`));
  expect(found).toEqual([]);
});
