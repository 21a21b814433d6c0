// What an observer of a Lease asks of the server while that ends its watches.
import { expect, onTestFinished, test } from "vitest";
import { testClock } from "#test/support/clock.ts";
import type { Connection, WatchEvent } from "./connection.ts";
import type { LeaseObject } from "./kinds.ts";
import { observeLease } from "./lease-observer.ts";

const LEASE = { name: "main-leader", namespace: "ngrok" };

/** A server whose watches tell this many changes of the Lease, and then end in good order. */
function scene(tells: number) {
  const clock = testClock();
  const calls = { looks: 0, watches: 0 };
  let version = 1;
  const lease = (): LeaseObject => ({
    metadata: { ...LEASE, uid: "u", resourceVersion: String(version) },
    spec: { holderIdentity: "a", renewTime: String(version) },
  });
  const connection: Connection = {
    server: "https://going-down",
    request: async () => {
      calls.looks += 1;
      return await Promise.resolve(lease());
    },
    async *watch(): AsyncGenerator<WatchEvent> {
      calls.watches += 1;
      for (let n = 0; n < tells; n += 1) {
        await clock.sleep(250);
        version += 1;
        yield { type: "MODIFIED", object: lease() };
      }
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  const observer = observeLease(connection, LEASE, clock);
  const end = new AbortController();
  onTestFinished(() => {
    end.abort(new Error("the test has ended"));
    observer[Symbol.dispose]();
  });
  const observe = async (): Promise<void> => {
    // A tight poll would never let time pass.
    for (let n = 0; n < 200; n += 1) await observer.next(60_000, end.signal);
  };
  void observe().catch(() => undefined);
  return { clock, calls };
}

test("a server that ends each watch before it says anything is asked again in the rhythm of the renewals", async () => {
  const { clock, calls } = scene(0);
  await clock.advance(10_000);
  expect(calls).toEqual({ looks: 6, watches: 6 });
});

test("a watch that has told something and then ends is begun again at once", async () => {
  const { clock, calls } = scene(4);
  await clock.advance(10_000);
  expect(calls.watches).toBe(11);
});
