// What is known of the API key follows what ngrok says, with as few questions as that takes.
import { expect, test } from "vitest";
import type { NgrokPort } from "#ngrok/client.ts";
import { testClock } from "#test/support/clock.ts";
import { KnownError } from "#wire/errors.ts";
import { KeyCheck } from "./key.ts";
import { openLog } from "./log.ts";

const HOUR = 3_600_000;
const log = openLog({ level: "error", encoder: "json", secrets: [] }, { write: () => undefined });

/** An ngrok that takes the key or says why not, and counts the questions. */
function account(refusal?: KnownError) {
  const at = { refusal, asked: 0, accepted: 0 };
  const clock = testClock();
  const check = new KeyCheck();
  const ngrok = {
    verifyKey: () => {
      at.asked += 1;
      return at.refusal === undefined ? Promise.resolve() : Promise.reject(at.refusal);
    },
  } as unknown as NgrokPort;
  const stop = new AbortController();
  const onAccepted = (): void => void (at.accepted += 1);
  check.run({ ngrok, clock, log, signal: stop.signal, onAccepted }).catch(() => undefined);
  return { at, clock, check };
}

const revoked = new KnownError("invalid", "ERR_NGROK_200: no such key", { status: 401, hint: "give a valid one" });

test("an accepted key is asked about once an hour, whatever calls succeed", async () => {
  const { at, clock, check } = account();
  await clock.advance(0);
  expect(check.standing).toEqual({ is: "yes" });
  for (let call = 0; call < 100; call += 1) check.heard(200);
  await clock.advance(HOUR - 1);
  expect(at.asked).toBe(1);
  await clock.advance(1);
  expect({ asked: at.asked, accepted: at.accepted }).toEqual({ asked: 2, accepted: 1 });
});

test("a refused call has it checked at once; many of them once in ten seconds", async () => {
  const { at, clock, check } = account();
  await clock.advance(60_000);
  check.heard(403);
  await clock.advance(0);
  expect({ asked: at.asked, standing: check.standing }).toEqual({ asked: 2, standing: { is: "yes" } });
  for (let call = 0; call < 100; call += 1) check.heard(403);
  await clock.advance(9_999);
  expect(at.asked).toBe(2);
  await clock.advance(1);
  expect(at.asked).toBe(3);
});

test("a revoked key is known with its remedy, keeps the process ready, and its successor has everything looked at again", async () => {
  const { at, clock, check } = account();
  const told: string[] = [];
  check.onChange(() => told.push(check.standing.is));
  await clock.advance(10_000);
  at.refusal = revoked;
  check.heard(401);
  await clock.advance(0);
  expect(check.standing).toEqual({ is: "no", why: "ERR_NGROK_200: no such key: give a valid one" });
  expect(check.reason).toBeUndefined();
  at.refusal = undefined;
  check.heard(200);
  await clock.advance(10_000);
  expect({ told, accepted: at.accepted }).toEqual({ told: ["yes", "no", "yes"], accepted: 2 });
});

test("an ngrok that does not answer is no answer about the key, and keeps the process from being ready at first", async () => {
  const { at, clock, check } = account(new KnownError("transient", "no answer"));
  await clock.advance(0);
  expect(check.standing).toEqual({ is: "unknown", why: "no answer" });
  expect(check.reason).toBe("no answer");
  at.refusal = undefined;
  await clock.advance(60_000);
  expect(check.reason).toBeUndefined();
});

test("a key that may do everything but be asked about is asked about once in ten seconds, however much it does", async () => {
  const { at, clock, check } = account(revoked);
  await clock.advance(0);
  for (let second = 0; second < 30; second += 1) {
    check.heard(200);
    await clock.advance(1_000);
  }
  expect(at.asked).toBe(4);
});

test("without a key there is nothing to ask", async () => {
  const check = new KeyCheck();
  const { signal } = new AbortController();
  await check.run({ ngrok: { problem: "no key" }, clock: testClock(), log, signal, onAccepted: () => undefined });
  expect({ standing: check.standing, reason: check.reason }).toEqual({
    standing: { is: "no", why: "no key" },
    reason: "no key",
  });
});
