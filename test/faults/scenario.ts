// What a scenario of the worst day is: one sentence, what happens before and during `helm uninstall`, and how the first
// run may end. flow.ts runs it under both Helms and both policies; verdict.ts says what must hold whatever happens.
import type { Fronts } from "#scripts/demo/fronts.ts";
import type { Kubectl } from "#test/support/kubectl.ts";
import type { AddedCallFault, ApiProxy, Match } from "#test/support/api-proxy.ts";
import type { AuditEvent } from "#test/support/audit.ts";
import { HELMS, type HelmRun, type HelmVersion } from "#test/support/helm.ts";
import type { NgrokApi } from "#test/support/ngrok-api/server.ts";
import type { Population } from "#test/support/population.ts";
import type { Processes } from "#test/support/processes.ts";
import type { Release } from "#test/support/release.ts";
import type { Scene } from "#test/support/open-scene.ts";
import type { Random } from "./random.ts";

export const POLICIES = ["Retain", "Delete"] as const;
export type Policy = (typeof POLICIES)[number];

/** One cell of the matrix. */
export interface RunCase {
  readonly helm: HelmVersion;
  readonly policy: Policy;
  /** `crds.keep` of the chart. */
  readonly keep: boolean;
}

/** How the first `helm uninstall` ends: 0, 1 with these in its output, or either (`maybe`: the moment decides). */
export type FirstEnd = "0" | "maybe" | readonly RegExp[];

type Step = (act: Act) => Promise<void>;

export interface ScenarioOptions {
  /** Small letters, digits and hyphens: `hook-killed`. */
  readonly name: string;
  /** What happens, for a reader of docs/uninstall-matrix.md, with the numbers it answers at its end: `... (F2, E9)`. */
  readonly sentence: string;
  /** Default both. What is left out needs a reason in `leftOut`. */
  readonly policies?: readonly Policy[];
  readonly helms?: readonly HelmVersion[];
  /** Why a policy or a Helm is left out: the footnote of the table. */
  readonly leftOut?: string;
  /** Also with `crds.keep=false`, where Helm deletes the CRDs and a finalizer that is left would hang them. */
  readonly keepFalse?: true;
  /** Objects with a counterpart at ngrok; default 30. */
  readonly count?: number;
  /** Of the chart, as `--set` takes them. */
  readonly values?: Readonly<Record<string, string | number | boolean>>;
  /** Seconds: `--timeout` of helm uninstall and the chart's cleanupHook.timeout; 30 to 90, default 60. */
  readonly helmTimeout?: number;
  /** Flags of each `helm uninstall`. */
  readonly flags?: readonly string[];
  /** Default "0": it must succeed at once. */
  readonly firstEnd?: FirstEnd | ((run: RunCase) => FirstEnd);
  /** Of the count of residue at the end: what is somebody else's, such as `/^finalizer on ingress .*\/theirs$/`. */
  readonly leaves?: readonly RegExp[] | ((run: RunCase) => readonly RegExp[]);
  /** Of our seven CRDs, with crds.keep; fewer where a step deletes one. */
  readonly crdsLeft?: number;
  /** Why no hook can say what to type next (its pod never runs); docs/runbook-uninstall.md does. */
  readonly mute?: string;
  /** Runs in every `npm test`; the rest only in `npm run test:faults`. Keep it to what takes under 20 s. */
  readonly smoke?: true;
  /** After the objects are Ready, before `helm uninstall`: arm the faults here. */
  readonly before?: Step;
  /** Instead of `helm uninstall`, each time: another way to take the operator away; what it printed, and 0 or 1. */
  readonly way?: (act: Act) => Promise<HelmRun>;
  /** Starts together with the first `helm uninstall` and is waited for. */
  readonly during?: Step;
  /** Once, after a first run that ended with 1: what its output tells a person to do before the same command again. */
  readonly remedy?: Step;
  /** At the very end, on top of what must always hold. */
  readonly after?: Step;
}

export interface Scenario extends ScenarioOptions {
  readonly policies: readonly Policy[];
  readonly helms: readonly HelmVersion[];
  readonly count: number;
  readonly helmTimeout: number;
}

