// Who may write, and what that one has to do: takes the Lease, reads the signs past every cache, and lets drain/trigger.ts
// say the duty: reconcile, drive a drain, yield to a hook that drives, or write nothing.
import { IN_NO_MANIFEST } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { Release } from "#api/release.ts";
import type { Hands } from "#drain/hands.ts";
import { leaderDrain } from "#drain/lead.ts";
import { type DrainState, type StateReader, stateRef } from "#drain/state.ts";
import { type Duty, dutyOf } from "#drain/trigger.ts";
import type { DrainEvent } from "#drain/events.ts";
import { openCount, type Report } from "#drain/report.ts";
import type { Connection } from "#kube/connection.ts";
import { ConfigMap } from "#kube/kinds.ts";
import { hold } from "#kube/lease.ts";
import { LEASE_TIMING, type LeaseNews, type LeaseTiming, type WriteToken } from "#kube/write-token.ts";
import type { LeaseView } from "#kube/lease-observer.ts";
import type { Reader } from "#kube/reader.ts";
import { writer } from "#kube/writer.ts";
import type { NgrokClient } from "#ngrok/client.ts";
import type { Clock } from "#wire/clock.ts";
import { FenceLost, known } from "#wire/errors.ts";
import type { Bell } from "./bell.ts";
import type { Gate } from "./gate.ts";
import type { Log } from "./log.ts";
import type { Metrics } from "./metrics.ts";
import { signsFor } from "./signs.ts";
import type { Term } from "./term.ts";

export interface LeaderParts {
  readonly connection: Connection;
  readonly reader: Reader;
  readonly ngrok: NgrokClient | undefined;
  readonly clock: Clock;
  readonly release: Release;
  /** Name of the Lease, in the release namespace. */
  readonly lease: string;
  /** `pod/<name>/<uid>` */
  readonly identity: string;
  readonly clusterWide: boolean;
  readonly state: StateReader;
  readonly gate: Gate;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly timing?: LeaseTiming;
  /** SIGTERM: ends the term and frees the Lease. */
  readonly signal: AbortSignal;
  /** Whether a controller has seen one of our CRDs going since this was asked last; only where they may not be read. */
  heardTerminating(): boolean;
  /** Puts the controllers to work under this token. */
  startTerm(hands: Hands, heldSince: number): Term;
  /** Woken when something may have changed the duty; see `Bell`. */
  readonly bell: Bell;
}

/** Signs are read again this often even when nothing rang: a missed ring must not be a missed deletion. */
const LOOK_AGAIN_MS = 60_000;
/** A drain that did not come to its end is tried again after this long. */
const DRIVE_AGAIN_MS = 15_000;
/** Who has nothing to do holds nothing, and asks again when something rings or after this long. */
const IDLE_MS = 60_000;

/** Ends with "stopped" on SIGTERM, with "lost" when the Lease was lost: then the process must end, since a write may be late. */
export async function lead(parts: LeaderParts): Promise<"stopped" | "lost"> {
  const { signal, bell, clock } = parts;
  while (!signal.aborted) {
    const seen = bell.rings;
    let ended: "idle" | "yielded" | "lost";
    try {
      ended = await oneHold(parts);
    } catch (error) {
      if (signal.aborted) return "stopped";
      if (error instanceof FenceLost) return "lost";
      parts.log.warn({ err: known(error).message, hint: known(error).hint }, "cannot hold the Lease");
      ended = "idle";
    }
    if (ended === "lost") return signal.aborted ? "stopped" : "lost";
    if (ended === "idle") await bell.wait(seen, idleFor(parts), clock, signal);
  }
  return "stopped";
}

/** Under Drained somebody may have stopped before the last step: that is seen by standing by, not by waiting for news. */
function idleFor({ gate, timing }: LeaderParts): number {
  return gate.state.phase === "Drained" ? (timing ?? LEASE_TIMING).durationMs : IDLE_MS;
}

