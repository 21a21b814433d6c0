// Many streams over one connection, as the edge's side of muxado: credit in both directions, streams opened from both ends.
import type { Duplex } from "node:stream";
import { encodeFrame, errorCode, flag, FrameDecoder, frameType, word, type FrameHead } from "./frames.ts";
import { MuxStream, type Pipes } from "./mux-stream.ts";

/** What fills a segment of TCP is acknowledged without our doing. */
const smallChunk = 1024;

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
  /** Of the frame that came last. */
  #lastHeard = 0;
  #sent = 0;
  #over = false;

  constructor(socket: Duplex, events: MuxEvents) {
    this.#socket = socket;
    this.#events = events;
    const decoder = new FrameDecoder({
      data: (head, piece, first, last) => this.#onData(head, piece, first, last),
      control: (head, body) => this.#onControl(head, body),
    });
    socket.on("data", (chunk: Buffer) => {
      const sent = this.#sent;
      try {
        decoder.take(chunk);
        if (chunk.length < smallChunk && this.#sent === sent) this.#acknowledge();
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

  /**
   * One byte of credit that nobody needs, so that TCP's acknowledgement goes with it. The agent's kernel holds a small segment
   * back until the one before is acknowledged, and ours would do that 40 ms later where there is nothing to send; ngrok's
   * edge is not on the same machine, and has something to send.
   */
  #acknowledge(): void {
    if (this.#lastHeard !== 0 && this.creditDelay === 0)
      this.#send([encodeFrame(frameType.wndinc, 0, this.#lastHeard, word(1))]);
  }

  /** Whether more may be sent at once. */
  #send(pieces: readonly Uint8Array[]): boolean {
    this.#sent += 1;
    if (this.#over || this.#socket.destroyed || !this.#socket.writable) return true;
    if (pieces.length > 1) this.#socket.cork();
    let room = true;
    for (const piece of pieces) room = this.#socket.write(piece);
    if (pieces.length > 1) this.#socket.uncork();
    return room;
  }

  #onData(head: FrameHead, piece: Buffer, first: boolean, last: boolean): void {
    if (this.#over) return;
    this.#lastHeard = head.streamId;
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
    this.#lastHeard = head.streamId;
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
