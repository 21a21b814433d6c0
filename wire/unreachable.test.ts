// Why there was no answer, in words: from the codes that Node and undici really give.
import { expect, test } from "vitest";
import { FenceLost, KnownError } from "./errors.ts";
import { unreachable } from "./unreachable.ts";

function coded(code: string, more: object = {}): Error {
  return Object.assign(new Error(`${code} happened`), { code }, more);
}

test.for([
  ["a refused connection", coded("ECONNREFUSED"), "transient", "connection refused"],
  ["a name that does not resolve", coded("ENOTFOUND"), "transient", "its name does not resolve"],
  [
    "every address refused",
    Object.assign(new AggregateError([coded("ECONNREFUSED")]), { code: "ECONNREFUSED" }),
    "transient",
    "connection refused",
  ],
  [
    "a reason inside a reason",
    new Error("fetch failed", { cause: coded("CERT_HAS_EXPIRED") }),
    "invalid",
    "its certificate has expired",
  ],
  ["a CA that nobody trusts", coded("UNABLE_TO_VERIFY_LEAF_SIGNATURE"), "invalid", "its certificate is not trusted"],
] as const)("%s", ([, error, errorClass, what]) => {
  const said = unreachable(error, "https://api.example.com");
  expect(said).toMatchObject({ class: errorClass, message: `https://api.example.com: ${what}` });
  expect((said as KnownError).hint).toMatch(/\.$/);
});

test("what nobody knows is a broken connection, with its own words", () => {
  expect(unreachable(coded("EWEIRD"), "https://api.example.com")).toMatchObject({
    class: "transient",
    code: "EWEIRD",
    message: "https://api.example.com: EWEIRD happened",
  });
});

test("what is known already, a lost token above all, passes as it is", () => {
  const lost = new FenceLost("lost");
  expect(unreachable(lost, "x")).toBe(lost);
  const known = new KnownError("invalid", "no");
  expect(unreachable(known, "x")).toBe(known);
});
