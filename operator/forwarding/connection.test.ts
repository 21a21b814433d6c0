// How a connection is broken off, whatever goes on in it just then.
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import { endOf, freePort } from "#test/support/forwarding.ts";
import { breakOff } from "./connection.ts";

async function pair(): Promise<{ readonly near: Socket; readonly far: Socket } & AsyncDisposable> {
  const port = await freePort();
  const server = createServer({ allowHalfOpen: true }).listen(port);
  await once(server, "listening");
  const far = connect({ port, allowHalfOpen: true });
  far.on("error", () => undefined);
  const [near] = (await once(server, "connection")) as [Socket];
  near.on("error", () => undefined);
  return {
    near,
    far,
    async [Symbol.asyncDispose]() {
      for (const socket of [near, far]) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test.for<{ what: string; before: (near: Socket) => void }>([
  { what: "nothing is said", before: () => undefined },
  { what: "its end goes out", before: (near) => near.end() },
  { what: "its end waits for what the other side does not read", before: (near) => near.end(Buffer.alloc(10_000_000)) },
])("a connection is broken off while $what", async ({ before }, { expect }) => {
  await using both = await pair();
  let isClosed = false;
  both.near.once("close", () => (isClosed = true));
  before(both.near);
  breakOff(both.near);
  await expect.poll(() => isClosed).toBe(true);
});

test("what was cut off in the middle is no whole for who reads it", async () => {
  await using both = await pair();
  both.near.end(Buffer.alloc(10_000_000));
  await once(both.far, "readable");
  breakOff(both.near);
  expect(await endOf(both.far)).toBe("reset");
});
