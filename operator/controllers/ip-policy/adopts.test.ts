// An IPPolicy whose id may have got lost: what another records is not taken up, though the watch has not heard of that yet.
import { expect, test } from "vitest";
import { IPPolicy } from "#api/ip-policy.ts";
import { anIPPolicy } from "#test/support/builders.ts";
import { nothingCached } from "#test/support/cached.ts";
import { testClock } from "#test/support/clock.ts";
import type { Context } from "../../runtime/define-controller.ts";
import { ipPolicyController } from "./controller.ts";

const BORN = "2026-02-01T12:00:00Z";

/** What becomes of one without an id, where ngrok has one of its words without rules, recorded by these. */
async function idAfter(stored: readonly IPPolicy[], createdAt?: string): Promise<string | undefined> {
  const { description, metadata } = anIPPolicy().spec;
  const left = { id: "ipp_left", uri: "", description, metadata, createdAt };
  const ipPolicies = {
    matching: async () => [left],
    rules: async () => [],
    change: async ({ is }: { is: string }) => (is === "create" ? { ...left, id: "ipp_new" } : left),
    changeRule: async () => ({}),
  };
  const context = {
    ngrok: { ipPolicies },
    clock: testClock(),
    cached: nothingCached,
    clusterWide: true,
    release: { name: "ngrok", namespace: "ops", fullname: "ngrok" },
    reader: {
      async *pages() {
        yield { items: stored };
      },
    },
    signal: new AbortController().signal,
    claimed: "before",
    asOf: 0,
    unchanged: () => false,
    begin: async () => {},
  } as Partial<Record<keyof Context, unknown>> as Context;
  const outcome = await ipPolicyController.apply(
    anIPPolicy({ metadata: { uid: "u", creationTimestamp: BORN } }),
    context,
  );
  return outcome.shown?.fields.id;
}

const recording = (uid: string) => anIPPolicy({ metadata: { name: uid, uid }, status: { id: "ipp_left" } });

test("one that another IPPolicy records is left to it, and a new one is made", async () => {
  expect(await idAfter([anIPPolicy(), recording("other")])).toBe("ipp_new");
});

test.for([
  ["nobody", []],
  ["the object itself, of which the watch is behind,", [recording("u")]],
] as const)("one that %s records is taken up", async ([, stored]) => {
  expect(await idAfter(stored)).toBe("ipp_left");
});

test("one that was there before the object is another cluster's, and is left to that", async () => {
  expect(await idAfter([], "2026-01-30T00:00:00Z")).toBe("ipp_new");
  expect(await idAfter([], "2026-02-01T12:00:01Z")).toBe("ipp_left");
});
