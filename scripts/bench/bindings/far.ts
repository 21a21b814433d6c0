// What stands behind the proxies that are measured, as a process of its own: endpoints that send as fast as they may, and
// endpoints that send back what comes; over TCP for the plain proxy, and behind ngrok's binding ingress for the forwarder.
import { type AddressInfo, createServer } from "node:net";
import { Duplex, PassThrough } from "node:stream";
import process from "node:process";
import { startNgrokBindings } from "#test/support/ngrok-bindings/ingress.ts";

/** What the process prints once it listens. */
export interface Far {
  /** Of the binding ingress, `host:port`, and the authority of its certificate. */
  readonly ingress: string;
  readonly ca: string;
  /** TCP ports. */
  readonly bulk: number;
  readonly echo: number;
}

const PIECE = Buffer.alloc(65_536, 0x61);

/** Sends so many bytes after the first byte that it is sent, and then its end. */
function bulk(bytes: number): Duplex {
  let left = bytes;
  let asked = false;
  const send = (): void => {
    while (left > 0) {
      left -= PIECE.length;
      if (!stream.push(PIECE)) return;
    }
    stream.push(null);
  };
  const stream = new Duplex({
    read() {
      if (asked) send();
    },
    write(_chunk, _encoding, done) {
      if (!asked) {
        asked = true;
        send();
      }
      done();
    },
  });
  return stream;
}

async function listening(serve: () => Duplex): Promise<number> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const endpoint = serve();
    socket.on("error", () => endpoint.destroy());
    socket.pipe(endpoint).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const [clientCa = "", bytes = "0"] = process.argv.slice(2);
const endpoints = { bulk: () => bulk(Number(bytes)), echo: () => new PassThrough() };
const ingress = await startNgrokBindings({
  clientCa: Buffer.from(clientCa, "base64").toString(),
  endpoints: { "bulk.bench:1": endpoints.bulk, "echo.bench:1": endpoints.echo },
});
const far: Far = {
  ingress: ingress.address,
  ca: ingress.ca,
  bulk: await listening(endpoints.bulk),
  echo: await listening(endpoints.echo),
};
process.stdout.write(`${JSON.stringify(far)}\n`);
process.stdin.on("end", () => process.exit()).resume();
