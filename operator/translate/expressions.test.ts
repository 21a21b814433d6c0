// Matches as CEL, and that no text of a user gets out of its string.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { literalsOf } from "#test/support/cel.ts";
import { celString, LIVE, matchExpressions } from "./expressions.ts";
import type { HttpMatch } from "./model.ts";

const NOTHING: HttpMatch = { headers: [], queryParams: [] };

describe("a match", () => {
  test.for([
    ["exact path", { path: "/a", pathType: "exact" }, "req.url.path == '/a'"],
    ["path prefix", { path: "/a", pathType: "prefix" }, "req.url.path.startsWith('/a')"],
    ["regular expression, as a prefix", { path: "/a.*", pathType: "regex" }, "req.url.path.startsWith('/a.*')"],
    [
      "header",
      { headers: [{ name: "x", value: "v", type: "exact" }] },
      "req.headers.exists_one(x, x == 'x') && req.headers['x'].join(',') == 'v'",
    ],
    [
      "header by expression",
      { headers: [{ name: "x", value: "v.*", type: "regex" }] },
      "req.headers.exists_one(x, x == 'x') && req.headers['x'].join(',').matches('v.*')",
    ],
    [
      "query parameter",
      { queryParams: [{ name: "q", value: "1", type: "exact" }] },
      "req.url.query_params.exists_one(x, x == 'q') && req.url.query_params['q'].join(',') == '1'",
    ],
    [
      "query parameter by expression",
      { queryParams: [{ name: "q", value: "[0-9]", type: "regex" }] },
      "req.url.query_params.exists_one(x, x == 'q') && req.url.query_params['q'].join(',').matches('[0-9]')",
    ],
    ["method", { method: "POST" }, "req.method == 'POST'"],
  ] as const)("of a %s", ([, match, expression], { expect }) => {
    expect(matchExpressions({ ...NOTHING, ...match }, LIVE)).toEqual([expression]);
  });

  test("of several things is several expressions, path first, method last", () => {
    const one = { name: "n", value: "v", type: "exact" } as const;
    const match: HttpMatch = { path: "/", pathType: "exact", headers: [one, one], queryParams: [one], method: "GET" };
    expect(matchExpressions(match, LIVE).map((text) => text.split(/[ .[]/, 2).join("."))).toEqual([
      "req.url",
      "req.headers",
      "req.headers",
      "req.url",
      "req.method",
    ]);
  });

  test("of nothing is no expression", () => {
    expect(matchExpressions(undefined, LIVE)).toEqual([]);
    expect(matchExpressions(NOTHING, LIVE)).toEqual([]);
  });
});

describe("a text in an expression", () => {
  test.for([
    ["/plain-~._%20", "'/plain-~._%20'"],
    ["it's", String.raw`'it\'s'`],
    [String.raw`\d+`, String.raw`'\\d+'`],
    ["a\nb", String.raw`'a\u000ab'`],
    ["ü*😀", "'ü*😀'"],
    ["') || true || ('", String.raw`'\') || true || (\''`],
  ] as const)("%j is %s", ([text, literal], { expect }) => {
    expect(celString(text)).toBe(literal);
  });

  test("stays one literal that means that text, whatever it holds", () => {
    const hostile = fc.oneof(
      fc.string({ unit: "binary", maxLength: 50 }),
      fc.string({ unit: fc.constantFrom("'", "\\", '"', "\n", "*", "u", "0", "$", "{"), maxLength: 12 }),
      fc.constant(`'\\`.repeat(5_000)),
    );
    fc.assert(
      fc.property(hostile, hostile, hostile, (path, name, value) => {
        const match: HttpMatch = {
          path,
          pathType: "exact",
          headers: [{ name, value, type: "regex" }],
          queryParams: [],
          method: value,
        };
        const [ofPath, ofHeader, ofMethod] = matchExpressions(match, LIVE).map(literalsOf);
        expect(ofPath).toEqual({ frame: "req.url.path == ?", literals: [path] });
        expect(ofHeader).toEqual({
          frame: "req.headers.exists_one(x, x == ?) && req.headers[?].join(?).matches(?)",
          literals: [name, name, ",", value],
        });
        expect(ofMethod).toEqual({ frame: "req.method == ?", literals: [value] });
      }),
      { numRuns: 60 },
    );
  });

  test("with half of a character is repaired, so that it can be stored", () => {
    expect(celString("a\uD800b")).toBe("'a\uFFFDb'");
  });
});
