// What a CloudEndpoint shows of itself when a call to ngrok failed: enough to find again what may have been made.
import { expect, test } from "vitest";
import { holds } from "#api/conditions.ts";
import type { Condition } from "#api/define-kind.ts";
import { KnownError } from "#wire/errors.ts";
import { type Reached, showEndpoint } from "./plan.ts";

const domain = { finding: holds("DomainReady", "DomainReady", "ready"), ref: undefined, untried: false };
const recorded = { id: "ep_1", assignedURL: "https://web.example.com" };
const refused = {
  is: "failed",
  error: new KnownError("invalid", "ERR_NGROK_334: in use", { status: 400, code: "ERR_NGROK_334" }),
  isAbsent: false,
  mayBeThere: false,
} as const;
const lost = {
  ...refused,
  error: new KnownError("transient", "no answer", { code: "Ambiguous" }),
  mayBeThere: true,
} as const;

const fieldsOf = (reached: Reached) => showEndpoint({ status: recorded }, domain, { is: "none" }, reached).fields;

test("a failure keeps the id that is known", () => {
  expect(fieldsOf(refused)).toEqual(recorded);
});

test("an id that ngrok has no more goes, with its address, where the next creation got lost: that one is looked up", () => {
  expect(fieldsOf({ ...lost, isAbsent: true })).toEqual({});
  // The key may be another account's for a while.
  expect(fieldsOf({ ...refused, isAbsent: true })).toEqual(recorded);
});

test("what may have been made is still to be looked up, be the look refused or something else waited for", () => {
  const type = "CloudEndpointCreated";
  const at = {
    reason: "CloudEndpointCreationFailed",
    message: "no answer",
    lastTransitionTime: "2026-01-01T00:00:00Z",
  };
  const before: Condition = { type, status: "Unknown", ...at };
  const after = (reached: Reached) => {
    const { findings } = showEndpoint({ status: { conditions: [before] } }, domain, { is: "none" }, reached);
    return findings.find((one) => one.type === type)?.status;
  };
  expect(after({ ...refused, mayBeThere: true })).toBe("Unknown");
  expect(after({ is: "pending" })).toBe("Unknown");
  expect(after(refused)).toBe("False");
});
