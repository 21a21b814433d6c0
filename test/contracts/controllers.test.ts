// What every controller's definition has to hold, whichever it is. What it does while draining is shown on a real API
// server, in controllers.apiserver.test.ts.
import { expect, test } from "vitest";
import { resourceName } from "#kube/kind.ts";
import { controllers } from "#operator/managers/api-manager/manager.ts";
import type { Controller } from "#operator/runtime/define-controller.ts";
import { kindsReadBy } from "#operator/runtime/watches.ts";
import { everyController, everyKeyed } from "#test/support/every.ts";

test("the contract runs over every controller of the api-manager", () => {
  expect([...everyController, ...everyKeyed].map(({ name }) => name).toSorted()).toEqual(
    controllers.map(({ name }) => name).toSorted(),
  );
});

const every: readonly { name: string; controller: Controller }[] = [
  ...everyController,
  ...everyKeyed.map((controller) => ({ name: controller.name, controller })),
];

test.for(every)("$name may list and watch every kind that it reads from the cache", ({ controller }, { expect }) => {
  for (const kind of kindsReadBy(controller)) {
    const rules = controller.rbac.filter(
      (rule) => resourceName(rule.kind) === resourceName(kind) && rule.part === undefined,
    );
    const verbs = rules.flatMap((rule) => rule.verbs);
    expect(verbs, resourceName(kind)).toEqual(expect.arrayContaining(["list", "watch"]));
  }
});

test.for(everyController)(
  "$name may write its status, and its finalizer if it has one",
  ({ controller }, { expect }) => {
    const verbsOn = (part: "status" | undefined) =>
      controller.rbac
        .filter((rule) => resourceName(rule.kind) === resourceName(controller.kind) && rule.part === part)
        .flatMap((rule) => rule.verbs);
    expect(verbsOn("status")).toContain("patch");
    if (controller.cleanup !== undefined) expect(verbsOn(undefined)).toContain("patch");
  },
);

test.for(every)("$name says why it needs each right", ({ controller }, { expect }) => {
  for (const { why } of controller.rbac) expect(why.length).toBeGreaterThan(10);
});
