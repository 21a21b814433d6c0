// The decisions about finalizers as data: which patch, and when none.
import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planClaim, planRemoval, type Claim, withClaim } from "./finalizer.ts";
import type { KubeObject, ObjectMeta } from "./kind.ts";

const claim: Claim = {
  finalizer: "k8s.ngrok.com/finalizer",
  finalizers: ["k8s.ngrok.com/finalizer", "ngrok.com/finalizer"],
  stamp: "ngrok.com/drain-owner",
  owner: "ngrok/main",
};
const stampPath = "/metadata/annotations/ngrok.com~1drain-owner";

function object(metadata: Partial<ObjectMeta> = {}): KubeObject {
  return { kind: "Ingress", metadata: { name: "web", namespace: "default", uid: "u1", ...metadata } };
}

/** Applies a patch as an API server does: all of it, or a failure and nothing. */
function apply(metadata: Pick<ObjectMeta, "finalizers" | "annotations">, operations: ReturnType<typeof planRemoval>) {
  const finalizers = [...(metadata.finalizers ?? [])];
  const annotations = { ...metadata.annotations };
  for (const { op, path, value } of operations ?? []) {
    const index = /^\/metadata\/finalizers\/(\d+)$/.exec(path)?.[1];
    if (index !== undefined && op === "test") assert.equal(finalizers[Number(index)], value);
    if (index !== undefined && op === "remove") finalizers.splice(Number(index), 1);
    if (path === stampPath && op === "test") assert.equal(annotations[claim.stamp], value);
    if (path === stampPath && op === "remove") delete annotations[claim.stamp];
  }
  return { finalizers, annotations };
}

describe("taking the claim off", () => {
  test("tests each entry at its place and removes from the end, so that no index shifts", () => {
    const seen = {
      finalizers: ["ngrok.com/finalizer", "a/b", "k8s.ngrok.com/finalizer"],
      annotations: { "ngrok.com/drain-owner": "ngrok/main" },
    };
    expect(planRemoval(seen, claim, "off")).toEqual([
      { op: "test", path: "/metadata/finalizers/0", value: "ngrok.com/finalizer" },
      { op: "test", path: "/metadata/finalizers/2", value: "k8s.ngrok.com/finalizer" },
      { op: "test", path: stampPath, value: "ngrok/main" },
      { op: "remove", path: "/metadata/finalizers/2" },
      { op: "remove", path: "/metadata/finalizers/0" },
      { op: "remove", path: stampPath },
    ]);
  });

  test("a stamp that stays is tested all the same", () => {
    const seen = { finalizers: ["k8s.ngrok.com/finalizer"], annotations: { "ngrok.com/drain-owner": "ngrok/main" } };
    expect(planRemoval(seen, claim, "stays")).toContainEqual({ op: "test", path: stampPath, value: "ngrok/main" });
    expect(apply(seen, planRemoval(seen, claim, "stays")).annotations).toEqual(seen.annotations);
  });

  test("whatever strangers put beside ours is left, in its order", () => {
    const entry = fc.constantFrom("a/b", "c/d", "foregroundDeletion", ...claim.finalizers);
    fc.assert(
      fc.property(fc.uniqueArray(entry), fc.boolean(), (finalizers, stamped) => {
        const seen = { finalizers, annotations: { other: "x", ...(stamped ? { [claim.stamp]: claim.owner } : {}) } };
        const after = apply(seen, planRemoval(seen, claim, "off"));
        expect(after.finalizers).toEqual(finalizers.filter((each) => !claim.finalizers.includes(each)));
        expect(after.annotations["other"]).toBe("x");
      }),
    );
  });

  test("nothing of ours, or another install's stamp: no patch", () => {
    expect(planRemoval({}, claim, "off")).toBeUndefined();
    expect(planRemoval({ finalizers: ["a/b"] }, claim, "off")).toBeUndefined();
    const theirs = { finalizers: [claim.finalizer], annotations: { [claim.stamp]: "other/install" } };
    expect(planRemoval(theirs, claim, "off")).toBeUndefined();
  });
});

describe("claiming", () => {
  test("an untouched object gets both in one patch that only applies while it is untouched", () => {
    expect(planClaim(object(), claim)).toEqual([
      { op: "test", path: "/metadata/finalizers", value: null },
      { op: "add", path: "/metadata/finalizers", value: [claim.finalizer] },
      { op: "test", path: "/metadata/annotations", value: null },
      { op: "add", path: "/metadata/annotations", value: { [claim.stamp]: claim.owner } },
    ]);
  });

  test("strangers' entries are tested as they were seen and added to", () => {
    expect(planClaim(object({ finalizers: ["a/b"], annotations: { x: "y" } }), claim)).toEqual([
      { op: "test", path: "/metadata/finalizers", value: ["a/b"] },
      { op: "add", path: "/metadata/finalizers/-", value: claim.finalizer },
      { op: "test", path: stampPath, value: null },
      { op: "add", path: stampPath, value: claim.owner },
    ]);
  });

  test("with either prefix there, only the stamp is added; with both there, nothing", () => {
    const legacy = object({ finalizers: ["ngrok.com/finalizer"], annotations: { x: "y" } });
    expect(planClaim(legacy, claim)?.map(({ path }) => path)).toEqual([stampPath, stampPath]);
    expect(
      planClaim(object({ finalizers: ["ngrok.com/finalizer"], annotations: { [claim.stamp]: claim.owner } }), claim),
    ).toBeUndefined();
  });

  test("what is being deleted or belongs to another install is refused with its name", () => {
    expect(() => planClaim(object({ deletionTimestamp: "2026-01-01T00:00:00Z" }), claim)).toThrow(
      expect.objectContaining({ class: "gone", code: "Deleting" }),
    );
    expect(() => planClaim(object({ annotations: { [claim.stamp]: "other/install" } }), claim)).toThrow(
      expect.objectContaining({
        class: "invalid",
        code: "Claimed",
        message: "Ingress default/web belongs to the install other/install",
      }),
    );
  });
});

describe("an object that is created claimed", () => {
  test("has both beside what it says already, so that nothing is left to claim, and all of ours can be taken off", () => {
    const born = withClaim(object({ finalizers: ["a/b"], annotations: { x: "y" } }), claim);
    expect(born.metadata).toEqual({
      ...object().metadata,
      finalizers: ["a/b", claim.finalizer],
      annotations: { x: "y", [claim.stamp]: claim.owner },
    });
    expect(planClaim(born, claim)).toBeUndefined();
    expect(apply(born.metadata, planRemoval(born.metadata, claim, "off"))).toEqual({
      finalizers: ["a/b"],
      annotations: { x: "y" },
    });
    expect(withClaim(born, claim)).toEqual(born);
  });

  test("never takes another install's (F18)", () => {
    const theirs = object({ annotations: { [claim.stamp]: "other/install" } });
    expect(() => withClaim(theirs, claim)).toThrow(expect.objectContaining({ class: "invalid", code: "Claimed" }));
  });
});
