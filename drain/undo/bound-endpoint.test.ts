// What is taken for out of reach as a BoundEndpoint is undone: a place into which this install cannot look, unless the status
// tells that it could once.
import { expect, test } from "vitest";
import type { Ref } from "#kube/kind.ts";
import { keyOf } from "#kube/kind.ts";
import { bindingLabels } from "#api/binding.ts";
import { aBoundEndpoint } from "#test/support/builders.ts";
import { KnownError } from "#wire/errors.ts";
import type { UndoHands } from "../hands.ts";
import { undoBoundEndpoint } from "./bound-endpoint.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok" };
const { signal } = new AbortController();

/** Services are everywhere with our labels; those in `closed` namespaces are refused as an API server does. */
function handsWithout(closed: readonly string[]) {
  const removed: string[] = [];
  const hands = {
    read: {
      get: (_kind: unknown, at: Ref) =>
        closed.includes(at.namespace ?? "")
          ? Promise.reject(new KnownError("invalid", "services is forbidden", { status: 403, code: "Forbidden" }))
          : Promise.resolve({ metadata: { ...at, uid: "u", labels: bindingLabels("ops", "be") } }),
    },
    write: { remove: ({ ref }: { ref: Ref }) => Promise.resolve(removed.push(keyOf(ref))) },
  } as unknown as UndoHands;
  return { hands, removed };
}

const target = { service: "billing", namespace: "shop", protocol: "TCP" as const, port: 80 };
const metadata = { name: "be", namespace: "ops" };

test("a place outside of a namespaced install's rights that the status never named holds nothing of ours", async () => {
  const { hands, removed } = handsWithout(["shop"]);
  const undone = await undoBoundEndpoint(aBoundEndpoint({ metadata, spec: { target } }), hands, release, signal);
  expect(undone).toEqual({ remote: "none" });
  expect(removed).toEqual(["ops/be"]);
});

test.for([
  ["the status named it", ["shop"], { targetServiceRef: { name: "billing", namespace: "shop" } }],
  ["it is the endpoint's own namespace", ["ops"], {}],
] as const)("a place that is out of reach holds the endpoint where %s", async ([, closed, status], { expect }) => {
  const { hands, removed } = handsWithout(closed);
  const object = aBoundEndpoint({ metadata, spec: { target }, status });
  await expect(undoBoundEndpoint(object, hands, release, signal)).rejects.toThrow("forbidden");
  expect(removed).not.toContain(`${closed[0]}/billing`);
});
