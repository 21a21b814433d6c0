// Log lines for machines and people, without secrets.
import { expect, test } from "vitest";
import { isLevel, openLog } from "./log.ts";

function lines(encoder: "json" | "console", level = "info") {
  const written: string[] = [];
  const log = openLog({ level, encoder, secrets: ["2abcSECRET"] }, { write: (line: string) => written.push(line) });
  return { log, written };
}

test("a line is JSON with level, time, text and object", () => {
  const { log, written } = lines("json");
  log.info({ object: "CloudEndpoint shop/web" }, "created");
  expect(JSON.parse(written[0] ?? "")).toEqual({
    level: "info",
    ts: expect.stringMatching(/^\d{4}-.*Z$/),
    object: "CloudEndpoint shop/web",
    msg: "created",
  });
});

test("for people it is one line of words", () => {
  const { log, written } = lines("console");
  log.warn({ object: "Domain shop/web" }, "failed");
  expect(written[0]).toMatch(/^\S+Z WARN failed object="Domain shop\/web"\n$/);
});

test("the API key never gets into a line, wherever it stands", () => {
  const { log, written } = lines("json");
  log.error({ err: "refused: Bearer 2abcSECRET", apiKey: "another" }, "with 2abcSECRET");
  expect(written.join("")).not.toContain("SECRET");
  expect(written.join("")).not.toContain("another");
});

test("levels are zap's words or a number", () => {
  expect(["debug", "info", "warn", "error", "3"].map(isLevel)).toEqual([true, true, true, true, true]);
  expect(["loud", "0", ""].map(isLevel)).toEqual([false, false, false]);
  const { log, written } = lines("json", "error");
  log.warn("quiet");
  expect(written).toEqual([]);
});
