// The matrix as a list: every scenario under each Helm and policy, and with crds.keep=false where it says so.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { scenarios } from "./scenarios/all.ts";
import type { RunCase, Scenario } from "./scenario.ts";

export interface Case {
  /** `hook-killed.helm3.Retain`, and `.crds-go` with crds.keep=false. */
  readonly id: string;
  readonly scenario: Scenario;
  readonly run: RunCase;
}

export interface Choice {
  /** Names of scenarios, or beginnings of case ids; empty means all. */
  readonly only?: readonly string[];
  /** The cases that every `npm test` runs. */
  readonly smoke?: boolean;
  /** The i-th of n shares, from 1. */
  readonly shard?: { readonly i: number; readonly n: number };
}

export function allCases(of: readonly Scenario[] = scenarios): Case[] {
  return of.flatMap((scenario) =>
    (scenario.keepFalse === true ? [true, false] : [true]).flatMap((keep) =>
      scenario.policies.flatMap((policy) => scenario.helms.map((helm) => caseOf(scenario, { helm, policy, keep }))),
    ),
  );
}

function caseOf(scenario: Scenario, run: RunCase): Case {
  return { id: `${scenario.name}.helm${run.helm}.${run.policy}${run.keep ? "" : ".crds-go"}`, scenario, run };
}

/** Throws when `only` names nothing that there is. */
export function chosenCases({ only = [], smoke = false, shard = { i: 1, n: 1 } }: Choice, all = allCases()): Case[] {
  for (const name of only) {
    if (!all.some((each) => isNamed(each, name)))
      throw new Error(`--only ${name}: no scenario or case is called so; npm run test:faults -- --list shows them all`);
  }
  return all
    .filter((each) => only.length === 0 || only.some((name) => isNamed(each, name)))
    .filter((each) => !smoke || isSmoke(each))
    .filter((_, at) => at % shard.n === shard.i - 1);
}

function isNamed({ id, scenario }: Case, name: string): boolean {
  return scenario.name === name || id === name || id.startsWith(`${name}.`);
}

/** One Helm for each policy: what differs between the Helms is for the whole matrix. */
function isSmoke({ scenario, run }: Case): boolean {
  return scenario.smoke === true && run.keep && (run.helm === 3) === (run.policy === "Retain");
}

/**
 * Changes with the scenario as it is written: a result of an earlier wording is none. Of the source's text, since a test
 * runner writes functions anew.
 */
export function fingerprintOf({ scenario, run }: Case, text = sourceOf(scenario.name)): string {
  return createHash("sha256")
    .update(JSON.stringify([text, run]))
    .digest("hex")
    .slice(0, 16);
}

const SCENARIOS = join(import.meta.dirname, "scenarios");

/** The call of defineScenario, to its closing bracket as the formatter puts it; throws when nothing is called so. */
export function sourceOf(name: string): string {
  for (const file of readdirSync(SCENARIOS)) {
    const text = readFileSync(join(SCENARIOS, file), "utf8");
    const at = text.indexOf(`\n    name: "${name}",`);
    if (at !== -1) return text.slice(at, text.indexOf("\n  }),", at));
  }
  throw new Error(`no file in ${SCENARIOS} defines a scenario ${name}`);
}
