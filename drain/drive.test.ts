// The engine's passes with hands that only take notes: what keeps a pass from being the proof that nothing is left.
import { expect, test } from "vitest";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { Domain } from "#api/domain.ts";
import { IPPolicy } from "#api/ip-policy.ts";
import type { Kind } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";
import type { Writer } from "#kube/writer.ts";
import { aDomain, anIPPolicy } from "#test/support/builders.ts";
import { testClock } from "#test/support/clock.ts";
import { nested } from "#test/support/nested.ts";
import { KnownError } from "#wire/errors.ts";
import { drive } from "./drive.ts";
import type { DrainEvent } from "./events.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" };

const failed = new KnownError("transient", "the list of installs failed");

const { signal } = new AbortController();

function driven(read: Partial<Reader>, write: Partial<Writer>, { clusterWide = true, budgetMs = 60_000 } = {}) {
  const clock = testClock();
  const fence = { signal, assertMayWrite() {} };
  // Reader and writer stand for the connection: nothing here goes past them.
  const connection = {} as never;
  const hands = { connection, read: read as Reader, write: write as Writer, ngrok: undefined, fence, clock };
  return { clock, events: drive({ hands, release, clusterWide, policy: () => "Retain", budgetMs, signal }) };
}

/** Drains one Domain without a stamp, while the list of installs fails this often. */
async function drained(
  failures: number,
  { clusterWide, error = failed }: { clusterWide: boolean; error?: KnownError },
) {
  const domains = [aDomain({ metadata: { uid: "u", finalizers: [FINALIZER] } })];
  let left = failures;
  const read = {
    async *pages(kind: Kind) {
      if (kind === KubernetesOperator) {
        left -= 1;
        if (left >= 0) throw error;
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
  const { clock, events } = driven(read, write, { clusterWide });
  const seen: DrainEvent[] = [];
  for (let next = await events.next(); ;) {
    if (next.done === true)
      return { ending: next.value, seen: seen.map(({ is }) => is), left: domains.length, at: clock.now() };
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

test("a kind that cannot be listed is not zero where the next one of its wave has nothing but another install's (F18)", async () => {
  const theirs = { finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: "team/ngrok" } };
  const read = {
    async *pages(kind: Kind) {
      if (kind === Domain) throw failed;
      yield await Promise.resolve({ items: kind === IPPolicy ? [anIPPolicy({ metadata: theirs })] : [] });
    },
  } as unknown as Reader;
  const { events } = driven(read, {}, { budgetMs: 0 });
  const seen: string[] = [];
  let next = await events.next();
  for (; next.done !== true; next = await events.next()) seen.push(next.value.is);
  expect({ ending: next.value, seen }).toEqual({ ending: "paused", seen: ["pass", "unknown", "left"] });
});

test("how many objects there are is told before the first of them is answered", async () => {
  const answer = Promise.withResolvers<"removed">();
  const read = {
    async *pages(kind: Kind) {
      yield await Promise.resolve({
        items: kind === Domain ? [aDomain({ metadata: { uid: "u", finalizers: [FINALIZER] } })] : [],
      });
    },
  } as unknown as Reader;
  const write = { removeFinalizer: () => answer.promise } as unknown as Writer;
  const { events } = driven(read, write);
  expect(await events.next()).toMatchObject({ value: { is: "pass" } });
  expect(await events.next()).toMatchObject({ value: { is: "planned", steps: 1 } });
  answer.resolve("removed");
  expect(await events.next()).toMatchObject({ value: { is: "did" } });
});

test("who may not look outside does not ask again: unknown is then the answer, and the object is reported (F18)", async () => {
  const { ending, seen, left } = await drained(1, { clusterWide: false });
  expect({ ending, left, asked: seen.includes("unknown") }).toEqual({ ending: "clean", left: 1, asked: false });
});

test("a right that is missing may only be late: it is asked for again for half a minute, and is an answer after that", async () => {
  const error = new KnownError("invalid", "forbidden", { status: 403, code: "Forbidden" });
  expect(await drained(3, { clusterWide: true, error })).toMatchObject({ ending: "clean", left: 0 });
  const { ending, at } = await drained(Infinity, { clusterWide: true, error });
  expect({ ending, inTime: at >= 30_000 && at < 40_000 }).toEqual({ ending: "blocked", inTime: true });
});

test("who puts the finalizer back is named whatever else is written to the object, and however deep that is (F14)", async () => {
  const managedFields = [
    { manager: "argocd-controller", fieldsV1: { "f:metadata": { "f:finalizers": {} } } },
    { manager: "kubectl-edit", fieldsV1: { "f:spec": { "f:metadata": nested() } } },
  ];
  const { metadata, ...rest } = aDomain({
    metadata: { uid: "u", annotations: { [DRAIN_OWNER]: "ops/ngrok" }, finalizers: [FINALIZER] },
  });
  const items = [{ ...rest, metadata: { ...metadata, managedFields } }];
  const read = {
    async *pages(kind: Kind) {
      yield await Promise.resolve({ items: kind === Domain ? items : [] });
    },
  } as unknown as Reader;
  const write = { removeFinalizer: async () => await Promise.resolve("removed") } as unknown as Writer;
  const { events } = driven(read, write);
  const seen: DrainEvent[] = [];
  for await (const event of events) seen.push(event);
  expect(seen.flatMap((event) => (event.is === "failed" ? event.error.message : []))).toEqual([
    "the finalizer came back 3 times, written by argocd-controller",
  ]);
});
