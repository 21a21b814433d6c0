// What an endpoint says reaches the pod byte by byte as it was said, whoever of the two is the slower.
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { createSecureContext, createServer as createTlsServer } from "node:tls";
import { expect, test, vi } from "vitest";
import { come, startForwarding } from "#test/support/forwarding.ts";
import { edgeAuthority } from "#test/support/ngrok-edge/certificates.ts";
import { EndpointSocket } from "./endpoint-socket.ts";

/** An endpoint that says pieces of these sizes as fast as it is heard, then its end. */
function speaker(sizes: readonly number[]) {
  const hash = createHash("sha256");
  const said = { bytes: 0, digest: "" };
  const stream = Duplex.from(function* () {
    for (const size of sizes) {
      const piece = randomBytes(size);
      hash.update(piece);
      said.bytes += size;
      yield piece;
    }
    said.digest = hash.digest("hex");
  });
  return { said, stream };
}

async function hearing(sizes: readonly number[]) {
  const { said, stream } = speaker(sizes);
  const stack = new AsyncDisposableStack();
  const world = stack.use(await startForwarding({ endpoints: { "web.shop:80": () => stream } }));
  const pod = stack.adopt(await come(await world.serve()), (socket) => void socket.destroy());
  return { said, pod, [Symbol.asyncDispose]: async () => await stack.disposeAsync() };
}

async function digestOf(pod: Socket, pauseMs = 0): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of pod) {
    hash.update(piece as Buffer);
    if (pauseMs > 0) await sleep(pauseMs);
  }
  return hash.digest("hex");
}

test.for<{ what: string; sizes: number[] }>([
  { what: "whole records", sizes: Array.from({ length: 200 }, () => 16_384) },
  { what: "one byte", sizes: [1] },
  { what: "nothing", sizes: [] },
  {
    what: "little and much by turns",
    sizes: Array.from({ length: 300 }, (_, at) => [1, 511, 512, 513, 40_000][at % 5] ?? 0),
  },
  { what: "more at once than a record holds", sizes: [5_000_000] },
])("$what, said to a pod that only hears, and the end behind it", async ({ sizes }, { expect }) => {
  await using world = await hearing(sizes);
  const heard = await digestOf(world.pod);
  expect(heard).toBe(world.said.digest);
});

test("a pod that reads slower than the endpoint speaks gets each byte as it was said", async () => {
  await using world = await hearing(Array.from({ length: 2000 }, (_, at) => 1 + ((at * 7919) % 20_000)));
  expect(await digestOf(world.pod, 2)).toBe(world.said.digest);
});

test("an endpoint waits for a pod that does not read, so that nothing piles up between them", async () => {
  const all = 60_000_000;
  await using world = await hearing(Array.from({ length: all / 50_000 }, () => 50_000));
  await once(world.pod, "readable");
  for (let before = -1; before !== world.said.bytes; await sleep(300)) before = world.said.bytes;
  // The kernel's windows on the way take some megabytes.
  expect(world.said.bytes).toBeLessThan(all / 2);
  expect(await digestOf(world.pod)).toBe(world.said.digest);
});

/** An EndpointSocket whose endpoint `speaks`, and a pod with the client's socket to pass its bytes to. */
async function ends(speaks: (socket: Socket) => void) {
  const stack = new AsyncDisposableStack();
  const own = (socket: Socket): Socket =>
    stack.adopt(
      socket.on("error", () => undefined),
      (one) => void one.destroy(),
    );
  const authority = await edgeAuthority();
  const tls = createTlsServer(await authority.issue(["localhost"]), (socket) => speaks(own(socket)));
  const near = createServer({ allowHalfOpen: true });
  for (const server of [tls, near]) await once(stack.adopt(server, (one) => void one.close()).listen(0), "listening");
  const portOf = (server: typeof near): number => (server.address() as AddressInfo).port;
  const pod = own(connect({ port: portOf(near), allowHalfOpen: true }));
  const client = own(((await once(near, "connection")) as [Socket])[0]);
  const secureContext = createSecureContext({ ca: authority.cert });
  const endpoint = new EndpointSocket({ host: "localhost", port: portOf(tls), secureContext, allowHalfOpen: true });
  own(endpoint.socket);
  return { endpoint, client, pod, [Symbol.asyncDispose]: async () => await stack.disposeAsync() };
}

test.for([
  { what: "in one piece with it", rest: 5 },
  { what: "in one piece with it, and in many more", rest: 300_000 },
])("what an endpoint says $what is still there after the answer was read", async ({ rest }, { expect }) => {
  const said = Buffer.concat([Buffer.from("answer"), randomBytes(rest)]);
  await using world = await ends((socket) => void socket.end(said));
  await once(world.endpoint.socket, "readable");
  expect(String(world.endpoint.socket.read(6))).toBe("answer");
  world.endpoint.passTo(world.client);
  expect(await digestOf(world.pod)).toBe(createHash("sha256").update(said.subarray(6)).digest("hex"));
});

test("what waits for a pod that does not read takes its own room and no more", async () => {
  const piece = Buffer.alloc(600, 7);
  await using world = await ends((socket) => {
    // One by one, so that each is a record.
    const go = (broken?: Error | null): void => {
      if (!broken) socket.write(piece, go);
    };
    go();
  });
  const { client, endpoint } = world;
  await once(endpoint.socket, "readable");
  const write = client.write.bind(client);
  const waiting: Uint8Array[] = [];
  let isWanted = true;
  vi.spyOn(client, "write").mockImplementation((bytes) => {
    if (client.writableLength > 0) waiting.push(bytes as Uint8Array);
    isWanted = write(bytes as Uint8Array);
    return isWanted;
  });
  endpoint.passTo(client);
  await expect.poll(() => isWanted).toBe(false);
  expect(waiting.length).toBeGreaterThan(10);
  expect(waiting.filter(({ buffer, length }) => buffer.byteLength !== length)).toEqual([]);
});
