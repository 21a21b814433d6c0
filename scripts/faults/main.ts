// `npm run test:faults`: the fault matrix, whole or a share of it; what has passed for this image and chart is not run
// again. The last line is `N passed, N failed`.
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Command, InvalidArgumentError } from "commander";
import { buildImages } from "#scripts/images/build-images.ts";
import { ofVitest } from "#scripts/test/count.ts";
import { allCases, chosenCases, type Case, type Choice } from "#test/faults/cases.ts";
import { resultOf, resultsFolder } from "#test/faults/results.ts";
import type { FaultsOrder } from "#test/support/faults.ts";
import { productOf } from "#test/support/product.ts";
import { allRights } from "#test/support/rights-seen.ts";
import { writeRecord } from "./record.ts";

const TOP = join(import.meta.dirname, "../..");
const say = (line: string): void => void process.stdout.write(`${line}\n`);

interface Options {
  readonly shard?: NonNullable<Choice["shard"]>;
  readonly only?: string[];
  readonly smoke?: true;
  readonly fresh?: true;
  readonly cluster?: string;
  readonly list?: true;
  readonly record?: true;
  readonly rights?: true;
}

const EXAMPLES = `
Examples:
  npm run test:faults                                        everything that has not passed yet, about two hours when new
  npm run test:faults -- --shard 2/3                         the second of three shares; shares run beside each other
  npm run test:faults -- --only hook-killed                  one scenario under both Helms and policies
  npm run test:faults -- --only hook-killed.helm3.Retain --fresh --cluster mine
                                                             one case again, on a cluster that stays up
  npm run test:faults -- --list                              every case, and which have passed
  FAULTS_SEED=7 npm run test:faults -- --only hook-killed    the moments of an earlier run
  npm run test:faults -- --record && npm run generate        what has passed, into docs/uninstall-matrix.md
  npm run test:faults -- --rights                            which rights no test of e2e and faults has used here

What has passed is kept for this image, this chart and this wording of the scenario, so an interrupted run goes on where
it ended. Writing a scenario: test/faults/README.md.`;

const program = new Command("npm run test:faults --")
  .description("Uninstalls on bad days: each scenario under Helm 3 and 4 and both policies, in a real cluster.")
  .option("--shard <i/n>", "the i-th of n shares, on the cluster faults-<i>", shardOf)
  .option("--only <name...>", "these scenarios, or cases by their ids")
  .option("--smoke", "the part that every `npm test` runs")
  .option("--fresh", "also what has passed")
  .option("--cluster <name>", "this cluster, started unless it runs and left running")
  .option("--list", "say which cases there are, and run none")
  .option("--record", "write what has passed into docs/uninstall-matrix.json, and run none")
  .option("--rights", "say what the chart grants that no test of e2e and faults has used on this machine")
  .addHelpText("after", EXAMPLES)
  .showHelpAfterError("(--help explains)")
  .action(async (options: Options) => {
    const { shard, only, smoke, fresh = false, cluster } = options;
    const choice: Choice = { ...(shard && { shard }), ...(only && { only }), ...(smoke && { smoke }) };
    if (options.record) say(`${await writeRecord(await folder())} results in docs/uninstall-matrix.json`);
    else if (options.rights) await rights();
    else if (options.list) await list(choice);
    else await run({ choice, seed: seedOf(), fresh, ...(cluster !== undefined && { cluster }) });
  });

function shardOf(text: string): NonNullable<Choice["shard"]> {
  const [, i = "0", n = "0"] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (Number(i) < 1 || Number(i) > Number(n)) throw new InvalidArgumentError("say which of how many, such as 1/3");
  return { i: Number(i), n: Number(n) };
}

function seedOf(): number {
  const given = process.env["FAULTS_SEED"];
  if (given === undefined) return randomInt(1, 2 ** 31);
  if (!/^\d{1,10}$/.test(given)) throw new Error(`FAULTS_SEED=${given}: a whole number, as an earlier run printed it`);
  return Number(given);
}

/** Where results of the image lie that the sources make now. */
async function folder(): Promise<string> {
  return resultsFolder(await imageNow());
}

async function imageNow(): Promise<string> {
  return (await buildImages({ tell: () => {}, revision: false })).operator.digest;
}

async function rights(): Promise<void> {
  const { scenes, granted, unused } = await allRights(productOf(await imageNow()));
  for (const text of unused) say(`not used: ${text}`);
  say(`${granted} rights granted in ${scenes} scenes, ${unused.length} of them used in none`);
}

async function list(choice: Choice): Promise<void> {
  const results = await folder();
  const cases = chosenCases(choice);
  let passed = 0;
  for (const each of cases) {
    const result = await resultOf(results, each);
    if (result !== undefined) passed += 1;
    const known = result === undefined ? "" : `${result.ended} (${result.seconds} s, seed ${result.seed})`;
    say(`${each.id.padEnd(48)} ${known}`.trimEnd());
  }
  say(`${cases.length} cases, ${passed} have passed`);
}

async function run(order: FaultsOrder): Promise<void> {
  const cases = chosenCases(order.choice);
  say(`faults: ${cases.length} cases, FAULTS_SEED=${order.seed}`);
  const rest = order.choice.smoke ? notRun(cases) : "";
  if (rest !== "") say(rest);
  const child = spawn(join(TOP, "node_modules/.bin/vitest"), ["run", "--project", "faults"], {
    cwd: TOP,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NO_COLOR: "1", FAULTS: JSON.stringify(order) },
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => child.kill(signal));
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    say(line);
  });
  const code = await new Promise<number>((done, fail) => {
    child.once("error", fail);
    child.once("close", (ended) => done(ended ?? 1));
  });
  const { passed, failed } = ofVitest({ code, lines });
  if (failed > 0) say(`faults: the same moments again with FAULTS_SEED=${order.seed}`);
  if (rest !== "") say(rest);
  say(`${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}

/** Names what the chosen part leaves out: nobody should take it for the whole. */
function notRun(cases: readonly Case[]): string {
  const all = allCases();
  const run = new Set(cases.map(({ scenario }) => scenario.name));
  const names = new Set(all.map(({ scenario }) => scenario.name).filter((name) => !run.has(name)));
  const others = names.size === 0 ? "" : `, and none of ${[...names].join(", ")}`;
  return `faults: ${cases.length} of ${all.length} cases are in this part${others}; all of them: npm run test:faults`;
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`faults: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
