// What a drain came to: a fold over its events, from which log lines, status.drain and the report ConfigMap are made.
// The fold changes the report in place: a copy for each of 50,000 events would cost the square of them.
import type { DrainProgress } from "#api/kubernetes-operator.ts";
import { drainErrorLimits } from "#api/kubernetes-operator.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { resourceName } from "#kube/kind.ts";
import type { KnownError } from "#wire/errors.ts";
import type { DrainEvent } from "./events.ts";
import type { Undone } from "./hands.ts";
import { kindNameOf, nameOf } from "./names.ts";
import { finalizersOf, namedOwner } from "./ours.ts";
import type { Step } from "./plan.ts";
import type { Told } from "./told.ts";

export interface Failure {
  readonly object: string;
  readonly error: KnownError;
}

interface Unanswered {
  readonly kind: string;
  readonly act: Step["act"];
  readonly id: string | undefined;
  /** The run ended in the middle of it, so that it has no later pass to be met by. */
  readonly stopped: boolean;
}

export interface Report {
  passes: number;
  /** Objects of this install that were planned, over all passes, each counted once as long as it succeeds at first. */
  total: number;
  /** Those of them that a pass has met so far. */
  planned: number;
  /** How many were counted before the first pass: the total shows no fewer until all is done. */
  readonly expected: number;
  done: number;
  /** Of `done`, by kind, in the order of the waves. */
  readonly byKind: Map<string, number>;
  /** Remote objects that ngrok deleted. */
  remoteDeleted: number;
  /** `domain shop/a-example-com rd_123`: what stays at ngrok, and why when the policy alone does not say it. */
  readonly kept: string[];
  readonly keptByKind: Map<string, number>;
  /** `domain shop/a-example-com rd_123`: what was deleted, in the cluster or at ngrok. */
  readonly removed: string[];
  /** Writes without an answer, by object: the server may have done them, and then no pass meets that object again. */
  readonly unanswered: Map<string, Unanswered>;
  /** Objects with our finalizer of which nobody can say whose they are, and why, in the current pass. */
  readonly left: Map<string, string>;
  /** How one of them is let go by hand, in one command. */
  letGo: string | undefined;
  /** What other installs own, by owner, in the current pass: a number and the first name, for it is all in order. */
  strangers: Map<string, { readonly first: string; readonly count: number }>;
  /** Foreign finalizers on objects of ours: `cloudendpoint shop/web` -> names. */
  readonly foreign: Map<string, readonly string[]>;
  /** How one of those is let go by hand, where it stops the end of the drain. */
  foreignOff?: string;
  /** Failures of the current pass only: what failed and then worked is no failure. */
  failures: Failure[];
  /** How many they are; of very many only the first are kept, for each has an error with its causes. */
  failed: number;
  /** By name: what failed in the pass before and has not been met in the current one, for a run that ends in between. */
  before: Map<string, KnownError>;
  /** Kinds that could not be listed in the current pass. */
  unknown: Map<string, KnownError>;
}

const FAILURES_KEPT = 100;

/** @param expected objects, where they were counted beforehand. */
export function newReport(expected = 0): Report {
  return {
    passes: 0,
    total: expected,
    planned: 0,
    expected,
    done: 0,
    byKind: new Map(),
    remoteDeleted: 0,
    kept: [],
    keptByKind: new Map(),
    removed: [],
    unanswered: new Map(),
    left: new Map(),
    letGo: undefined,
    strangers: new Map(),
    foreign: new Map(),
    failures: [],
    failed: 0,
    before: new Map(),
    unknown: new Map(),
  };
}

