// One stream of an agent's connection, from the edge's side: a Duplex with credit in both directions.
import { Duplex } from "node:stream";
import { encodeHead, flag, frameType } from "./frames.ts";

/** What each side may send on a stream before the other gives more. */
const initialCredit = 256 * 1024;
/** A frame's body at most: small enough for streams to take turns. */
const longestBody = 64 * 1024;
/** Credit is given back in pieces of at least this size, so that it does not cost a frame per read. */
const creditStep = 32 * 1024;

/** What a stream needs of its connection. */
export interface Pipes {
  send(pieces: readonly Uint8Array[]): boolean;
  drained(go: () => void): void;
  giveCredit(stream: MuxStream, bytes: number): void;
  gone(id: number): void;
}

type Callback = (error?: Error | null) => void;

/** One stream: a Duplex that both ends may half close. */
export class MuxStream extends Duplex {
  readonly id: number;
  /** Resolves when the other side has first done anything on it: until then nobody may have taken it. */
  readonly taken: Promise<void>;
  readonly #take: () => void;
  readonly #pipes: Pipes;
  #flags: number;
  #credit = initialCredit;
  #more: (() => void) | undefined;
  #unread = 0;
  #isHeld = false;
  #finSent = false;
  #finSeen = false;
  #reset = false;

  constructor(id: number, pipes: Pipes, firstFlags: number) {
    super({ allowHalfOpen: true, readableHighWaterMark: 64 * 1024, writableHighWaterMark: 64 * 1024 });
    this.id = id;
    ({ promise: this.taken, resolve: this.#take } = Promise.withResolvers<void>());
    this.#pipes = pipes;
    this.#flags = firstFlags;
    // Whoever uses the stream has its own say; without any, a cut connection must not end the process.
    this.on("error", () => {});
  }

  /** Node's HTTP clients ask these of a socket; a stream has no options of its own. */
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  receive(piece: Buffer): void {
    this.#take();
    this.#unread += piece.length;
    if (this.push(piece)) this.#giveBack();
  }

  receiveEnd(): void {
    this.#take();
    this.#finSeen = true;
    this.push(null);
    this.#forget();
  }

  receiveReset(code: number): void {
    this.#reset = true;
    this.destroy(new Error(`the agent reset the stream with code ${code}`));
  }

  addCredit(bytes: number): void {
    this.#take();
    this.#credit += bytes;
    if (!this.#isHeld) this.#goOn();
  }

  /** Sends nothing until it is released. Corks will not do: Node's HTTP clients take all of them out. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.#goOn();
  }

  #goOn(): void {
    const more = this.#more;
    this.#more = undefined;
    more?.();
  }

  override _read(): void {
    this.#giveBack();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Callback): void {
    if (chunk.length === 0) {
      done();
      return;
    }
    if (this.#credit === 0 || this.#isHeld) {
      this.#more = () => this._write(chunk, _encoding, done);
      return;
    }
    const body = chunk.subarray(0, Math.min(this.#credit, longestBody));
    this.#credit -= body.length;
    const room = this.#data(0, body);
    const rest = chunk.subarray(body.length);
    const go = () => (rest.length === 0 || this.destroyed ? done() : this._write(rest, _encoding, done));
    if (room) go();
    else this.#pipes.drained(go);
  }

  override _final(done: Callback): void {
    this.#fin();
    done();
    this.#forget();
  }

  override _destroy(error: Error | null, done: Callback): void {
    // The agent passes FIN on at once, but a reset only when the upstream writes again (which is then answered by RST).
    if (!this.#reset) this.#fin();
    this.#pipes.gone(this.id);
    this.#take();
    done(error);
    this.#goOn();
  }

  #fin(): void {
    if (this.#finSent) return;
    this.#finSent = true;
    this.#data(flag.fin);
  }

  #data(flags: number, body?: Buffer): boolean {
    const head = encodeHead({
      type: frameType.data,
      flags: flags | this.#flags,
      streamId: this.id,
      length: body?.length ?? 0,
    });
    this.#flags = 0;
    return this.#pipes.send(body === undefined ? [head] : [head, body]);
  }

  #giveBack(): void {
    if (this.#unread < creditStep || this.#finSeen) return;
    const bytes = this.#unread;
    this.#unread = 0;
    this.#pipes.giveCredit(this, bytes);
  }

  #forget(): void {
    if (this.#finSent && this.#finSeen) this.#pipes.gone(this.id);
  }
}
