// Which patches of the audit log have freed an object.
import { expect, test } from "vitest";
import { type AuditEvent, finalizerRemovals, freeings } from "./audit.ts";

const PATH = "/metadata/finalizers/0";
const REMOVAL = [
  { op: "test", path: PATH, value: "k8s.ngrok.com/finalizer" },
  { op: "remove", path: PATH },
];

function patched(name: string, code: number, requestObject: unknown = REMOVAL): AuditEvent {
  return {
    verb: "patch",
    user: { username: "hook" },
    objectRef: { resource: "domains", namespace: "shop", name },
    requestObject,
    responseStatus: { code },
    requestReceivedTimestamp: "2026-01-01T00:00:00Z",
    stageTimestamp: "2026-01-01T00:00:00Z",
  };
}

test("what had no answer in its time has freed an object that no accepted patch names, once", () => {
  const events = [patched("a", 504), patched("b", 504), patched("a", 200), patched("b", 504), patched("c", 200)];
  expect(finalizerRemovals(events)).toEqual([patched("a", 200), patched("c", 200)]);
  expect(freeings(events)).toEqual([patched("a", 200), patched("c", 200), patched("b", 504)]);
});

test("two accepted patches of one object count twice, a refused one and another patch never", () => {
  const label = [{ op: "add", path: "/metadata/labels", value: {} }];
  const events = [patched("a", 200), patched("a", 200), patched("b", 422), patched("c", 504, label)];
  expect(freeings(events)).toEqual([patched("a", 200), patched("a", 200)]);
});
