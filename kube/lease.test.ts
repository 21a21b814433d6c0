// The write token in a world of its own: time is the test's, and the server is one Lease with compare-and-swap.
import { describe, expect, test } from "vitest";
import { LEASE as lease, leaseWorld as world, mayWrite } from "#test/support/one-lease.ts";
import { FenceLost, KnownError } from "#wire/errors.ts";
import type { SentOutcome } from "#wire/fence.ts";
import type { LeaseObject } from "./kinds.ts";

describe("taking it", () => {
  test("an absent Lease is made, a free one taken at once, and the state is read before anybody may work (F4)", async () => {
    const { clock, server, stand, news } = world();
    const order: string[] = [];
    const onRenew = async (): Promise<"keep"> => {
      order.push(`state read while held by ${server.lease?.spec?.holderIdentity}`);
      return "keep";
    };
    const first = stand("a", { onRenew });
    await clock.advance(0);
    expect(mayWrite(first.held())).toBe(true);
    expect(order).toEqual(["state read while held by a"]);
    await first.held()?.[Symbol.asyncDispose]();
    expect(server.lease?.spec).toMatchObject({ holderIdentity: "", leaseTransitions: 0 });
    const second = stand("b");
    await clock.advance(0);
    expect(mayWrite(second.held())).toBe(true);
    expect(server.lease?.spec).toMatchObject({ holderIdentity: "b", leaseTransitions: 1, leaseDurationSeconds: 15 });
    expect(news).toEqual(["a held", "a yielded", "a freed", "b held"]);
  });

  test("rivals that all see it free: one holds, the others wait", async () => {
    const { clock, stand } = world();
    const rivals = ["a", "b", "c", "d"].map((who) => stand(who));
    for (let ms = 0; ms < 60_000; ms += 250) {
      await clock.advance(250);
      expect(rivals.filter((each) => mayWrite(each.held()))).toHaveLength(1);
    }
  });

  test("a write whose answer was lost is recognised as ours when it is seen", async () => {
    const { clock, server, stand } = world();
    let lostOne = false;
    server.fail = (request) => {
      if (request.method !== "POST" || lostOne) return;
      lostOne = true;
      server.fail = () => undefined;
      const body = structuredClone(request.body) as LeaseObject;
      server.lease = { ...body, metadata: { ...body.metadata, uid: "u1", resourceVersion: "1" } };
      throw new KnownError("transient", "no answer", { code: "Timeout" });
    };
    const a = stand("a");
    await clock.advance(1_000);
    expect(mayWrite(a.held())).toBe(true);
  });

  test("while the state cannot be read, nobody gets the token; past the deadline it is lost (F3)", async () => {
    const { clock, stand, news } = world();
    const a = stand("a", { onRenew: async () => await Promise.reject(new KnownError("transient", "503")) });
    await clock.advance(9_000);
    expect(a.held()).toBeUndefined();
    await clock.advance(2_000);
    expect(await a.held()?.ended).toBe("lost");
    expect(mayWrite(a.held())).toBe(false);
    expect(news.at(-1)).toBe("a lost: it was not renewed in time");
  });
});

