// The words of a drain for people: pure, from the conclusion to lines. Each line is a word and a sentence, without tabs,
// quotes or colours, since Helm prints them escaped.
import type { Release } from "#api/release.ts";
import { namesOf } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import type { KnownError } from "#wire/errors.ts";
import type { Conclusion } from "./conduct.ts";
import type { Farewell } from "./finish.ts";
import { ngrokRefuses } from "./hands.ts";
import { rows } from "./kinds.ts";
import { NOBODY_COMES } from "./others.ts";
import { countsOf, leftAlone, openCount, openFailures, type Report } from "./report.ts";
import { openCommand, relaxCommand } from "./state.ts";

export type Line = readonly [word: string, sentence: string];

/** A wait shorter than this is nothing to speak of. */
const LONG_WAIT_MS = 10_000;
/** How many objects are named before the rest is a number. */
const NAMED = 3;

export interface Ended {
  readonly release: Release;
  readonly policy: DrainPolicy;
  readonly seconds: number;
  /** The command to run again. */
  readonly again: string;
  /** Pods of the operator are there: its leader goes on with what a run has left. */
  readonly operatorRuns?: boolean;
  /** Of Helm's release, where there is one: then a person can also go back. */
  readonly revision?: string;
}

/** The last lines of a run: what was kept and left, the result; on failure object, reason and next command last. */
export function endingLines(conclusion: Conclusion, ended: Ended): readonly Line[] {
  const { ending, report, farewell } = conclusion;
  const kept = keptLines(conclusion, ended);
  const left = leftLines(report);
  const foreign = [...report.foreign]
    .slice(0, NAMED)
    .map(([object, names]): Line => ["foreign", `${object} still carries ${names.join(", ")} of another controller`]);
  if (farewell === undefined) return [...left, ...foreign, ...unfinishedLines(ending, report, ended)];
  return [
    ["verified", `no finalizer of this release is left (${rows.length} kinds listed, no cache)`],
    ...kept,
    ...registrationLines(farewell),
    ...left,
    ...foreign,
    ["done", `${report.done} objects, ${report.remoteDeleted} deleted at ngrok, ${ended.seconds.toFixed(1)}s`],
  ];
}

function registrationLines(farewell: Farewell): readonly Line[] {
  if (farewell.is === "absent" || farewell.registration !== "kept") return [];
  const id = farewell.id === undefined ? "" : `, ${farewell.id},`;
  return [["kept", `the registration at ngrok${id} could not be removed: ${farewell.why ?? "no answer"}`]];
}

/** How many objects are named, and the way out of the first that nobody owns. */
function leftLines(report: Report): readonly Line[] {
  const all = leftAlone(report);
  const named = all
    .slice(0, report.strangers.size + NAMED)
    .map(({ object, why }): Line => ["left", `${object}: ${why}`]);
  const more = all.length - named.length;
  return [
    ...named,
    ...(more > 0 ? [["left", `${more} more whose owner nobody can tell`] as const] : []),
    ...(report.letGo === undefined ? [] : [["remedy", `if nobody needs it any more: ${report.letGo}`] as const]),
  ];
}

/** More ids than this are only in the report. */
const KEPT_NAMED = 12;

function keptLines({ report, reported }: Conclusion, { release }: Ended): readonly Line[] {
  if (report.kept.length === 0) return [];
  const where = reported
    ? `; ids in ConfigMap ${namesOf(release).report}`
    : "; the report could not be written, so here are the first";
  const named = reported ? [] : report.kept.slice(0, KEPT_NAMED).map((line): Line => ["kept", line]);
  return [["kept", `at ngrok: ${countsOf(report.keptByKind)}${where}`], ...named];
}

/** A wait that is longer than a run is the reason, more than the refusal itself. */
function waitWords({ retryAfterMs = 0 }: KnownError): string {
  return retryAfterMs < LONG_WAIT_MS ? "" : `; the server asks to wait ${Math.ceil(retryAfterMs / 1000)}s`;
}

function unfinishedLines(ending: Conclusion["ending"], report: Report, ended: Ended): readonly Line[] {
  const problems = [
    ...[...report.unknown].map(([kind, error]) => ({ what: kind, error })),
    ...openFailures(report).map(({ object, error }) => ({ what: object, error })),
  ];
  const named = problems
    .slice(0, NAMED)
    .map(({ what, error }): Line => ["blocked", `${what}: ${error.message}${waitWords(error)}`]);
  const all = report.unknown.size + openCount(report);
  const more: Line[] = all > NAMED ? [["blocked", `${all - NAMED} more`]] : [];
  const hints = [...new Set(problems.flatMap(({ error }) => error.hint ?? []))]
    .slice(0, 2)
    .map((hint): Line => ["remedy", hint]);
  if (ended.policy === "Delete" && problems.some(({ error }) => ngrokRefuses(error)))
    hints.push(["remedy", `or keep what is at ngrok: ${relaxCommand(ended.release)}`]);
  if (ending === "clean" && report.foreignOff !== undefined)
    hints.push(["remedy", `if ${NOBODY_COMES}: ${report.foreignOff}`]);
  const { name, namespace } = ended.release;
  const follow: Line[] =
    ending === "paused" && ended.operatorRuns
      ? [["follow", `kubectl -n ${namespace} get kubernetesoperator ${name} -w`]]
      : [];
  return [
    ...named,
    ...more,
    resultLine(ending, report, ended),
    ...hints,
    ...follow,
    ...backLines(ended),
    ["again", ended.again],
  ];
}

function resultLine(ending: Conclusion["ending"], report: Report, { operatorRuns }: Ended): Line {
  const count = `${report.done} of ${report.total} done`;
  switch (ending) {
    case "paused":
      return [
        "paused",
        `${count} in the time of this run; nothing was let go without its ngrok resource${operatorRuns ? "; the operator goes on meanwhile" : ""}`,
      ];
    case "blocked":
      return ["stopped", `${count}; what is named above keeps its finalizer`];
    case "clean":
      return [
        "stopped",
        `${count}, no finalizer of this release is left; but the CRDs, which go with it, would hang on what is named above`,
      ];
  }
}

/**
 * The way back, as long as there is one: `helm rollback` alone does not open the state. A rollback renders nothing: its hook
 * knows the number of the revision that was taken back, which has the same content but may be pruned from Helm's history.
 */
export function backLines({ release, revision }: Pick<Ended, "release" | "revision">): readonly Line[] {
  if (revision === undefined) return [];
  const { name, namespace } = release;
  return [
    [
      "back",
      `if Helm has no revision ${revision} any more, take the last of "helm history ${name} -n ${namespace}" in the next line`,
    ],
    ["back", `or keep the release: ${openCommand(release)} && helm rollback ${name} ${revision} -n ${namespace}`],
  ];
}