async function oneHold(parts: LeaderParts): Promise<"idle" | "yielded" | "lost"> {
  const { clock, signal, gate, metrics, lease } = parts;
  const before = await gate.fresh(signal);
  // A drained install without a KubernetesOperator needs nobody, and its Lease must not come back after the uninstall.
  if (before.phase === "Drained" && !(await hasOperator(parts))) return "idle";
  const standing: Standing = { stoodBy: false };
  await using token = await takeLease(parts, standing);
  metrics.leads(lease, true);
  try {
    const ended = await serve(parts, token, standing, clock.now());
    await token[Symbol.asyncDispose]();
    // Whoever was stopped for a while may have heard the mark before the deadline was noticed.
    return (await token.ended) === "lost" ? "lost" : ended;
  } finally {
    metrics.leads(lease, false);
  }
}

/** Waits for the Lease until `parts.signal`, and holds it no longer. */
export async function takeLease(parts: LeaderParts, standing: Standing): Promise<WriteToken> {
  const { connection, clock, signal, gate, lease, release } = parts;
  const durationMs = (parts.timing ?? LEASE_TIMING).durationMs;
  return await hold(connection, {
    lease: { name: lease, namespace: release.namespace },
    holder: parts.identity,
    signal,
    clock,
    ...(parts.timing === undefined ? {} : { timing: parts.timing }),
    // By its label a person finds it who tidies up by hand: docs/gitops.md and docs/runbook-uninstall.md name the command.
    labels: { "app.kubernetes.io/instance": release.name, "app.kubernetes.io/managed-by": "ngrok-operator" },
    annotations: IN_NO_MANIFEST,
    patience(view: LeaseView) {
      const patience = view.holder !== "" || view.vanished || isMarked(gate.state) ? durationMs : 0;
      standing.stoodBy = patience > 0;
      return patience;
    },
    onRenew: async (ending) => await onRenew(parts, standing, ending),
    tell: (news) => tell(parts, news),
  });
}

export interface Standing {
  /** The Lease was free, or unrenewed, for its whole duration before we took it. */
  stoodBy: boolean;
}

function isMarked(state: DrainState): boolean {
  return state.phase === "Draining" || state.phase === "Drained";
}

async function hasOperator({ reader, release: { name, namespace }, signal }: LeaderParts): Promise<boolean> {
  return (await reader.get(KubernetesOperator, { name, namespace }, signal)) !== undefined;
}

/** The state is read anew before each renewal; who cannot read it does not renew, and so loses the right to write. */
async function onRenew(
  { gate, reader, release }: LeaderParts,
  standing: Standing,
  signal: AbortSignal,
): Promise<"keep" | "yield"> {
  const state = await gate.fresh(signal);
  // Unknown may be an unreadable state: the same read once more, whose failure counts.
  if (state.phase === "Unknown") await reader.get(ConfigMap, stateRef(release), signal);
  // Our own mark stands: a later hook's mark is a new one, and it is answered.
  if (state.phase === "Draining" && state.driver === "leader") standing.stoodBy = false;
  const signs = { state, operator: undefined, crdTerminating: false, stoodBy: standing.stoodBy };
  return dutyOf(signs).is === "yield" ? "yield" : "keep";
}

/** Does the duty of the moment until the hold ends. */
async function serve(
  parts: LeaderParts,
  token: WriteToken,
  standing: Standing,
  heldSince: number,
): Promise<"idle" | "yielded" | "lost"> {
  const { bell, clock, signal, log } = parts;
  const hands = handsOf(parts, token);
  let ended: "yielded" | "lost" | undefined;
  const over = new AbortController();
  // No ring: that of our own letting go would be news to who has nothing to lead, and he would take the Lease again at once.
  void token.ended.then((how) => {
    ended = how;
    over.abort(new Error(`the hold has ended: ${how}`));
  });
  let term: Term | undefined;
  try {
    for (let again = 0; ended === undefined && !signal.aborted;) {
      const seen = bell.rings;
      const duty = yieldsAlready(parts, standing) ?? (await look(parts, standing, token));
      if (ended !== undefined) break;
      if (duty.is !== "reconcile") {
        await term?.stop();
        term = undefined;
      }
      again = LOOK_AGAIN_MS;
      if (duty.is === "reconcile") term ??= parts.startTerm(hands, heldSince);
      else if (duty.is === "yield") return "yielded";
      else if (duty.is === "idle") {
        log.warn({ why: duty.why }, "nothing is reconciled");
        return "idle";
      } else if (!(await drive(parts, hands, duty))) again = DRIVE_AGAIN_MS;
      await bell.wait(seen, again, clock, signal, over.signal);
    }
    return ended ?? "yielded";
  } finally {
    await term?.stop();
  }
}

