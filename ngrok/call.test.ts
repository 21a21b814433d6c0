// One call: what is tried again and what never is, how long it waits, and that the API key stays where it belongs.
import { inspect } from "node:util";
import { describe, test } from "vitest";
import { FenceLost, KnownError } from "#wire/errors.ts";
import type { Fence } from "#wire/fence.ts";
import type { HttpRequest } from "#wire/http.ts";
import { testClock, type TestClock } from "#test/support/clock.ts";
import { caller, type Call } from "./call.ts";
import { pace } from "./pace.ts";

const apiKey = "2abcSECRETSECRETSECRET";
const forever = new AbortController().signal;

/** An answer, or none: `left` says whether bytes had been sent when the connection failed. */
type Step =
  | { readonly status: number; readonly text?: string; readonly retryAfterMs?: number }
  | { readonly lost: string; readonly left: boolean }
  | { readonly throws: Error };

const ok: Step = { status: 200, text: '{"id":"ep_1"}' };

function world(
  steps: readonly Step[],
  { clock = testClock({ hurry: true }), fence = aFence(), timeoutMs = 10_000 } = {},
) {
  const sent: HttpRequest[] = [];
  const call = caller({
    send: async (request) => {
      const step = steps[sent.length];
      sent.push(request);
      await Promise.resolve();
      if (step === undefined) throw new Error("no step is left");
      if ("throws" in step) throw step.throws;
      const left = "status" in step || step.left;
      if (left) request.fence?.sent?.(Promise.resolve("answered"), request.timeoutMs);
      if ("lost" in step) throw new KnownError("transient", `https://api.ngrok.com: ${step.lost}`, { code: step.lost });
      return { status: step.status, text: step.text ?? "", headers: {}, retryAfterMs: step.retryAfterMs };
    },
    base: { origin: "https://proxy.example.com", path: "/to/ngrok" },
    apiKey,
    userAgent: "ngrok-operator/0.1.0",
    clock,
    pace: pace({ clock, concurrency: 4 }),
    timeoutMs,
    random: () => 0.5,
    fence: fence ?? undefined,
    signal: forever,
  });
  return { call, sent, clock };
}

function aFence(overrides: Partial<Fence> = {}): Fence {
  return { signal: forever, assertMayWrite: () => undefined, ...overrides };
}

const get: Call = { method: "GET", path: "/endpoints/ep_1", signal: forever };
const post: Call = { method: "POST", path: "/endpoints", body: { url: "https://a.example.com" }, signal: forever };
const patch: Call = { method: "PATCH", path: "/endpoints/ep_1", body: { description: "" }, signal: forever };
const remove: Call = { method: "DELETE", path: "/endpoints/ep_1", signal: forever };

describe("a request", () => {
  test("keeps the path of the base, and has ngrok's headers", async ({ expect }) => {
    const { call, sent } = world([ok, ok]);
    await call({ ...get, query: { limit: "1" } });
    await call(patch);
    expect(sent[0]).toMatchObject({
      path: "/to/ngrok/endpoints/ep_1?limit=1",
      headers: { authorization: `Bearer ${apiKey}`, "user-agent": "ngrok-operator/0.1.0", "ngrok-version": "2" },
    });
    expect(sent[0]?.headers).not.toHaveProperty("content-type");
    expect(sent[1]?.headers).toHaveProperty("content-type", "application/json");
  });

  test("sends what is empty and leaves out what is undefined", async ({ expect }) => {
    const { call, sent } = world([ok]);
    await call({ ...patch, body: { description: "", bindings: [], metadata: undefined } });
    expect(sent[0]?.body).toBe('{"description":"","bindings":[]}');
  });

  test("that writes carries the fence; one that reads needs none", async ({ expect }) => {
    const { call, sent } = world([ok, ok]);
    await call(get);
    await call(post);
    expect(sent.map(({ fence }) => fence !== undefined)).toEqual([false, true]);
  });
});

describe("a failure is tried again", () => {
  test.for([get, patch, remove])("for $method, whether or not it left, after a pause", async (asked, { expect }) => {
    const { call, sent, clock } = world([{ lost: "ECONNRESET", left: true }, { status: 503 }, ok]);
    await call(asked);
    expect(sent).toHaveLength(3);
    expect(clock.sleeps).toEqual([150, 450]);
  });

  test("for a creation that never left", async ({ expect }) => {
    const { call, sent } = world([{ lost: "ECONNREFUSED", left: false }, ok]);
    await call(post);
    expect(sent).toHaveLength(2);
  });

  test("three times at most", async ({ expect }) => {
    const { call, sent } = world([{ status: 500 }, { status: 502 }, { status: 504 }]);
    await expect(call(get)).rejects.toMatchObject({ class: "transient", status: 504 });
    expect(sent).toHaveLength(3);
  });

  test("never beyond the deadline of the call, and each try has only what is left of it", async ({ expect }) => {
    const { call, sent } = world([{ status: 500 }, { status: 500 }], { timeoutMs: 500 });
    await expect(call(get)).rejects.toMatchObject({ class: "transient" });
    expect(sent.map(({ timeoutMs }) => timeoutMs)).toEqual([500, 350]);
  });

  test("also when an answer of 200 cannot be read", async ({ expect }) => {
    const { call } = world([{ status: 200, text: "<html>login</html>" }, ok]);
    expect(await call(get)).toEqual({ id: "ep_1" });
  });
});

