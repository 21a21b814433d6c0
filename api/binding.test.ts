import { expect, test } from "vitest";
import { bindingLabels, boundBy } from "./binding.ts";

test("a Service that was made for a BoundEndpoint names it", () => {
  expect(boundBy(bindingLabels("ops", "ngrok-1"))).toEqual({ namespace: "ops", name: "ngrok-1" });
});

test.for<readonly [string, Record<string, string> | undefined]>([
  ["no labels", undefined],
  ["others' labels", { app: "billing" }],
  ["half of a pair", { "ngrok.com/endpoint-binding-name": "ngrok-1" }],
  [
    "halves of two pairs",
    { "ngrok.com/endpoint-binding-name": "ngrok-1", "bindings.k8s.ngrok.com/endpoint-binding-namespace": "ops" },
  ],
])("a Service with %s names none", ([, labels]) => {
  expect(boundBy(labels)).toBeUndefined();
});

test("the canonical pair is believed where both are whole", () => {
  const labels = { ...bindingLabels("ops", "old"), "ngrok.com/endpoint-binding-name": "new" };
  expect(boundBy(labels)?.name).toBe("new");
});
