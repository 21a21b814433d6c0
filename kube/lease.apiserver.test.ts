// The write token on a real API server: rivals, forged clocks, freeing, and the last write of a zombie.
import { beforeAll, describe, expect, inject, onTestFinished, test } from "vitest";
import { systemClock } from "#wire/clock.ts";
import { FenceLost } from "#wire/errors.ts";
import { afterUninstall } from "#wire/fence.ts";
import { connect, type Connection } from "./connection.ts";
import type { Ref } from "./kind.ts";
import { ConfigMap, Lease, Namespace } from "./kinds.ts";
import { hold, type HoldOptions, type WriteToken } from "./lease.ts";
import { observeLease } from "./lease-observer.ts";
import { reader } from "./reader.ts";
import { writer } from "./writer.ts";

const { signal } = new AbortController();
const namespace = "lease-test";
/** Faster than production, but a busy server may still be late with some renewals in a row. */
const timing = { renewMs: 400, giveUpMs: 9_000, durationMs: 10_000 };

let connection: Connection;

beforeAll(async () => {
  connection = await connect({ kubeconfig: inject("kubeconfig") });
  await writer(connection, afterUninstall(signal)).create(Namespace, { metadata: { name: namespace } }, signal);
  return async () => await connection[Symbol.asyncDispose]();
});

function stand(lease: Ref, holder: string, more: Partial<HoldOptions> = {}): Promise<WriteToken> {
  const end = new AbortController();
  onTestFinished(() => end.abort(new Error("the test has ended")));
  const options = { lease, holder, timing, signal: end.signal, onRenew: async () => "keep" as const, ...more };
  return hold(connection, options);
}

function mayWrite(token: WriteToken | undefined): boolean {
  try {
    token?.assertMayWrite();
    return token !== undefined;
  } catch {
    return false;
  }
}

async function stored(lease: Ref) {
  return await reader(connection).get(Lease, lease, signal);
}

describe("rivals", () => {
  test("of whom each wants it again and again: never two at once, and each gets it", async () => {
    const lease = { name: "rivals", namespace };
    const turns = new Map<string, number>();
    let writing = 0;
    const rival = async (who: string): Promise<void> => {
      for (let turn = 0; turn < 4; turn += 1) {
        await using token = await stand(lease, who);
        writing += 1;
        expect(writing).toBe(1);
        token.assertMayWrite();
        await writer(connection, token).create(ConfigMap, { metadata: { name: `${who}-${turn}`, namespace } }, signal);
        turns.set(who, turn + 1);
        writing -= 1;
      }
    };
    await Promise.all(["a", "b", "c"].map(rival));
    expect([...turns.values()]).toEqual([4, 4, 4]);
    expect((await stored(lease))?.spec).toMatchObject({ holderIdentity: "" });
  });

  test("one waits while the other renews, whatever its clock writes, and takes over when it yields (F5)", async () => {
    const lease = { name: "forged", namespace };
    let verdict: "keep" | "yield" = "keep";
    const hour = 3_600_000;
    const ahead = { ...systemClock, date: () => new Date(Date.now() + hour) };
    const behind = { ...systemClock, date: () => new Date(Date.now() - hour) };
    const a = await stand(lease, "a", { clock: ahead, onRenew: async () => verdict });
    let b: WriteToken | undefined;
    const waiting = stand(lease, "b", { clock: behind }).then((token) => (b = token));
    await systemClock.sleep(timing.durationMs * 1.5);
    expect([mayWrite(a), b]).toEqual([true, undefined]);
    verdict = "yield";
    expect(await a.ended).toBe("yielded");
    await a[Symbol.asyncDispose]();
    await waiting;
    expect(mayWrite(b)).toBe(true);
    expect((await stored(lease))?.spec).toMatchObject({ holderIdentity: "b", leaseTransitions: 1 });
  });

  test("who does not renew is outlived, and its last write is refused as it would leave (F12)", async () => {
    const lease = { name: "zombie", namespace };
    const zombie = await stand(lease, "zombie", { onRenew: async () => await new Promise(() => undefined) }).catch(
      () => undefined,
    );
    expect(await zombie?.ended).toBe("lost");
    const heir = await stand(lease, "heir");
    expect(mayWrite(heir)).toBe(true);
    const late = writer(connection, zombie as WriteToken).create(
      ConfigMap,
      { metadata: { name: "late", namespace } },
      signal,
    );
    await expect(late).rejects.toBeInstanceOf(FenceLost);
    expect(await reader(connection).get(ConfigMap, { name: "late", namespace }, signal)).toBeUndefined();
  });
});

test("an observer sees each change at once and counts on its own clock", async () => {
  const lease = { name: "observed", namespace };
  using observer = observeLease(connection, lease, systemClock);
  expect(await observer.look(signal)).toMatchObject({ holder: "", lease: undefined, vanished: false });
  const token = await stand(lease, "pod/a/1");
  const held = await observer.look(signal);
  expect(held.holder).toBe("pod/a/1");
  const renewed = await observer.next(60_000, signal);
  expect(renewed.changedAt).toBeGreaterThan(held.changedAt);
  await token[Symbol.asyncDispose]();
  const free = async (): Promise<string> => (await observer.next(60_000, signal)).holder;
  await expect.poll(free).toBe("");
  const still = await observer.next(50, signal);
  expect(still.changedAt).toBe((await observer.look(signal)).changedAt);
});

test("the Lease that is made says whose it is and carries the labels and annotations that it was given", async () => {
  const lease = { name: "labelled", namespace };
  const given = { labels: { "app.kubernetes.io/instance": "main" }, annotations: { "example.com/kept": "true" } };
  const token = await stand(lease, "cli/1", given);
  expect(await stored(lease)).toMatchObject({
    metadata: given,
    spec: { holderIdentity: "cli/1", leaseDurationSeconds: timing.durationMs / 1_000 },
  });
  await token[Symbol.asyncDispose]();
});
