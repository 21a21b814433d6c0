// One translation's process, so that its memory is its own: `node --expose-gc translation/main.ts COUNT RUNS`, JSON to stdout.
import { translate } from "#operator/translate/translate.ts";
import { index } from "#operator/translate/manifests.ts";
import type { Translation } from "#operator/translate/model.ts";
import { OPTIONS } from "#test/support/translating.ts";
import { verboseIngresses } from "./world.ts";
import type { TranslateMeasure } from "../translate.ts";

const [count = 0, runs = 0] = process.argv.slice(2).map(Number);
const collect = globalThis.gc;
if (collect === undefined) throw new Error("run it with --expose-gc");
const heap = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};

const objects = verboseIngresses(count);
const seconds: number[] = [];
const timed = (): Translation => {
  const began = performance.now();
  const made = translate(index(objects), OPTIONS);
  seconds.push((performance.now() - began) / 1000);
  return made;
};

// The first leaves compiled code behind, which is no part of what a translation holds.
timed();
const before = heap();
let result = timed();
while (seconds.length < runs) result = timed();
const bytes = heap() - before;
const measure: TranslateMeasure = {
  count,
  seconds,
  bytes,
  peakBytes: process.resourceUsage().maxRSS * 1024,
  endpoints: result.endpoints.length,
  problems: result.problems.length,
};
process.stdout.write(JSON.stringify(measure));
