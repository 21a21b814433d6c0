import { createServer } from "node:net";
import { expect, test } from "vitest";
import { tcpDial } from "./dial.ts";
import { systemClock } from "./clock.ts";
import { testClock } from "#test/support/clock.ts";

/** The tests' own deadline is the only one. */
const { signal: patient } = new AbortController();
/** More than a busy machine takes for a connection to itself. */
const DIAL_MS = 60_000;

async function listening(): Promise<{ port: number; closed: Promise<void>; end: () => void }> {
  const closed = Promise.withResolvers<void>();
  const server = createServer((socket) => socket.on("close", () => closed.resolve()).resume());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { port: address.port, closed: closed.promise, end: () => server.close() };
}

test("where somebody listens it resolves, and hangs up", async () => {
  const { port, closed, end } = await listening();
  await expect(tcpDial(systemClock, DIAL_MS)({ host: "127.0.0.1", port }, patient)).resolves.toBeUndefined();
  await closed;
  end();
});

test("where nobody listens it says where and why", async () => {
  const { port, end } = await listening();
  end();
  const dial = tcpDial(systemClock, DIAL_MS)({ host: "127.0.0.1", port }, patient);
  await expect(dial).rejects.toMatchObject({ class: "transient", code: "ECONNREFUSED" });
});

test("what does not answer is given up after its time", async () => {
  const clock = testClock();
  // Discard-only addresses (RFC 6666): nothing comes back.
  const dial = tcpDial(clock, 2000)({ host: "192.0.2.1", port: 9 }, patient);
  const failure = dial.catch(String);
  await clock.advance(2000);
  expect(await failure).toMatch(/192\.0\.2\.1:9: /);
});

test("it ends with the signal", async () => {
  const stop = new AbortController();
  const dial = tcpDial(testClock(), 2000)({ host: "192.0.2.1", port: 9 }, stop.signal);
  stop.abort(new Error("the term ends"));
  await expect(dial).rejects.toThrow("the term ends");
});
