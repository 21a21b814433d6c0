// The forecast as a page for people: pure.
import type { DrainPolicy } from "#api/schema.ts";
import { budgetOf, helmSecondsFor } from "#drain/budget.ts";
import { stateText } from "./state-text.ts";
import type { Forecast, KindForecast } from "./forecast.ts";

/** Objects that are named before the rest is a number; `-o json` has all. */
const NAMED = 20;

export function forecastPage(forecast: Forecast): readonly string[] {
  const { release, policy, policyFrom, crds, state, notes } = forecast;
  return [
    `release ${release.namespace}/${release.name}  policy ${policy} (from ${policyFrom})  CRDs ${crds}`,
    ...(state.phase === "Open" ? [] : [`state   ${stateText(state)}`]),
    ...objectLines(forecast),
    ...timeLines(forecast),
    ...notes.map((note) => `Note      ${note}`),
    `Ready     Retain: ${readyText(forecast, "Retain")}. Delete: ${readyText(forecast, "Delete")}`,
    "Nothing was changed.",
  ];
}

/** What is there, what is left alone, what stands in the way and what nobody answered. */
export function objectLines({ kinds, leftAlone, blockers, unanswered }: Forecast): readonly string[] {
  return [
    ...(kinds.length === 0 ? ["No object carries a finalizer of this operator."] : table(kinds)),
    ...section(
      "Left alone",
      leftAlone.map(({ object, why }) => `${object}    ${why}`),
    ),
    ...section(
      "Blockers",
      blockers.flatMap(({ policies, reason, remedy }) => [`${policies.join(", ")}: ${reason}. Remedy: ${remedy}`]),
    ),
    ...section(
      "Unknown",
      unanswered.map(({ what, why }) => `${what}: ${why}`),
    ),
  ];
}

function table(kinds: readonly KindForecast[]): readonly string[] {
  const cells = [
    ["KIND", "OURS", "FINALIZER", "UNDER Retain", "UNDER Delete"],
    ...kinds.map((one) => [one.kind, `${one.ours}`, `${one.finalizer}`, one.retain, one.delete]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 1 || column === 2 ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}

function section(title: string, lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [];
  const named = lines.slice(0, NAMED).map((line) => `  ${line}`);
  const more = lines.length > NAMED ? [`  ${lines.length - NAMED} more; -o json has all`] : [];
  return [`${title} (${lines.length})`, ...named, ...more];
}

function timeLines(forecast: Forecast): readonly string[] {
  return [`Time      ${timeText(forecast)}`, `calls     ${callsText(forecast)}`];
}

/** How long it takes, and whether Helm waits so long. */
export function timeText({ seconds, helmTimeoutSeconds, policy }: Forecast): string {
  const budget = budgetOf(helmTimeoutSeconds).runMs / 1000;
  const verdict =
    seconds[policy] <= budget
      ? `Helm's timeout of ${helmTimeoutSeconds}s is enough`
      : `longer than Helm's timeout of ${helmTimeoutSeconds}s: set cleanupHook.timeout=${helmSecondsFor(seconds[policy])} and uninstall with --timeout ${helmSecondsFor(seconds[policy])}s, or run helm uninstall again until it is done`;
  return `the drain alone about ${seconds.Retain}s under Retain, ${seconds.Delete}s under Delete; ${verdict}`;
}

export function callsText({ calls, callsPerMinute }: Forecast): string {
  const limit =
    callsPerMinute === 0 ? "without a limit; ngrokApi.callsPerMinute sets one" : `at ${callsPerMinute} a minute`;
  return `to ngrok: at most ${calls.Retain} under Retain, ${calls.Delete} under Delete (reckoned ${limit})`;
}

function readyText({ ready, blockers, unanswered }: Forecast, policy: DrainPolicy): string {
  if (ready[policy] === "yes") return "yes";
  const of = ready[policy] === "no" ? blockers : unanswered;
  const n = of.filter(({ policies }) => policies.includes(policy)).length;
  return ready[policy] === "no" ? `no, ${n} blocker${n === 1 ? "" : "s"}` : `unknown, ${n} without an answer`;
}
