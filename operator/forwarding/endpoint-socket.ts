// The TLS connection to an endpoint, read past Node's streams: each TLS record lands in a buffer of ours that goes straight to
// the pod's socket. A stream makes a buffer for each and hands it on, a third of what such a byte costs
// (docs/decisions/bindings-forwarder.md).
import type { OnReadOpts, Socket } from "node:net";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";

/** Sizes of a connection's buffer below what a TLS record holds at most: thousands may be silent, or say little. */
const SMALLER = [512, 4_096];
const LARGEST = 16_384;

export class EndpointSocket {
  /** A stream like any other until its bytes are passed on. */
  readonly socket: TLSSocket;
  readonly #isPastStreams: boolean;
  #buffer: Buffer = Buffer.alloc(0);
  /** Bytes in the buffer: the last record, or as much of it as there was room for. */
  #filled = 0;
  /** The client's socket sends out of the buffer what the kernel has not taken at once. */
  #isGiven = false;
  #client: Socket | undefined;

  /** Dials, or begins TLS on `options.socket`. */
  constructor(options: ConnectionOptions & { readonly allowHalfOpen: true }) {
    const onread: OnReadOpts = { buffer: () => this.#next(), callback: (count) => this.#take(count) };
    // By a name of its own: Node's types do not know that TLS takes this option as well.
    const all = { ...options, onread };
    this.socket = connect(all);
    // Node does not heed it on a socket that is there already.
    this.#isPastStreams = options.socket === undefined;
  }

  /** Sends what the endpoint says from now on, and its end, to the client alone, as fast as that takes it. */
  passTo(client: Socket): void {
    const { socket } = this;
    if (!this.#isPastStreams) {
      socket.pipe(client);
      return;
    }
    // What came with the answer to who asked for the endpoint.
    for (let said = read(socket); said !== null; said = read(socket)) client.write(said);
    this.#client = client;
    client.on("drain", () => socket.resume());
    if (socket.readableEnded) client.end();
    else socket.once("end", () => client.end());
    socket.resume();
  }

  /** False when no more is to be read until the socket is resumed. */
  #take(count: number): boolean {
    this.#filled = count;
    const said = this.#buffer.subarray(0, count);
    const client = this.#client;
    if (client === undefined) return this.socket.push(copyOf(said));
    // What waits behind others takes no more than its own room, however slow the pod is.
    const isLate = client.writableLength > 0;
    const isWanted = client.write(isLate ? copyOf(said) : said);
    this.#isGiven = !isLate && client.writableLength > 0;
    return isWanted;
  }

  /** Where the next record goes, or the rest of the last one. */
  #next(): Buffer {
    const size = SMALLER.find((enough) => this.#filled < enough) ?? LARGEST;
    if (this.#isGiven || size !== this.#buffer.length) this.#buffer = Buffer.allocUnsafeSlow(size);
    return this.#buffer;
  }
}

/** Not out of Node's pool, of which a piece would hold the whole. */
function copyOf(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}

function read(socket: Socket): Buffer | null {
  return socket.read() as Buffer | null;
}