/** What a scenario's steps are given. Every wait of it ends with `signal` at the latest. */
export interface Act {
  readonly run: RunCase;
  readonly scene: Scene;
  readonly release: Release;
  readonly population: Population;
  readonly kubectl: Kubectl;
  /** The stand-in: `ngrok.faults.add(...)`, `ngrok.ledger`, `ngrok.keys.revoke(...)`. */
  readonly ngrok: NgrokApi;
  /** What agents and forwarders connect to: `fronts.edge`, `fronts.ingress`. */
  readonly fronts: Fronts;
  /** Every call of every pod of the release to the API server passes it. */
  readonly proxy: ApiProxy;
  /** The real processes of pods and of the cluster. */
  readonly processes: Processes;
  /** The same for the same seed and case. */
  readonly random: Random;
  /** Aborts when the case is over its time. */
  readonly signal: AbortSignal;
  /** The ends of the `helm uninstall`s so far. */
  readonly runs: readonly HelmRun[];
  /** `-n <namespace of the release>` */
  readonly at: readonly string[];
  /** Another `helm uninstall` of the release, as from a second terminal; its end is among `runs`. */
  readonly again: (flags?: readonly string[]) => Promise<HelmRun>;
  /** SIGKILL of the calling process at its n-th such call from now on; whether that call still arrives is drawn. */
  readonly killAt: (match: Match, n: number) => AddedCallFault;
  /** Until the drain state says so; rejects after `withinMs`, default 120,000. */
  readonly phase: (is: "Draining" | "Drained", withinMs?: number) => Promise<void>;
  /** What the last `helm uninstall` printed, as a person reads it; rejects with it all when it is not there. The first group, or all. */
  readonly printed: (pattern: RegExp) => string;
  /** Types a printed command into a shell that has kubectl, helm (of this case) and the kubeconfig. */
  readonly shell: (line: string) => Promise<string>;
  /** Accepted and refused calls since just before the first `helm uninstall`. */
  readonly audit: () => Promise<AuditEvent[]>;
  /** Undoes, when the case is over, what a step did outside of the release; in reverse order. */
  readonly onEnd: (undo: () => Promise<unknown>) => void;
}

export type { Match, Random };

/** Of a scenario that deletes by hand what the guard does not let go: its cluster has none. */
export const unguarded = { "protect.enabled": false } as const;

/** As the list of failures and their tests looks for them. */
const NUMBERS = / \([FWE]\d+(, [FWE]\d+)*\)$/;

/** Checks a scenario as it is written: a mistake in it must not look like a defect of the operator. */
export function defineScenario(options: ScenarioOptions): Scenario {
  const { name, sentence, policies = POLICIES, helms = HELMS, count = 30, helmTimeout = 60 } = options;
  const wrong = (why: string): Error => new Error(`scenario ${name}: ${why}`);
  if (!/^[a-z][a-z0-9-]*$/.test(name)) throw wrong("a name is small letters, digits and hyphens");
  if (sentence.endsWith(".") || (/\([FWE]\d/.test(sentence) && !NUMBERS.test(sentence)))
    throw wrong(
      "the sentence ends without a full stop, and with the numbers it answers if there are any: ... (F2, E9)",
    );
  if (sentence.length < 20) throw wrong("the sentence tells a reader who knows nothing of it what happens");
  if (helmTimeout < 30 || helmTimeout > 90) throw wrong(`helmTimeout ${helmTimeout} is not within 30 and 90 seconds`);
  if ((policies.length < 2 || helms.length < 2) && options.leftOut === undefined)
    throw wrong("leftOut has to say why a policy or a Helm is left out");
  return { ...options, policies, helms, count, helmTimeout };
}

/** The end that is expected of the first run. */
export function firstEndOf({ firstEnd = "0" }: ScenarioOptions, run: RunCase): FirstEnd {
  return typeof firstEnd === "function" ? firstEnd(run) : firstEnd;
}

/** What this case may leave of the count of residue. */
export function leavesOf({ leaves = [] }: ScenarioOptions, run: RunCase): readonly RegExp[] {
  return typeof leaves === "function" ? leaves(run) : leaves;
}