describe("expiry", () => {
  test("is 15 s without a change on the observer's own clock, whatever time the holder's clock wrote (F5)", async () => {
    const { clock, server, stand } = world();
    const a = stand("a");
    await clock.advance(0);
    // The holder's clock is an hour ahead, then an hour behind: neither hastens nor delays.
    for (const forged of ["2026-01-01T01:00:00.000000Z", "2025-12-31T23:00:00.000000Z"]) {
      const b = stand("b");
      await clock.advance(4_000);
      server.edit((lease) => (lease.spec = { ...lease.spec, renewTime: forged }));
      await clock.advance(12_000);
      expect([mayWrite(a.held()), b.held()]).toEqual([true, undefined]);
      b.end.abort(new Error("enough"));
    }
    const b = stand("b");
    await clock.advance(0);
    server.fail = (_request, who) => {
      if (who === "a") throw new KnownError("transient", "a is cut off");
    };
    // Nobody renews from here on; b's last change seen is at most 2 s later.
    await clock.advance(14_000);
    expect([mayWrite(a.held()), b.held()]).toEqual([false, undefined]);
    await clock.advance(6_000);
    expect(mayWrite(b.held())).toBe(true);
  });

  test("a holder that is cut off stops by itself before anybody takes over, at every step of time", async () => {
    const { clock, server, stand } = world();
    const a = stand("a");
    await clock.advance(5_000);
    const b = stand("b");
    await clock.advance(1_000);
    server.fail = async (_request, who) => {
      if (who === "a") await new Promise(() => undefined);
    };
    let tookOver = 0;
    for (let ms = 0; ms < 30_000; ms += 100) {
      await clock.advance(100);
      const [isA, isB] = [mayWrite(a.held()), mayWrite(b.held())];
      expect(isA && isB).toBe(false);
      if (isB) tookOver += 1;
    }
    expect(tookOver).toBeGreaterThan(0);
  });

  test("a zombie's write is refused by the deadline itself, before any timer has noticed (F12)", async () => {
    const { clock, stand } = world();
    let skew = 0;
    const stalled = { ...clock, now: () => clock.now() + skew };
    const a = stand("a", { clock: stalled });
    await clock.advance(0);
    const token = a.held();
    expect(token?.signal.aborted).toBe(false);
    // The process was stopped for a minute: no timer ran, but the first write after it is refused.
    skew = 60_000;
    expect(() => token?.assertMayWrite()).toThrow(FenceLost);
    expect(token?.signal.reason).toBeInstanceOf(FenceLost);
    expect(await token?.ended).toBe("lost");
  });

  test("who was stopped beyond the deadline and then wants to yield has lost it, and frees nothing (F12)", async () => {
    const { clock, server, stand, news } = world();
    let skew = 0;
    const a = stand("a", { clock: { ...clock, now: () => clock.now() + skew } });
    await clock.advance(0);
    skew = 60_000;
    await a.held()?.[Symbol.asyncDispose]();
    expect(await a.held()?.ended).toBe("lost");
    expect(server.lease?.spec?.holderIdentity).toBe("a");
    expect(news).toEqual(["a held", expect.stringMatching(/^a lost/)]);
  });

  test("an earlier life's own name is waited for like anybody's", async () => {
    const { clock, server, stand } = world();
    const spec = { holderIdentity: "pod/a/1", renewTime: "2026-01-01T00:00:00.000000Z" };
    server.lease = { metadata: { ...lease, uid: "u1", resourceVersion: "1" }, spec };
    const again = stand("pod/a/1");
    await clock.advance(14_000);
    expect(again.held()).toBeUndefined();
    await clock.advance(3_000);
    expect(mayWrite(again.held())).toBe(true);
  });

  test("a Lease deleted under its holder: the holder stops, and who saw it held waits as if it were", async () => {
    const { clock, server, stand, news } = world();
    const a = stand("a");
    await clock.advance(0);
    const b = stand("b");
    await clock.advance(1_000);
    server.lease = undefined;
    await clock.advance(4_000);
    expect(await a.held()?.ended).toBe("lost");
    expect(news).toContain("a lost: the Lease was deleted");
    expect(b.held()).toBeUndefined();
    await clock.advance(14_000);
    expect(mayWrite(b.held())).toBe(true);
  });
});

