// The write token where the API server refuses the Lease, or was restored from a backup: no silence, and an end with the reason.
import { describe, expect, test } from "vitest";
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

describe("a Lease that somebody deletes while a leader holds it", () => {
  const LEADER = "pod/leader-1/1";
  const held = { name: "ngrok-operator-leader", namespace: "ops" };
  const state: StateObject = {
    metadata: { name: "ngrok-operator-drain-state" },
    data: { phase: "Draining", policy: "Retain" },
  };
  const labels = { "app.kubernetes.io/instance": "ngrok", "app.kubernetes.io/component": "controller" };
  const pod = { metadata: { name: "leader-1", uid: "1", labels }, status: { phase: "Running" } };

  /** A leader that has hung holds the Lease, a hook waits for it, and after a while the Lease is deleted. */
  async function vanishes(leaderPod: object | undefined) {
    const { clock, server, stand } = leaseWorld();
    const leader = stand(LEADER, { lease: held });
    await clock.advance(0);
    await leader.token;
    server.fail = async (_request, who) => {
      if (who === LEADER) await new Promise<never>(() => undefined);
    };
    const read = {
      get: async ({ kind }: { kind: string }) => await Promise.resolve(kind === "Pod" ? leaderPod : state),
      async *pages() {
        yield await Promise.resolve({ items: [] });
      },
    } as unknown as Reader;
    let token: WriteToken | undefined;
    const said: string[] = [];
    const say: Takeover["say"] = (word, sentence) => said.push(`${word} ${sentence}`);
    const connection: Connection = {
      ...server.connection(HOOK),
      async *watch() {
        yield await Promise.reject(new KnownError("invalid", "no right to watch", { status: 403 }));
      },
    };
    const taken = taking({ connection, read, clock, say }).then((held) => (token = held));
    await clock.advance(1_000);
    server.lease = undefined;
    return { clock, server, taken, said, isTaken: () => token !== undefined };
  }

  test("its holder may not know yet: it loses its pod, and the token is taken when what it sent is dead (F12)", async () => {
    const { clock, server, taken, said, isTaken } = await vanishes(pod);
    await clock.advance(14_000);
    expect([isTaken(), said]).toEqual([false, []]);
    await clock.advance(4_000);
    expect([isTaken(), said]).toEqual([
      false,
      [
        expect.stringContaining(
          "leader leader-1 has lost its Lease, which was deleted, and says nothing: its pod was deleted",
        ),
      ],
    ]);
    await clock.advance(30_000);
    await using _token = await taken;
    expect(server.lease).toMatchObject({ spec: { holderIdentity: HOOK } });
  });

  test("but not when the holder's pod is gone for so long", async () => {
    const { clock, taken, isTaken } = await vanishes(undefined);
    await clock.advance(13_000);
    expect(isTaken()).toBe(true);
    await using _token = await taken;
  });
});
