// What the product tells people to type does what it says wherever they stand.
import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { PRODUCT } from "./graph.ts";

/** Each acts on objects of one namespace: of the current one, which may be anybody's, where none is named. */
const WITHOUT_NAMESPACE =
  /kubectl (?:rollout|delete|patch|annotate|label|scale|edit|exec|logs|create (?:secret|configmap)) .*/g;

test("a command for objects of a namespace names the namespace", () => {
  const files = globSync(`{${PRODUCT.join()}}/**/*.ts`).filter((path) => !path.endsWith(".test.ts"));
  expect(files.length).toBeGreaterThan(200);
  const found = files.flatMap((path) =>
    (readFileSync(path, "utf8").match(WITHOUT_NAMESPACE) ?? []).map((command) => `${path}: ${command}`),
  );
  expect(found).toEqual([]);
});