describe("yielding", () => {
  test("stops new writes at once, waits for those in flight, then frees the Lease", async () => {
    const { clock, server, stand } = world();
    let verdict: "keep" | "yield" = "keep";
    const a = stand("a", { onRenew: async () => verdict });
    await clock.advance(0);
    const token = a.held();
    const answered = Promise.withResolvers<SentOutcome>();
    token?.sent?.(answered.promise, 5_000);
    token?.sent?.(Promise.resolve<SentOutcome>("unknown"), 5_000);
    verdict = "yield";
    await clock.advance(2_000);
    expect(await token?.ended).toBe("yielded");
    expect(mayWrite(token)).toBe(false);
    expect(token?.signal.aborted).toBe(false);
    const freed = token?.[Symbol.asyncDispose]();
    await clock.advance(1_000);
    answered.resolve("answered");
    await clock.advance(1_500);
    // The other write got no answer: it may take effect until 5 s after it was sent.
    expect(server.lease?.spec?.holderIdentity).toBe("a");
    await clock.advance(1_000);
    await freed;
    expect(server.lease?.spec?.holderIdentity).toBe("");
  });

  test("calls that do not end are cut off after 10 s, and the Lease is left to expire", async () => {
    const { clock, server, stand, news } = world();
    const a = stand("a");
    await clock.advance(0);
    const token = a.held();
    token?.sent?.(new Promise<SentOutcome>(() => undefined), 30_000);
    const freed = token?.[Symbol.asyncDispose]();
    await clock.advance(10_500);
    await freed;
    expect(token?.signal.reason).toBeInstanceOf(FenceLost);
    expect(server.lease?.spec?.holderIdentity).toBe("a");
    expect(news).toEqual(["a held", "a yielded", "a lost: its calls did not end"]);
  });

  test("by the signal of whoever stands: the same, and a waiter just leaves", async () => {
    const { clock, server, stand } = world();
    const a = stand("a");
    await clock.advance(0);
    const b = stand("b");
    await clock.advance(0);
    b.end.abort(new Error("SIGTERM"));
    await expect(b.token).rejects.toThrow("SIGTERM");
    a.end.abort(new Error("SIGTERM"));
    expect(await a.held()?.ended).toBe("yielded");
    await a.held()?.[Symbol.asyncDispose]();
    expect(server.lease?.spec?.holderIdentity).toBe("");
  });

  test("a leader that stood aside takes a free Lease only when it stayed free for 15 s", async () => {
    const { clock, server, stand } = world();
    const spec = { holderIdentity: "" };
    server.lease = { metadata: { ...lease, uid: "u1", resourceVersion: "1" }, spec };
    const aside = stand("leader", { patience: () => 15_000 });
    await clock.advance(10_000);
    const hook = stand("hook");
    await clock.advance(6_000);
    expect([aside.held(), mayWrite(hook.held())]).toEqual([undefined, true]);
  });

  test("a state that hangs once costs nothing, one that hangs for good costs the token", async () => {
    const { clock, stand, news } = world();
    let hangs = 0;
    const onRenew = async (signal: AbortSignal): Promise<"keep"> => {
      hangs -= 1;
      if (hangs >= 0)
        await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("late"))));
      return "keep";
    };
    const a = stand("a", { onRenew });
    await clock.advance(0);
    hangs = 1;
    await clock.advance(20_000);
    expect(mayWrite(a.held())).toBe(true);
    hangs = Infinity;
    await clock.advance(13_000);
    expect(mayWrite(a.held())).toBe(false);
    expect(news.at(-1)).toBe("a lost: it was not renewed in time");
  });

  test("a state and a renewal that each hang once, one after the other, cost nothing", async () => {
    const { clock, server, stand } = world();
    let hanging: string[] = [];
    const hang = async (call: string, ms = 0): Promise<void> => {
      if (hanging[0] !== call) return;
      hanging.shift();
      // Carried out all the same, where it is a write.
      if (call === "PUT") server.edit(() => undefined);
      await clock.sleep(ms);
      throw new KnownError("transient", "no answer", { code: "Timeout" });
    };
    const a = stand("a", { onRenew: async () => await hang("state", 10_000).then(() => "keep" as const) });
    server.fail = async ({ method, timeoutMs }) => await hang(method, timeoutMs);
    await clock.advance(0);
    for (const order of ["state PUT", "PUT state"]) {
      hanging = order.split(" ");
      await clock.advance(20_000);
      expect([mayWrite(a.held()), hanging]).toEqual([true, []]);
    }
  });

  test.for([
    ["nearly two seconds for each call", 1_900, 1_900],
    ["three seconds to store what it is told", 0, 3_000],
  ] as const)("a server that takes %s is quick enough", async ([, readMs, writeMs], { expect }) => {
    const { clock, server, stand } = world();
    server.fail = async ({ method, timeoutMs = 4_000, query }) => {
      const ms = method === "GET" ? readMs : writeMs;
      const left = Number.parseInt(String(query?.["timeout"] ?? timeoutMs), 10);
      await clock.sleep(Math.min(ms, left));
      if (left <= ms) throw new KnownError("transient", "no answer in time", { code: "Timeout" });
    };
    const a = stand("a", { onRenew: async () => await clock.sleep(readMs).then(() => "keep" as const) });
    await clock.advance(60_000);
    expect(mayWrite(a.held())).toBe(true);
  });
});

test("somebody's label on the Lease costs a second look, not the token; another holder costs the token", async () => {
  const { clock, server, stand, news } = world();
  const a = stand("a");
  await clock.advance(0);
  server.edit((lease) => (lease.metadata.labels = { team: "x" }));
  await clock.advance(12_000);
  expect(mayWrite(a.held())).toBe(true);
  expect(server.lease?.metadata.labels).toEqual({ team: "x" });
  server.edit((lease) => (lease.spec = { ...lease.spec, holderIdentity: "thief" }));
  await clock.advance(3_000);
  expect(mayWrite(a.held())).toBe(false);
  expect(news.at(-1)).toBe("a lost: another took the Lease");
});
