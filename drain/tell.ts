// Shows the drain on the KubernetesOperator while it runs, whoever drives: conditions, counters at most once a second
// besides the first and the last word and the first total, two events. Failing to tell never fails the drain.
import { setConditions } from "#api/conditions.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import type { DrainProgress, KubernetesOperatorReason } from "#api/kubernetes-operator.ts";
import type { Release } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { emit } from "#kube/event.ts";
import { applyStatus } from "#kube/status.ts";
import type { Hands } from "./hands.ts";
import { progressOf, type Report } from "./report.ts";
import type { Driver } from "./state.ts";

/** Whose fields these are: the driver's alone, so that the leader's own status survives beside them. */
export const DRAIN_FIELD_MANAGER = "ngrok-operator-drain";
const EVERY_MS = 1_000;
/** A shorter wait is over before a person has read of it; between passes there are many. */
const WORTH_TELLING_MS = 5_000;

export interface Teller {
  /** Awaited: which policy holds, before anything is done under it. */
  sealed(report: Report): Promise<void>;
  /** Returns at once: nobody waits for words while objects can be freed. */
  started(report: Report): void;
  /** Returns at once; writes at most once a second, the first total aside, and never two at a time. */
  progress(report: Report): void;
  /** Nothing more happens for `ms`; when that is long enough to be seen, it and its reason are shown until then. */
  waiting(report: Report, why: string, ms: number): Promise<void>;
  /** The run ended without being done. */
  failed(report: Report): Promise<void>;
  completed(report: Report): Promise<void>;
  deregistered(report: Report): Promise<void>;
}

interface Show {
  readonly phase: string;
  readonly draining: { status: "True" | "False"; reason: KubernetesOperatorReason; message: string };
  readonly ready: { reason: KubernetesOperatorReason; message: string };
  readonly deregistered?: boolean;
}

const INITIATED = "Drain initiated";

const completed: Show = {
  phase: "Drained",
  draining: { status: "False", reason: "DrainCompleted", message: "Drain completed successfully" },
  ready: { reason: "DrainCompleted", message: "Drain completed successfully" },
};

export function teller(
  hands: Pick<Hands, "connection" | "read" | "clock">,
  release: Release,
  driver: Driver,
  policy: () => DrainPolicy,
  signal: AbortSignal,
): Teller {
  const ref = { name: release.name, namespace: release.namespace };
  const startedAt = hands.clock.date().toISOString();
  let absent = false;
  let seen: KubernetesOperator | undefined;
  let last = 0;
  /** Until a total is shown it reads 0 of 0, and the first object may take its time. */
  let isCounted = false;
  let writing: Promise<void> | undefined;

  const write = async (report: Report, show: Show): Promise<void> => {
    isCounted ||= report.total > 0;
    if (absent) return;
    try {
      const operator = await hands.read.get(KubernetesOperator, ref, signal);
      absent = operator === undefined;
      seen = operator;
      if (operator === undefined) return;
      await applyStatus(
        hands.connection,
        KubernetesOperator,
        { ...ref, uid: operator.metadata.uid },
        statusOf(operator, report, show),
        DRAIN_FIELD_MANAGER,
        signal,
      );
    } catch {
      // The drain is what matters; the next second tries again.
    }
  };
  const statusOf = (operator: KubernetesOperator, report: Report, show: Show) => {
    const drain: DrainProgress = {
      ...progressOf(report, policy()),
      phase: show.phase,
      driver,
      startedAt,
      ...(show === completed || show.deregistered === true ? { completedAt: hands.clock.date().toISOString() } : {}),
    };
    const findings = [
      { type: "Draining", ...show.draining },
      { type: "Ready", status: "False" as const, ...show.ready },
      ...(show.deregistered === true
        ? [
            {
              type: "Registered",
              status: "False" as const,
              reason: "Deregistered",
              message: "Deregistered from the ngrok API",
            },
          ]
        : []),
    ];
    const observed = { at: hands.clock.date().toISOString(), generation: operator.metadata.generation };
    const own = new Set(findings.map(({ type }) => type));
    const conditions = setConditions(operator.status?.conditions, findings, observed).filter(({ type }) =>
      own.has(type),
    );
    return { conditions, drain, ...(show.deregistered === true ? { id: "", uri: "" } : {}) };
  };
  const hasFirstTotal = ({ total }: Report): boolean => total > 0 && !isCounted;
  const alone = async (report: Report, show: Show): Promise<void> => {
    await writing;
    await write(report, show);
  };
  const event = async (reason: "DrainStarted" | "DrainCompleted", note: string): Promise<void> => {
    if (seen === undefined) return;
    const about = { regarding: seen, type: "Normal", action: "Drain", controller: "drain-orchestrator" } as const;
    await emit(hands.connection, { ...about, reason, note }, signal);
  };
  const announce = async (report: Report): Promise<void> => {
    await write(report, inProgress(INITIATED));
    await event("DrainStarted", "Starting drain of all managed resources");
    if (hasFirstTotal(report)) await write(report, counted(report));
  };
  const soon = (work: Promise<void>): void => {
    writing = work.finally(() => {
      writing = undefined;
    });
  };

  return {
    sealed: (report) => alone(report, inProgress(INITIATED)),
    started(report) {
      last = hands.clock.now();
      soon(announce(report));
    },
    progress(report) {
      const now = hands.clock.now();
      if (writing !== undefined || (now - last < EVERY_MS && !hasFirstTotal(report))) return;
      last = now;
      soon(write(report, counted(report)));
    },
    async waiting(report, why, ms) {
      if (ms < WORTH_TELLING_MS) return;
      const rest = last + EVERY_MS - hands.clock.now();
      if (rest > 0) await hands.clock.sleep(rest, signal);
      last = hands.clock.now();
      await alone(report, inProgress(`${report.done} of ${report.total} objects drained, waiting: ${why}`));
    },
    failed: (report) =>
      alone(report, failing(`Drain encountered ${report.failed + report.unknown.size} errors, will retry`)),
    async completed(report) {
      await alone(report, completed);
      await event("DrainCompleted", "All managed resources have been drained");
    },
    deregistered: (report) => alone(report, { ...completed, deregistered: true }),
  };
}

function inProgress(message: string): Show {
  return {
    phase: "Draining",
    draining: { status: "True", reason: "DrainInProgress", message },
    ready: { reason: "Draining", message: "KubernetesOperator is being deleted" },
  };
}

function counted({ done, total }: Report): Show {
  return inProgress(`${done} of ${total} objects drained`);
}

function failing(message: string): Show {
  return {
    phase: "Draining",
    draining: { status: "True", reason: "DrainFailed", message },
    ready: { reason: "DrainFailed", message },
  };
}
