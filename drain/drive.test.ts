// The engine's passes with hands that only take notes: what keeps a pass from being the proof that nothing is left.
import { expect, test } from "vitest";
import { FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { Domain } from "#api/domain.ts";
import type { Kind } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";
import type { Writer } from "#kube/writer.ts";
import { aDomain } from "#test/support/builders.ts";
import { testClock } from "#test/support/clock.ts";
import { KnownError } from "#wire/errors.ts";
import { drive } from "./drive.ts";
import type { DrainEvent } from "./events.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" };

/** Drains one Domain without a stamp, while the list of installs fails this often. */
async function drained(failures: number, { clusterWide }: { clusterWide: boolean }) {
  const clock = testClock();
  const { signal } = new AbortController();
  const domains = [aDomain({ metadata: { uid: "u", finalizers: [FINALIZER] } })];
  let left = failures;
  const read = {
    async *pages(kind: Kind) {
      if (kind === KubernetesOperator) {
        left -= 1;
        if (left >= 0) throw new KnownError("transient", "the list of installs failed");
      }
      yield await Promise.resolve({ items: kind === Domain ? domains : [] });
    },
  } as unknown as Reader;
  const write = {
    removeFinalizer: async () => {
      domains.pop();
      return await Promise.resolve("removed");
    },
  } as unknown as Writer;
  const fence = { signal, assertMayWrite() {} };
  // Reader and writer stand for the connection: nothing here goes past them.
  const hands = { connection: {} as never, read, write, ngrok: undefined, fence, clock };
  const events = drive({ hands, release, clusterWide, policy: () => "Retain", budgetMs: 60_000, signal });
  const seen: DrainEvent[] = [];
  for (let next = await events.next(); ;) {
    if (next.done === true) return { ending: next.value, seen: seen.map(({ is }) => is), left: domains.length };
    seen.push(next.value);
    const coming = events.next();
    if (next.value.is === "waiting") await clock.advance(next.value.ms);
    next = await coming;
  }
}

test("while nobody can say whether there are other installs, what has no stamp is not called left: it is asked again (F9)", async () => {
  const { ending, seen, left } = await drained(1, { clusterWide: true });
  expect({ ending, left }).toEqual({ ending: "clean", left: 0 });
  expect(seen.slice(0, 4)).toEqual(["pass", "unknown", "left", "waiting"]);
  expect(seen).toContain("did");
});

test("who may not look outside does not ask again: unknown is then the answer, and the object is reported (F18)", async () => {
  const { ending, seen, left } = await drained(1, { clusterWide: false });
  expect({ ending, left, asked: seen.includes("unknown") }).toEqual({ ending: "clean", left: 1, asked: false });
});
