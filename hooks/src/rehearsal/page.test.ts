// The log of a rehearsal as a person reads it: what would happen, what is in the way, and what to type, last.
import { describe, expect, test } from "vitest";
import { newDryRun } from "#drain/dry-run.ts";
import { rows } from "#drain/kinds.ts";
import { someAnswers } from "#test/support/answers.ts";
import { type Answers, type Blocker, forecastOf } from "../ngrok-drain/forecast.ts";
import { type Line, rehearsalLines } from "./page.ts";

const typed = { rights: 90, planCommand: "ngrok-drain plan", again: "helm test ngrok -n ops" };
const noKey: Blocker = { policies: ["Delete"], reason: "there is no ngrok API key", remedy: "put one into it" };

function linesOf(overrides: Partial<Answers>): readonly Line[] {
  return rehearsalLines(forecastOf(someAnswers(overrides)), typed);
}

test("ready: the last line says that the uninstall would come to its end", () => {
  expect(linesOf({}).at(-1)).toEqual([
    "ready",
    "helm uninstall ngrok -n ops would come to its end. Nothing was changed",
  ]);
});

test("what stands in the way of the other policy alone is a note", () => {
  const lines = linesOf({ blockers: [noKey] });
  expect(lines).toContainEqual(["note", "under Delete it would not be ready; all of it: ngrok-drain plan"]);
  expect(lines.at(-1)?.[0]).toBe("ready");
});

describe("not ready", () => {
  test("the reason, then the remedy, then what to type", () => {
    const lines = linesOf({ blockers: [noKey], inForce: { policy: "Delete", from: "the chart" } });
    expect(lines.slice(-4)).toEqual([
      ["blocker", "there is no ngrok API key"],
      ["refused", "an uninstall under Delete would not come to its end as it is. Nothing was changed"],
      ["remedy", "put one into it"],
      ["again", "helm test ngrok -n ops"],
    ]);
  });

  test("what nobody answered is no yes", () => {
    const lines = linesOf({ unanswered: [{ policies: ["Retain"], what: "the API server", why: "503" }] });
    expect(lines).toContainEqual(["unknown", "the API server: 503"]);
    expect(lines.at(-1)).toEqual(["again", "helm test ngrok -n ops"]);
  });

  test("however much is wrong, it fits into 40 lines", () => {
    const run = newDryRun();
    for (const row of rows)
      run.kinds.set(row.kind.kind, { row, finalizer: 9, ours: 9, calls: 9, remoteDeleted: 9, remoteKept: new Map() });
    for (let n = 0; n < 900; n += 1) {
      run.left.set(`domain shop/${n}`, "another install owns it");
      run.foreign.set(`domain shop/${n}`, ["acme.io/hold"]);
    }
    const policies = ["Delete", "Retain"] as const;
    const blockers = Array.from({ length: 90 }, (_, n) => ({ policies, reason: `${n}`, remedy: `do ${n}` }));
    const unanswered = Array.from({ length: 90 }, (_, n) => ({ policies, what: `${n}`, why: "timeout" }));
    const lines = linesOf({ run, blockers, unanswered, notes: ["a", "b", "c"] });
    expect(lines.length).toBeLessThan(40);
  });
});
