// The write token where the API server refuses the Lease, or was restored from a backup: no silence, and an end with the reason.
import { expect, test } from "vitest";
import type { Connection } from "#kube/connection.ts";
import type { WriteToken } from "#kube/lease.ts";
import type { Reader } from "#kube/reader.ts";
import { testClock } from "#test/support/clock.ts";
import { leaseWorld } from "#test/support/one-lease.ts";
import { KnownError } from "#wire/errors.ts";
import { type StateObject, stateReader } from "./state.ts";
import { takeOver, type Takeover } from "./takeover.ts";

const { signal } = new AbortController();
const release = { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" };
const BUDGET_MS = 100_000;
const HOOK = "pod/drain-1/1";

/** A drain hook takes over. */
async function taking(world: Pick<Takeover, "connection" | "read" | "clock" | "say">): Promise<WriteToken> {
  return await takeOver({
    ...world,
    release,
    identity: HOOK,
    state: stateReader(world.read, release),
    mark: { policy: "Retain", driver: "hook", by: HOOK, since: "" },
    budgetMs: BUDGET_MS,
    signal,
  });
}

const quota = new KnownError("invalid", "exceeded quota: team", { status: 403, hint: "Raise the ResourceQuota" });
const down = new KnownError("transient", "the server is going down", { status: 503 });

test.for([
  { why: "a quota, or a policy, refuses it", refusal: quota, fromS: 30, toS: 33 },
  { why: "the server does not take it", refusal: down, fromS: BUDGET_MS / 1000, toS: BUDGET_MS / 1000 },
])("no Lease, and $why: that is said, and is how the run ends", async ({ refusal, fromS, toS }) => {
  const clock = testClock();
  const said: string[] = [];
  const connection = {
    request: async ({ method }: { method: string }) =>
      await Promise.reject(method === "GET" ? new KnownError("gone", "no Lease", { status: 404 }) : refusal),
  } as unknown as Connection;
  const read = { get: async () => await Promise.resolve(undefined) } as unknown as Reader;
  let ended: unknown;
  const say: Takeover["say"] = (word, sentence) => said.push(`${word} ${sentence}`);
  const taken = taking({ connection, read, clock, say }).catch((error: unknown) => (ended = error));
  await clock.advance(fromS * 1000 - 1);
  expect(ended).toBeUndefined();
  expect(said).toEqual([`waiting for the write token: ${refusal.message}`]);
  await clock.advance((toS - fromS) * 1000 + 1);
  await taken;
  expect(ended).toBe(refusal);
});

test("a cancel counts, however old its version looks: a backup was restored in mid-drain", async () => {
  const { clock, server } = leaseWorld();
  let state: StateObject = {
    metadata: { name: "ngrok-operator-drain-state", resourceVersion: "9000" },
    data: { phase: "Draining", policy: "Retain" },
  };
  const read = { get: async () => await Promise.resolve(state) } as unknown as Reader;
  const taken = taking({ connection: server.connection(HOOK), read, clock, say: () => undefined });
  await clock.advance(0);
  const token = await taken;
  let ended: string | undefined;
  void token.ended.then((how) => (ended = how));
  state = { metadata: { ...state.metadata, resourceVersion: "5000" }, data: { phase: "Open" } };
  await clock.advance(2_000);
  expect(ended).toBe("yielded");
  await token[Symbol.asyncDispose]();
});