/** A mark that the watch has brought is answered at once; a hook waits for the Lease. */
function yieldsAlready({ gate }: LeaderParts, { stoodBy }: Standing): Duty | undefined {
  const duty = dutyOf({ state: gate.state, operator: undefined, crdTerminating: false, stoodBy });
  return duty.is === "yield" ? duty : undefined;
}

async function look(parts: LeaderParts, { stoodBy }: Standing, token: WriteToken): Promise<Duty> {
  const { signal, log } = parts;
  const either = AbortSignal.any([token.signal, signal]);
  try {
    return dutyOf(await signsFor(parts, stoodBy, either));
  } catch (error) {
    if (either.aborted) return { is: "yield" };
    log.warn({ err: known(error).message }, "cannot read whether something is being drained");
    return { is: "reconcile" };
  }
}

/** True when it came to its end. */
export async function drive(parts: LeaderParts, hands: Hands, duty: Extract<Duty, { is: "drive" }>): Promise<boolean> {
  const { release, clusterWide, identity, state, log, metrics, signal } = parts;
  log.warn({ why: duty.why, policy: duty.policy }, "drains");
  try {
    const conclusion = await leaderDrain({
      hands,
      release,
      clusterWide,
      policy: duty.policy,
      identity,
      state,
      signal: AbortSignal.any([hands.fence.signal, signal]),
      onEvent: (event, report) => show(parts, event, report),
    });
    const { ending, farewell, report } = conclusion;
    metrics.drained({ total: report.total, drained: report.done, failed: openCount(report) });
    log.info(
      { ending, farewell: farewell?.is, drained: report.done, total: report.total },
      "the drain has ended for now",
    );
    return farewell !== undefined;
  } catch (error) {
    if (error instanceof FenceLost || signal.aborted) return false;
    log.error({ err: known(error).message, hint: known(error).hint }, "the drain stopped, and is tried again");
    return false;
  }
}

function show({ log, metrics }: LeaderParts, event: DrainEvent, report: Report): void {
  metrics.drained({ total: report.total, drained: report.done, failed: openCount(report) });
  if (event.is === "pass") log.info({ pass: event.n, drained: report.done, total: report.total }, "drain pass");
  if (event.is === "failed") {
    const { metadata } = event.step.at.object;
    const object = `${event.step.at.row.kind.kind} ${metadata.namespace ?? ""}/${metadata.name}`;
    log.warn({ object, err: event.error.message, hint: event.error.hint }, "cannot drain");
  }
  if (event.is === "waiting") log.info({ ms: event.ms, why: event.why }, "drain waits");
}

export function handsOf({ connection, reader, ngrok, clock }: LeaderParts, token: WriteToken): Hands {
  return {
    connection,
    read: reader,
    write: writer(connection, token),
    ngrok: ngrok?.under(token),
    fence: token,
    clock,
  };
}

function tell({ log, lease }: LeaderParts, news: LeaseNews): void {
  switch (news.is) {
    case "waiting":
      log.info({ lease, holder: news.holder }, "waits for the Lease");
      return;
    case "trouble":
      log.warn({ lease, err: news.error.message, hint: news.error.hint }, "trouble with the Lease");
      return;
    case "lost":
      log.error({ lease, why: news.why }, "lost the Lease");
      return;
    case "held":
    case "yielded":
    case "freed":
      log.info({ lease }, `Lease ${news.is}`);
  }
}
