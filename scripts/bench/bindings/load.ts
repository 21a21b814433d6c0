// Those who come to a proxy: many at once who take all that they are sent, many at once who wait for each answer, and many
// who say nothing.
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Makes a connection. */
export type Come = () => Promise<Socket>;

export function overTcp(port: number): Come {
  return async () => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    return socket;
  };
}

/** Seconds until `connections` have each had `bytes`. Throws when one had less. */
export async function takeAll(come: Come, connections: number, bytes: number): Promise<number> {
  const began = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = await come();
      let had = 0;
      socket.on("data", (chunk) => (had += chunk.length));
      socket.write("go");
      await once(socket, "end");
      socket.end();
      if (had !== bytes) throw new Error(`${had} bytes came, not ${bytes}`);
    }),
  );
  return (performance.now() - began) / 1000;
}

export interface Asked {
  readonly seconds: number;
  /** Of each round trip, milliseconds. */
  readonly times: readonly number[];
}

/** Each of `connections` asks `rounds` times, 128 bytes and the same back, the next when the last is answered. */
export async function ask(come: Come, connections: number, rounds: number): Promise<Asked> {
  const sockets = await Promise.all(Array.from({ length: connections }, async () => await come()));
  const question = Buffer.alloc(128, 0x71);
  const times: number[] = [];
  // The first answer waits for the connection behind the proxy.
  await Promise.all(sockets.map(async (socket) => await answered(socket, question)));
  const began = performance.now();
  await Promise.all(
    sockets.map(async (socket) => {
      for (let round = 0; round < rounds; round += 1) {
        const asked = performance.now();
        await answered(socket, question);
        times.push(performance.now() - asked);
      }
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  for (const socket of sockets) socket.destroy();
  return { seconds, times };
}

async function answered(socket: Socket, question: Buffer): Promise<void> {
  socket.write(question);
  for (let left = question.length; left > 0;) left -= ((await once(socket, "data")) as [Buffer])[0].length;
}

/** So many connections that have each been answered once and then are silent. */
export async function sit(come: Come, connections: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  const question = Buffer.alloc(128, 0x71);
  for (let left = connections; left > 0; left -= 50) {
    const some = await Promise.all(Array.from({ length: Math.min(50, left) }, async () => await come()));
    await Promise.all(some.map(async (socket) => await answered(socket, question)));
    sockets.push(...some);
  }
  return sockets;
}
