// What each of ngrok's refusals is taken for.
import { describe, test } from "vitest";
import { KnownError } from "#wire/errors.ts";
import { ambiguous, code, codes, errorOf, mayBeTaken, mayExist } from "./errors.ts";

const asked = { server: "https://api.ngrok.com", method: "PATCH", path: "/endpoints/ep_1" };

function refused(status: number, text: string, retryAfterMs?: number) {
  return errorOf({ status, text, retryAfterMs }, asked);
}

function body(status: number, n: number, msg = "because") {
  return JSON.stringify({ error_code: `ERR_NGROK_${n}`, status_code: status, msg, details: { operation_id: "op_9" } });
}

describe("an answer of ngrok's", () => {
  test.for([
    [400, 1, "invalid"],
    [400, 1406, "invalid"],
    [400, 2201, "invalid"],
    [401, 202, "invalid"],
    [403, 206, "invalid"],
    [404, 404, "gone"],
    [400, 446, "transient"],
    [400, 511, "transient"],
    [400, 18016, "transient"],
    [400, 18017, "transient"],
    [408, 1, "transient"],
    [409, 1, "transient"],
    [422, 1, "invalid"],
    [429, 1, "throttled"],
    [500, 1, "transient"],
    [503, 1, "transient"],
  ] as const)("%i with ERR_NGROK_%i is %s", ([status, n, expected], { expect }) => {
    expect(refused(status, body(status, n))).toMatchObject({ class: expected, status, code: `ERR_NGROK_${n}` });
  });

  test("is told as `code: msg` on one line, and reads the same on every retry", ({ expect }) => {
    const error = refused(400, body(400, 446, "The domain\n  is  attached."));
    expect(error.message).toBe("ERR_NGROK_446: The domain is attached.");
    expect(error.message).not.toContain("op_9");
  });

  test("carries how long ngrok asked to wait", ({ expect }) => {
    expect(refused(429, body(429, 1), 7_000).retryAfterMs).toBe(7_000);
  });

  test("about the key says what to do with it", ({ expect }) => {
    expect(refused(401, body(401, 202)).hint).toMatch(/API key is not valid or was revoked/);
    expect(refused(403, body(403, 206)).hint).toMatch(/API key is not valid/);
  });

  test("has a hint for every code of the table", ({ expect }) => {
    for (const [name, { hint }] of Object.entries(codes))
      expect([name, hint]).toEqual([name, expect.stringMatching(/\.$/)]);
  });
});

describe("an answer that is not ngrok's", () => {
  test("keeps the status and a short piece of what was said", ({ expect }) => {
    const error = refused(502, `<html>\n<h1>Bad Gateway</h1>${"x".repeat(5_000)}</html>`);
    expect(error).toMatchObject({ class: "transient", status: 502, code: undefined });
    expect(error.message).toMatch(/^HTTP 502 from https:\/\/api.ngrok.com to PATCH \/endpoints\/ep_1: <html> <h1>Bad/);
    expect(error.message.length).toBeLessThan(300);
  });

  test("never says that an object is gone: a proxy's page would strip a finalizer", ({ expect }) => {
    expect(refused(404, "<html>no such site</html>")).toMatchObject({
      class: "invalid",
      hint: expect.stringMatching(/apiUrl/),
    });
    expect(refused(404, "").class).toBe("gone");
    expect(refused(404, "{}").class).toBe("gone");
  });

  test("is refused when it redirects", ({ expect }) => {
    expect(refused(302, "")).toMatchObject({ class: "invalid", hint: expect.stringMatching(/redirects/) });
  });
});

test("only a creation of unknown outcome may have made the object", ({ expect }) => {
  const lost = ambiguous(new KnownError("transient", "reset", { retryAfterMs: 5 }), asked);
  expect([mayExist(lost), lost.class, lost.code, lost.retryAfterMs]).toEqual([true, "transient", code.ambiguous, 5]);
  expect(mayExist(refused(400, body(400, 1)))).toBe(false);
  expect(mayExist(new Error("else"))).toBe(false);
});

test.for([
  [409, 413, true],
  [400, 214, true],
  [403, 316, true],
  [429, 316, true],
  [429, 1214, false],
  [401, 202, false],
  [500, 1, false],
] as const)(
  "of a creation that was refused with %d ERR_NGROK_%d the thing may be there: %s",
  ([status, said, may], { expect }) => {
    expect(mayBeTaken(refused(status, body(status, said)))).toBe(may);
  },
);

test("of a rate limit without a code, or one of our own, nothing is known of the thing", ({ expect }) => {
  expect(mayBeTaken(refused(429, ""))).toBe(false);
  expect(mayBeTaken(new KnownError("throttled", "used up"))).toBe(false);
});
