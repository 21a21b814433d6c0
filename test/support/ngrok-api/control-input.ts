// Reads what the control surface is sent as JSON.
import type { Effect, Fault } from "./faults.ts";

const fields = new Set(["kind", "ms", "status", "retryAfter", "code", "text", "match", "times", "skip", "after"]);

/** A fault from JSON: `match.path` is the source of a regular expression, `times` may be "always". Throws on bad input. */
export function readFault(body: unknown): Fault {
  const given = objectFrom(body);
  for (const name of Object.keys(given)) if (!fields.has(name)) throw new Error(`unknown field '${name}'`);
  const { match, times, skip, after } = given;
  if (after !== undefined && after !== "commit") throw new Error("after: only 'commit' is known");
  return {
    ...effectOf(given),
    ...(match !== undefined && { match: matchOf(objectFrom(match)) }),
    ...(times !== undefined && { times: times === "always" ? Number.POSITIVE_INFINITY : numberOf(times, "times") }),
    ...(skip !== undefined && { skip: numberOf(skip, "skip") }),
    ...(after !== undefined && { after }),
  };
}

function effectOf(given: Record<string, unknown>): Effect {
  const { kind, retryAfter, code, text } = given;
  switch (kind) {
    case "hang":
    case "reset":
    case "partial":
      return { kind };
    case "latency":
      return { kind, ms: numberOf(given["ms"], "ms") };
    case "status":
      return {
        kind,
        status: numberOf(given["status"], "status"),
        ...(retryAfter !== undefined && { retryAfter: numberOf(retryAfter, "retryAfter") }),
        ...(code !== undefined && { code: numberOf(code, "code") }),
        ...(text !== undefined && { text: textOf(text, "text") }),
      };
    default:
      throw new Error("kind: expected latency, status, hang, reset or partial");
  }
}

function matchOf({ method, path }: Record<string, unknown>): { method?: string; path?: RegExp } {
  return {
    ...(method !== undefined && { method: textOf(method, "match.method") }),
    ...(path !== undefined && { path: new RegExp(textOf(path, "match.path")) }),
  };
}

/** The value as an object. Throws when it is anything else. */
export function objectFrom(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("expected a JSON object");
  return value as Record<string, unknown>;
}

function numberOf(value: unknown, name: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Error(`${name}: expected a number`);
  return value;
}

function textOf(value: unknown, name: string): string {
  if (typeof value !== "string") throw new Error(`${name}: expected a string`);
  return value;
}