/** Takes one event into the report. */
export function fold(report: Report, event: DrainEvent): void {
  switch (event.is) {
    case "pass":
      report.passes = event.n;
      for (const { object, error } of report.failures) report.before.set(object, error);
      report.failures = [];
      report.failed = 0;
      report.unknown = new Map();
      report.left.clear();
      report.letGo = undefined;
      report.strangers = new Map();
      // What is met again was counted before: the total never goes beyond the objects.
      report.planned = report.done;
      report.total = totalOf(report);
      return;
    case "planned":
      report.planned += event.steps;
      report.total = totalOf(report);
      return;
    case "did":
      met(report, event.step);
      did(report, event.step, event);
      return;
    case "left":
      left(report, event.step);
      return;
    case "failed":
      report.failed += 1;
      met(report, event.step);
      if (event.error.class === "transient") unanswered(report, event.step, false);
      if (report.failures.length < FAILURES_KEPT)
        report.failures.push({ object: nameOf(event.step.at.row, event.step.at.object), error: event.error });
      return;
    case "stopped":
      unanswered(report, event.step, true);
      return;
    case "unknown":
      report.unknown.set(kindNameOf(event.row), event.error);
      return;
    case "waiting":
      // The pass is over: what it has not met is not there any more.
      report.before.clear();
  }
}

function met({ before }: Report, { at }: Step): void {
  if (before.size > 0) before.delete(nameOf(at.row, at.object));
}

/** What has failed and is not known to be done: of the current pass, and of the one before as far as that got. */
export function openFailures({ failures, before }: Report): readonly Failure[] {
  return [...failures, ...[...before].map(([object, error]) => ({ object, error }))];
}

/** How many those are. */
export function openCount({ failed, before }: Report): number {
  return failed + before.size;
}

/** A pass that has only begun has not met all that the one before failed at. */
function totalOf({ planned, expected, done, before }: Report): number {
  return Math.max(planned, expected, done + before.size);
}

function left(report: Report, { at, why }: Step): void {
  const name = nameOf(at.row, at.object);
  const owner = at.whose === "stranger" ? namedOwner(at.object) : undefined;
  if (owner !== undefined) {
    const { first = name, count = 0 } = report.strangers.get(owner) ?? {};
    report.strangers.set(owner, { first, count: count + 1 });
    return;
  }
  report.left.set(name, why);
  if (at.whose === "not") report.letGo ??= letGoCommand(at);
}

/** What was left alone and why: what other installs own in numbers, what nobody owns one by one. */
export function leftAlone({ strangers, left: nobodys }: Report): readonly { object: string; why: string }[] {
  const owned = [...strangers].map(([owner, { first, count }]) => ({
    object: count === 1 ? first : `${count} objects, ${first} for one`,
    why: `another install owns ${count === 1 ? "it" : "them"}: ${owner}`,
  }));
  return [...owned, ...[...nobodys].map(([object, why]) => ({ object, why }))];
}

/** Without double quotes, which would not survive Helm's printing; kubectl reads YAML. */
function letGoCommand({ row, object: { metadata } }: Step["at"]): string {
  const index = metadata.finalizers?.findIndex((entry) => finalizersOf(row).includes(entry)) ?? 0;
  const at = metadata.namespace === undefined ? "" : `-n ${metadata.namespace} `;
  const patch = `[{op: remove, path: /metadata/finalizers/${index}}]`;
  return `kubectl ${at}patch ${resourceName(row.kind)} ${metadata.name} --type json -p '${patch}'`;
}

function did(report: Report, step: Step, { undone }: DrainEvent & { is: "did" }): void {
  const { row, object, foreign } = step.at;
  report.done += 1;
  add(report.byKind, row.kind.kind, 1);
  const name = nameOf(row, object);
  report.unanswered.delete(name);
  // On a user's object other controllers' finalizers are the ordinary thing; on ours they would hold a CRD that goes.
  if (row.whose === "ours" && foreign.length > 0) report.foreign.set(name, foreign);
  if (undone?.remote === "deleted") report.remoteDeleted += 1;
  if (undone?.remote === "kept")
    keep(report, row.kind.kind, `${name}${undone.id ? ` ${undone.id}` : ""}: ${undone.why}`);
  else if (step.act === "delete" || undone?.remote === "deleted") report.removed.push(flat(removedLine(name, undone)));
  const id = remoteIdOf(step);
  if (step.act === "free" && id !== undefined)
    keep(report, row.kind.kind, `${name} ${id}${step.at.deleting ? `: ${step.why}` : ""}`);
}

