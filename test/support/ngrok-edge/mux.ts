// Many streams over one connection, as the edge's side of muxado: credit in both directions, streams opened from both ends.
import { Duplex } from "node:stream";
import { encodeFrame, encodeHead, errorCode, flag, FrameDecoder, frameType, word, type FrameHead } from "./frames.ts";

/** What each side may send on a stream before the other gives more. */
const initialCredit = 256 * 1024;
/** A frame's body at most: small enough for streams to take turns. */
const longestBody = 64 * 1024;
/** Credit is given back in pieces of at least this size, so that it does not cost a frame per read. */
const creditStep = 32 * 1024;

export interface MuxEvents {
  /** The agent opened a stream. */
  opened(stream: MuxStream): void;
  /** The connection is over, for whatever reason; all its streams are destroyed. Called once. */
  ended(why: string): void;
}

export class Mux {
  /** How long credit is withheld before it is given back, ms: 0 at once, Infinity never. */
  creditDelay = 0;
  readonly #socket: Duplex;
  readonly #events: MuxEvents;
  readonly #streams = new Map<number, MuxStream>();
  readonly #waiting: (() => void)[] = [];
  #nextId = 2;
  #lastSeen = 0;
  #over = false;

  constructor(socket: Duplex, events: MuxEvents) {
    this.#socket = socket;
    this.#events = events;
    const decoder = new FrameDecoder({
      data: (head, piece, first, last) => this.#onData(head, piece, first, last),
      control: (head, body) => this.#onControl(head, body),
    });
    socket.on("data", (chunk: Buffer) => {
      try {
        decoder.take(chunk);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        this.goAway(errorCode.protocol, error.message);
        this.end(error.message);
      }
    });
    socket.on("drain", () => {
      for (const go of this.#waiting.splice(0)) go();
    });
    socket.on("error", (error) => this.end(error.message));
    socket.on("end", () => this.end("the agent closed the connection"));
    socket.on("close", () => this.end("the connection is closed"));
  }

  /** Streams that are open in at least one direction. */
  get open(): number {
    return this.#streams.size;
  }

  /** Opens a stream towards the agent. Throws when the connection is over. */
  openStream(): MuxStream {
    if (this.#over) throw new Error("the agent's connection is over");
    const stream = new MuxStream(this.#nextId, this.#pipes(), flag.syn);
    this.#nextId += 2;
    this.#streams.set(stream.id, stream);
    return stream;
  }

  goAway(code: number, text = ""): void {
    const body = Buffer.concat([word(this.#lastSeen), word(code), Buffer.from(text)]);
    this.#send([encodeFrame(frameType.goAway, 0, 0, body)]);
  }

  /** Bytes as they are: what no mux says, in a test of what the agent does about it. */
  sendRaw(bytes: Uint8Array): void {
    this.#send([bytes]);
  }

  /** Everything is over on this side; the connection itself is left to the caller. */
  end(why: string): void {
    if (this.#over) return;
    this.#over = true;
    for (const stream of this.#streams.values()) stream.destroy();
    this.#streams.clear();
    for (const go of this.#waiting.splice(0)) go();
    this.#events.ended(why);
  }

  #pipes(): Pipes {
    return {
      send: (pieces) => this.#send(pieces),
      drained: (go) => void (this.#over ? go() : this.#waiting.push(go)),
      giveCredit: (stream, bytes) => this.#giveCredit(stream, bytes),
      gone: (id) => void this.#streams.delete(id),
    };
  }

  #giveCredit(stream: MuxStream, bytes: number): void {
    const give = () => {
      if (!stream.destroyed) this.#send([encodeFrame(frameType.wndinc, 0, stream.id, word(bytes))]);
    };
    if (this.creditDelay === 0) give();
    else if (Number.isFinite(this.creditDelay)) setTimeout(give, this.creditDelay).unref();
  }

  /** Whether more may be sent at once. */
  #send(pieces: readonly Uint8Array[]): boolean {
    if (this.#over || this.#socket.destroyed || !this.#socket.writable) return true;
    if (pieces.length > 1) this.#socket.cork();
    let room = true;
    for (const piece of pieces) room = this.#socket.write(piece);
    if (pieces.length > 1) this.#socket.uncork();
    return room;
  }

  #onData(head: FrameHead, piece: Buffer, first: boolean, last: boolean): void {
    if (this.#over) return;
    let stream = this.#streams.get(head.streamId);
    if (stream === undefined) {
      if (!(head.flags & flag.syn) || !first) {
        if (last) this.#send([encodeFrame(frameType.rst, 0, head.streamId, word(errorCode.streamClosed))]);
        return;
      }
      this.#lastSeen = head.streamId;
      stream = new MuxStream(head.streamId, this.#pipes(), 0);
      this.#streams.set(stream.id, stream);
      this.#events.opened(stream);
    }
    if (piece.length > 0) stream.receive(piece);
    if (last && head.flags & flag.fin) stream.receiveEnd();
  }

  #onControl(head: FrameHead, body: Buffer): void {
    if (this.#over) return;
    if (head.type === frameType.goAway) {
      this.end("the agent said GOAWAY");
      return;
    }
    const stream = this.#streams.get(head.streamId);
    if (stream === undefined || body.length < 4) return;
    if (head.type === frameType.wndinc) stream.addCredit(body.readUInt32BE() & 0x7fffffff);
    else stream.receiveReset(body.readUInt32BE());
  }
}

/** What a stream needs of its connection. */
interface Pipes {
  send(pieces: readonly Uint8Array[]): boolean;
  drained(go: () => void): void;
  giveCredit(stream: MuxStream, bytes: number): void;
  gone(id: number): void;
}

type Callback = (error?: Error | null) => void;

/** One stream: a Duplex that both ends may half close. */
export class MuxStream extends Duplex {
  readonly id: number;
  readonly #pipes: Pipes;
  #flags: number;
  #credit = initialCredit;
  #more: (() => void) | undefined;
  #unread = 0;
  #finSent = false;
  #finSeen = false;
  #reset = false;

  constructor(id: number, pipes: Pipes, firstFlags: number) {
    super({ allowHalfOpen: true, readableHighWaterMark: 64 * 1024, writableHighWaterMark: 64 * 1024 });
    this.id = id;
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
    this.#unread += piece.length;
    if (this.push(piece)) this.#giveBack();
  }

  receiveEnd(): void {
    this.#finSeen = true;
    this.push(null);
    this.#forget();
  }

  receiveReset(code: number): void {
    this.#reset = true;
    this.destroy(new Error(`the agent reset the stream with code ${code}`));
  }

  addCredit(bytes: number): void {
    this.#credit += bytes;
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
    if (this.#credit === 0) {
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
    const more = this.#more;
    this.#more = undefined;
    done(error);
    more?.();
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
