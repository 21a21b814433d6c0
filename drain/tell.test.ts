// What the KubernetesOperator shows of a drain while it runs, as writes that a stand-in of the API server notes.
import { expect, test } from "vitest";
import type { DrainProgress } from "#api/kubernetes-operator.ts";
import type { Connection } from "#kube/connection.ts";
import type { Reader } from "#kube/reader.ts";
import { aKubernetesOperator } from "#test/support/builders.ts";
import { testClock } from "#test/support/clock.ts";
import type { Hands } from "./hands.ts";
import { newReport, type Report } from "./report.ts";
import { teller } from "./tell.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" };
const { signal } = new AbortController();

/** A teller, and the totals that were shown, in order. */
function aTeller() {
  const clock = testClock();
  const operator = aKubernetesOperator({ metadata: { uid: "u" } });
  const shown: string[] = [];
  const connection = {
    async request({ body: { status } }: { body: { status?: { drain: DrainProgress } } }) {
      const drain = status?.drain;
      if (drain !== undefined) shown.push(`${drain.drainedResources} of ${drain.totalResources}, ${drain.phase}`);
      return await Promise.resolve({ metadata: operator.metadata });
    },
  } as unknown as Connection;
  const read = { get: () => Promise.resolve(operator) } as unknown as Reader;
  // Of the hands a teller needs no more.
  const hands = { connection, read, clock } as unknown as Hands;
  return { clock, shown, tell: teller(hands, release, "hook", () => "Delete", signal) };
}

function counted(done: number, total: number): Report {
  return { ...newReport(), done, total };
}

test("the first total is shown as soon as it is known, and from then on a word a second is enough", async () => {
  const { clock, shown, tell } = aTeller();
  tell.started(counted(0, 0));
  await clock.advance(100);
  for (const done of [0, 1, 2]) {
    tell.progress(counted(done, 9));
    await clock.advance(100);
  }
  expect(shown).toEqual(["0 of 0, Draining", "0 of 9, Draining"]);
  await clock.advance(1_000);
  tell.progress(counted(5, 9));
  await clock.advance(0);
  expect(shown.slice(2)).toEqual(["5 of 9, Draining"]);
});

test("a total that is known while the first word is written follows it, though no object is answered", async () => {
  const { clock, shown, tell } = aTeller();
  const report = newReport();
  tell.started(report);
  // After what the first word holds, before its end.
  while (shown.length === 0) await Promise.resolve();
  report.total = 9;
  tell.progress(report);
  await clock.advance(0);
  expect(shown).toEqual(["0 of 0, Draining", "0 of 9, Draining"]);
});
