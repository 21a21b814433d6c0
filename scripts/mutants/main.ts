// `npm run test:mutants`: takes out one remedy after the other, in a copy of the tree, and holds that the test which is said
// to need it goes red, while it is green as long as nothing is taken out. The last line is `N passed, N failed`.
import { parseArgs } from "node:util";
import type { Mutant } from "#test/mutants/mutant.ts";
import { mutants, open } from "#test/mutants/mutants.ts";
import { copyOfTree, type Copy } from "./copy.ts";

const USAGE = `usage: npm run test:mutants [-- options]

Takes out the remedy of one failure (F1 to F28) at a time, in a copy of the tree, and runs the test that must go red.

  --only ID[,ID]       these mutants alone: --only F4,F7
  --project NAME       those whose test is of this vitest project: unit, chart, apiserver
  --list               says what there is, and runs nothing
  --help               says this

examples:
  npm run test:mutants -- --list
  npm run test:mutants -- --only F4
  npm run test:mutants -- --project unit`;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    project: { type: "string" },
    list: { type: "boolean" },
    help: { type: "boolean" },
  },
});
const only = values.only?.split(",");
const chosen = mutants.filter(
  ({ id, test }) =>
    (only === undefined || only.includes(id)) && (values.project === undefined || test.project === values.project),
);

if (values.help === true) say(USAGE);
else if (values.list === true) list();
else if (chosen.length === 0) {
  say(`there is no such mutant; --list says which there are`);
  process.exitCode = 2;
} else await runAll();

function list(): void {
  for (const { id, what, test } of chosen)
    say(`${id.padEnd(6)} ${what}\n       ${test.project} ${test.file}: ${test.name}`);
  for (const [id, why] of Object.entries(open)) say(`${id.padEnd(6)} open: ${why}`);
}

async function runAll(): Promise<void> {
  await using copy = await copyOfTree();
  let passed = 0;
  let failed = 0;
  for (const mutant of chosen) {
    const began = performance.now();
    const wrong = await judge(copy, mutant);
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    if (wrong === undefined) passed += 1;
    else failed += 1;
    say(`${wrong === undefined ? "red " : "FAIL"} ${mutant.id.padEnd(6)} ${seconds.padStart(6)}s  ${mutant.what}`);
    if (wrong !== undefined) say(`     ${wrong}`);
  }
  for (const [id, why] of Object.entries(open)) if (only === undefined) say(`open ${id.padEnd(6)} ${why}`);
  say(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

/** What is wrong with the mutant or its test; undefined when the test is green without it and red with it. */
async function judge(copy: Copy, mutant: Mutant): Promise<string | undefined> {
  const { test, file, find, replace } = mutant;
  const times = (await copy.read(file)).split(find).length - 1;
  if (times !== 1) return `what it replaces is ${times} times in ${file}, not once`;
  const before = await copy.runTest(test);
  if (before.passed === 0) return `no test of this name in ${test.file} (${test.project}): ${test.name}`;
  if (before.failed > 0) return `its test is red without it: ${test.name}`;
  await using _ = await copy.changed(file, find, replace);
  const after = await copy.runTest(test);
  if (after.failed > 0) return undefined;
  return `its test stays green: ${test.name}`;
}
