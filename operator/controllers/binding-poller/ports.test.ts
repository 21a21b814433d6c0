// The port that an address gets of a forwarder.
import fc from "fast-check";
import { expect, test } from "vitest";
import { freePort, isForwarderPort } from "./ports.ts";

test("any address gets one in the range, the same one each time", () => {
  fc.assert(
    fc.property(fc.string(), (url) => {
      const port = freePort(url, new Set()) ?? 0;
      expect(isForwarderPort(port)).toBe(true);
      expect(freePort(url, new Set())).toBe(port);
    }),
  );
});

test("those that Linux gives to outgoing connections come last", () => {
  fc.assert(
    fc.property(fc.string(), (url) => {
      expect(freePort(url, new Set())).toBeLessThan(32_768);
    }),
  );
  const lower = new Set(Array.from({ length: 32_768 - 10_000 }, (_, n) => 10_000 + n));
  const port = freePort("http://a.b:80", lower) ?? 0;
  expect(port).toBeGreaterThanOrEqual(32_768);
  expect(isForwarderPort(port)).toBe(true);
});

test("where none is left it is said", () => {
  const taken = new Set(Array.from({ length: 55_535 }, (_, n) => 10_000 + n));
  expect(freePort("http://a.b:80", taken)).toBeUndefined();
  taken.delete(65_534);
  expect(freePort("http://a.b:80", taken)).toBe(65_534);
});