describe("a failure is never tried again", () => {
  test.for([
    { lost: "ECONNRESET", left: true },
    { lost: "Timeout", left: true },
    { status: 500 },
    { status: 503, retryAfterMs: 100 },
    { status: 201, text: '{"id":"ep_' },
  ] satisfies Step[])("for a creation that may have taken effect: %o", async (step, { expect }) => {
    const { call, sent } = world([step]);
    await expect(call(post)).rejects.toMatchObject({ class: "transient", code: "Ambiguous" });
    expect(sent).toHaveLength(1);
  });

  test.for([post, patch, get])("when ngrok refuses a $method", async (asked, { expect }) => {
    const text = '{"error_code":"ERR_NGROK_446","status_code":400,"msg":"attached"}';
    const { call, sent } = world([{ status: 400, text }]);
    await expect(call(asked)).rejects.toMatchObject({ class: "transient", code: "ERR_NGROK_446" });
    expect(sent).toHaveLength(1);
  });

  test("when the right to write is gone", async ({ expect }) => {
    const { call, sent } = world([{ throws: new FenceLost("another leads") }]);
    await expect(call(patch)).rejects.toThrow(FenceLost);
    expect(sent).toHaveLength(1);
  });

  test("when the caller leaves", async ({ expect }) => {
    const leaving = new AbortController();
    leaving.abort(new Error("enough"));
    const { call, sent } = world([ok]);
    await expect(call({ ...get, signal: leaving.signal })).rejects.toThrow("enough");
    expect(sent).toHaveLength(0);
  });
});

test("a client without a fence writes nothing", async ({ expect }) => {
  const sent: unknown[] = [];
  const clock = testClock();
  const call = caller({
    send: (request) => Promise.reject(new Error(String(sent.push(request)))),
    base: { origin: "https://api.ngrok.com", path: "" },
    apiKey,
    userAgent: "u",
    clock,
    pace: pace({ clock, concurrency: 1 }),
    timeoutMs: 10,
    random: () => 0,
    fence: undefined,
    signal: forever,
  });
  await expect(call(remove)).rejects.toThrow(FenceLost);
  expect(sent).toEqual([]);
});

describe("when ngrok says wait", () => {
  test("a short wait happens inside, for a creation too: a refused one has done nothing", async ({ expect }) => {
    const { call, sent, clock } = world([{ status: 429, retryAfterMs: 2_000 }, { status: 429 }, ok]);
    await call(post);
    expect(sent).toHaveLength(3);
    expect(clock.sleeps).toEqual([2_000, 1_000]);
  });

  test("a long one is the caller's to decide", async ({ expect }) => {
    const { call, sent, clock } = world([{ status: 429, retryAfterMs: 2_001 }]);
    await expect(call(get)).rejects.toMatchObject({ class: "throttled", status: 429, retryAfterMs: 2_001 });
    expect([sent.length, clock.sleeps]).toEqual([1, []]);
  });

  test("a short one beyond the deadline too", async ({ expect }) => {
    const { call } = world([{ status: 429, retryAfterMs: 2_000 }], { timeoutMs: 1_500 });
    await expect(call(get)).rejects.toMatchObject({ class: "throttled", retryAfterMs: 2_000 });
  });

  test("a server's fault with Retry-After is waited for in the same way", async ({ expect }) => {
    const { call, clock } = world([{ status: 503, retryAfterMs: 1_000 }, ok]);
    await call(get);
    expect(clock.sleeps).toEqual([1_000]);
  });

  test("all calls wait, those that come meanwhile too, and each goes on once", async ({ expect }) => {
    const clock = testClock();
    const wait: Step = { status: 429, retryAfterMs: 1_000 };
    const { call, sent } = world([wait, wait, ok, ok, ok], { clock });
    const calls = [call(get), call(get)];
    await clock.advance(500);
    calls.push(call(get));
    await clock.advance(499);
    expect(sent).toHaveLength(2);
    await clock.advance(1);
    await Promise.all(calls);
    expect(sent).toHaveLength(5);
  });
});

test("the API key is in no error, however it is looked at", async ({ expect }) => {
  const text = JSON.stringify({ error_code: "ERR_NGROK_206", status_code: 403, msg: `key ${apiKey} may not do this` });
  const steps: Step[] = [
    { status: 403, text },
    { status: 502, text: `<p>${apiKey}</p>` },
    { lost: "EPIPE", left: true },
  ];
  const clock: TestClock = testClock({ hurry: true });
  const { call } = world(steps, { clock });
  for (const asked of [get, post, post]) {
    const error: unknown = await call(asked).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KnownError);
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain("SECRET");
    expect(JSON.stringify(error)).not.toContain("SECRET");
  }
});
