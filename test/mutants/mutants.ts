// Every remedy as something that can be taken out: a replacement in a source, and the test that must go red then. Run by
// `npm run test:mutants`; test/mutants/mutants.test.ts holds that none of them has gone stale.
import { ofChart } from "./chart.ts";
import { ofDrain } from "./drain.ts";
import type { Mutant } from "./mutant.ts";
import { ofOperator } from "./operator.ts";

/** In the order of the failures. */
export const mutants: readonly Mutant[] = [...ofDrain, ...ofOperator, ...ofChart].toSorted((a, b) =>
  a.id.localeCompare(b.id, "en", { numeric: true }),
);

/** Failures without a mutant, and why. */
export const open: Readonly<Record<string, string>> = {};