function unanswered(report: Report, step: Step, stopped: boolean): void {
  if (step.act === "contested") return;
  const at = { kind: step.at.row.kind.kind, act: step.act, id: remoteIdOf(step), stopped };
  report.unanswered.set(nameOf(step.at.row, step.at.object), at);
}

/** After a pass that has met nothing: whatever had no answer was done, and is told like all else. */
export function settle(report: Report): void {
  for (const [name, { kind, act, id }] of report.unanswered) {
    report.done += 1;
    add(report.byKind, kind, 1);
    const line = unansweredLine(name, id);
    if (act === "delete") report.removed.push(flat(line));
    else if (act === "free" && id !== undefined) keep(report, kind, line);
  }
  report.unanswered.clear();
}

/**
 * What a run that has to stop tells of them: what stays at ngrok whether or not these writes were done, since only the
 * finalizer was to go; and of what was to be deleted the few that were at work just then. A later run that meets them tells better.
 */
export function unansweredTold({ unanswered: all }: Report): Told {
  const linesOf = (isTold: (one: Unanswered) => boolean) =>
    [...all].flatMap(([name, one]) => (isTold(one) ? [unansweredLine(name, one.id)] : []));
  return {
    kept: linesOf(({ act, id }) => act === "free" && id !== undefined),
    removed: linesOf(({ act, stopped }) => act === "delete" && stopped),
  };
}

function unansweredLine(name: string, id: string | undefined): string {
  return `${name}${id === undefined ? "" : ` ${id}`}: the answer to the last write was lost`;
}

function removedLine(name: string, undone: Undone | undefined): string {
  const id = undone !== undefined && "id" in undone && undone.id ? ` ${undone.id}` : "";
  return `${name}${id}${undone?.remote === "gone" ? ": ngrok did not have it any more" : ""}`;
}

function keep(report: Report, kind: string, line: string): void {
  report.kept.push(flat(line));
  add(report.keptByKind, kind, 1);
}

/** V8 keeps a string that was put together as its parts, which for 50,000 lines take four times as much. */
function flat(line: string): string {
  return Buffer.from(line).toString();
}

function remoteIdOf({ at: { row, object } }: Step): string | undefined {
  if (row.namedAtNgrok !== undefined) return row.namedAtNgrok(object);
  if (row.whose !== "ours") return undefined;
  const id = (object as { status?: { id?: unknown } }).status?.id;
  return typeof id === "string" && id !== "" ? id : undefined;
}

function add(counts: Map<string, number>, key: string, n: number): void {
  counts.set(key, (counts.get(key) ?? 0) + n);
}

/** The errors as status.drain shows them: the last 20, each within the schema's length. */
export function errorsOf(report: Report): string[] {
  const unknown = [...report.unknown].map(([kind, error]) => `failed to list ${kind}: ${error.message}`);
  const failures = openFailures(report).map(({ object, error }) => `${object}: ${error.message}`);
  return [...unknown, ...failures].slice(-drainErrorLimits.count).map((text) => text.slice(0, drainErrorLimits.length));
}

/** The counters for `status.drain`. */
export function progressOf(
  report: Report,
  policy: DrainPolicy,
): Pick<DrainProgress, "drainedResources" | "failedResources" | "totalResources" | "errors" | "policy"> {
  const errors = errorsOf(report);
  return {
    drainedResources: report.done,
    failedResources: openCount(report),
    totalResources: report.total,
    policy,
    ...(errors.length > 0 ? { errors } : {}),
  };
}

/** `Ingress 31, CloudEndpoint 60`, or "nothing". */
export function countsOf(counts: ReadonlyMap<string, number>): string {
  return counts.size === 0 ? "nothing" : [...counts].map(([kind, n]) => `${kind} ${n}`).join(", ");
}
