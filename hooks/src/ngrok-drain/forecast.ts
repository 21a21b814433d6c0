// What an uninstall would do and what stands in its way, as one document: pure, from the counts of a dry run and the
// answers of cluster and ngrok.
import type { Release } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import type { DryRun, KindCount } from "#drain/dry-run.ts";
import { callsUnder, secondsOf } from "#drain/reckoning.ts";
import type { DrainState } from "#drain/state.ts";
import type { PolicyInForce } from "./in-force.ts";

export type Readiness = "yes" | "no" | "unknown";
type PerPolicy<T> = Readonly<Record<DrainPolicy, T>>;

export interface Blocker {
  /** Under which policies it is in the way. */
  readonly policies: readonly DrainPolicy[];
  readonly reason: string;
  readonly remedy: string;
}

/** A question that nobody answered: not a yes. */
export interface Unanswered {
  readonly policies: readonly DrainPolicy[];
  readonly what: string;
  readonly why: string;
}

export interface KindForecast {
  readonly kind: string;
  readonly ours: number;
  readonly finalizer: number;
  readonly retain: string;
  readonly delete: string;
  /** Under Delete, at ngrok. */
  readonly remoteDeleted: number;
  readonly remoteKept: number;
}

export interface Forecast {
  readonly command: "plan";
  readonly release: Release;
  readonly policy: DrainPolicy;
  readonly policyFrom: string;
  readonly crds: "kept" | "deleted";
  readonly state: DrainState;
  readonly kinds: readonly KindForecast[];
  readonly leftAlone: readonly { readonly object: string; readonly why: string }[];
  readonly blockers: readonly Blocker[];
  readonly unanswered: readonly Unanswered[];
  /** Calls to ngrok at most. */
  readonly calls: PerPolicy<number>;
  /** The limit that was reckoned with; 0 for none, as in the chart. */
  readonly callsPerMinute: number;
  readonly seconds: PerPolicy<number>;
  readonly helmTimeoutSeconds: number;
  readonly ready: PerPolicy<Readiness>;
  readonly notes: readonly string[];
}

export interface Answers {
  readonly release: Release;
  readonly inForce: PolicyInForce;
  readonly crdsGo: boolean;
  readonly state: DrainState;
  readonly run: DryRun;
  readonly blockers: readonly Blocker[];
  readonly unanswered: readonly Unanswered[];
  /** Whether the install is registered at ngrok. */
  readonly registered: boolean;
  /** Undefined without a limit of our own. */
  readonly callsPerMinute: number | undefined;
  readonly helmSeconds: number;
  readonly notes: readonly string[];
}

export function forecastOf(answers: Answers): Forecast {
  const { run, release, inForce, state, crdsGo, callsPerMinute } = answers;
  const counts = [...run.kinds.values()];
  const objects = sum(counts, ({ ours }) => ours);
  const load = { calls: sum(counts, (kind) => kind.calls), registered: answers.registered };
  const calls = { Retain: callsUnder("Retain", load), Delete: callsUnder("Delete", load) };
  const blockers = [...answers.blockers, ...foreignBlockers(run, crdsGo)];
  const unanswered = [...answers.unanswered, ...unknownKinds(run)];
  const ready = (policy: DrainPolicy): Readiness => {
    if (blockers.some(({ policies }) => policies.includes(policy))) return "no";
    return unanswered.some(({ policies }) => policies.includes(policy)) ? "unknown" : "yes";
  };
  return {
    command: "plan",
    release,
    policy: inForce.policy,
    policyFrom: inForce.from,
    crds: crdsGo ? "deleted" : "kept",
    state,
    kinds: counts.map(kindForecast),
    leftAlone: [...run.left].map(([object, why]) => ({ object, why })),
    blockers,
    unanswered,
    calls,
    callsPerMinute: callsPerMinute ?? 0,
    seconds: {
      Retain: secondsOf(objects, calls.Retain, callsPerMinute),
      Delete: secondsOf(objects, calls.Delete, callsPerMinute),
    },
    helmTimeoutSeconds: answers.helmSeconds,
    ready: { Retain: ready("Retain"), Delete: ready("Delete") },
    notes: answers.notes,
  };
}

function kindForecast(count: KindCount): KindForecast {
  const { row, ours, finalizer, remoteDeleted, remoteKept } = count;
  const kept = sum([...remoteKept.values()], (n) => n);
  return {
    kind: row.kind.kind,
    ours,
    finalizer,
    retain: row.fate.Retain,
    delete: deleteFate(count, kept),
    remoteDeleted,
    remoteKept: kept,
  };
}

function deleteFate({ row, remoteDeleted, remoteKept }: KindCount, kept: number): string {
  if (row.fate.Delete === row.fate.Retain) return "same";
  if (row.undo === undefined || remoteDeleted + kept === 0) return row.fate.Delete;
  const stays = row.whose === "user" ? "stays, finalizer off" : "deleted";
  const why = [...remoteKept].map(([reason, n]) => `${n} kept: ${reason}`);
  return `${stays}; at ngrok ${[`${remoteDeleted} deleted`, ...why].join(", ")}`;
}

/** Ours goes off whatever else is there; but an object that is deleted, alone or with its CRD, would wait for the other. */
function foreignBlockers(run: DryRun, crdsGo: boolean): readonly Blocker[] {
  return [...run.foreign].map(([object, finalizers]) => ({
    policies: crdsGo ? ["Retain", "Delete"] : ["Delete"],
    reason: `${object} carries ${finalizers.join(", ")} of another controller; deleted, it would stay until that is off`,
    remedy: `ask whose it is to let go${crdsGo ? ", or upgrade with crds.keep=true" : ", or choose Retain"}`,
  }));
}

function unknownKinds(run: DryRun): readonly Unanswered[] {
  return [...run.unknown].map(([what, error]) => ({ policies: ["Retain", "Delete"], what, why: error.message }));
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
