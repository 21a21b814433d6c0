// What an object shows while ngrok asks to wait: nothing new where only a look was put off.
import { describe, expect, test } from "vitest";
import { fails } from "#api/conditions.ts";
import { aReconcile, claimed, type Setup } from "#test/support/one-reconcile.ts";
import { KnownError } from "#wire/errors.ts";
import { failed } from "./define-controller.ts";

const throttled = new KnownError("throttled", "ngrok asked to wait", { retryAfterMs: 30_000 });
const ready = {
  type: "Ready",
  reason: "CloudEndpointActive",
  message: "it is",
  lastTransitionTime: "2026-01-01T00:00:00Z",
};
const notReady = { fields: { id: "ep_1" }, findings: [fails("Ready", "CloudEndpointCreationFailed", "it waits")] };

describe("an object", () => {
  test("that is at ngrok keeps what it shows while it cannot be looked at there: nothing has changed, and nothing is written", async () => {
    const object = { ...claimed, status: { id: "ep_1", conditions: [{ ...ready, status: "True" as const }] } };
    const { did, work } = aReconcile({ object, apply: () => failed(throttled, { shown: notReady }) });
    expect(await work()).toEqual({ is: "retry", error: throttled });
    expect(did).toEqual(["apply", "UpdateError"]);
  });

  test.for<[string, Setup]>([
    [
      "is not at ngrok yet says that it waits",
      { object: claimed, apply: () => failed(throttled, { shown: notReady }) },
    ],
    [
      "is wanted otherwise than it was last seen says that nobody could look",
      {
        object: { metadata: { ...claimed.metadata, generation: 2 }, status: { id: "ep_1", observedGeneration: 1 } },
        apply: () => failed(throttled, { shown: notReady }),
      },
    ],
    [
      "is to be changed there says that it is not",
      {
        object: { ...claimed, status: { id: "ep_1" } },
        apply: async ({ begin }) => {
          await begin("update");
          return failed(throttled, { shown: notReady });
        },
      },
    ],
    [
      "ngrok refuses says why",
      {
        object: { ...claimed, status: { id: "ep_1" } },
        apply: () => failed(new KnownError("invalid", "no"), { shown: notReady }),
      },
    ],
  ])("that %s", async ([, setup]) => {
    const { did, work } = aReconcile(setup);
    await work();
    expect(did.at(-1)).toBe("status");
  });
});
