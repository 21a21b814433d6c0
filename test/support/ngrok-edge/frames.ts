// The frames of muxado, the protocol by which one TLS connection of an agent carries many streams: bytes to frames and back.

export const frameType = { rst: 0, data: 1, wndinc: 2, goAway: 3 } as const;
export const flag = { fin: 1, syn: 2 } as const;
/** The codes of RST and GOAWAY that this side says. */
export const errorCode = { none: 0, protocol: 1, streamClosed: 4 } as const;

export const headerBytes = 8;
/** Longest body of a frame that is not DATA: GOAWAY may carry a text. */
const longestControl = 4096;

export interface FrameHead {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  /** Bytes of body that follow. */
  readonly length: number;
}

/** What a connection says, piece by piece. A DATA body comes in as many pieces as it arrived in. */
export interface FrameReader {
  /** `last`: the piece ends its frame, so that a FIN in `head` counts now. `first`: it begins it, so that a SYN does. */
  data(head: FrameHead, piece: Buffer, first: boolean, last: boolean): void;
  /** Any other frame, whole. */
  control(head: FrameHead, body: Buffer): void;
}

/** One frame, ready to be sent. */
export function encodeFrame(type: number, flags: number, streamId: number, body?: Uint8Array): Buffer {
  const length = body?.byteLength ?? 0;
  const frame = Buffer.allocUnsafe(headerBytes + length);
  writeHead(frame, { type, flags, streamId, length });
  if (body !== undefined) frame.set(body, headerBytes);
  return frame;
}

/** The header alone, for a body that is sent beside it without being copied. */
export function encodeHead(head: FrameHead): Buffer {
  const bytes = Buffer.allocUnsafe(headerBytes);
  writeHead(bytes, head);
  return bytes;
}

/** Four bytes, big endian: an increment, a code, the type of a stream. */
export function word(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function writeHead(into: Buffer, { type, flags, streamId, length }: FrameHead): void {
  into.writeUIntBE(length, 0, 3);
  into.writeUInt8((type << 4) | flags, 3);
  into.writeUInt32BE(streamId, 4);
}

/** Takes bytes as they come and hands frames to `reader`. Throws RangeError on what no muxado says; it is deaf then. */
export class FrameDecoder {
  readonly #reader: FrameReader;
  #held: Buffer = Buffer.alloc(0);
  #head: FrameHead | undefined;
  #left = 0;

  constructor(reader: FrameReader) {
    this.#reader = reader;
  }

  take(chunk: Buffer): void {
    let rest = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (;;) {
      if (this.#head === undefined) {
        if (rest.length < headerBytes) break;
        this.#head = readHead(rest);
        this.#left = this.#head.length;
        rest = rest.subarray(headerBytes);
      }
      const head = this.#head;
      if (head.type === frameType.data) {
        if (rest.length === 0 && this.#left > 0) break;
        const piece = rest.subarray(0, this.#left);
        const first = this.#left === head.length;
        this.#left -= piece.length;
        rest = rest.subarray(piece.length);
        if (this.#left === 0) this.#head = undefined;
        this.#reader.data(head, piece, first, this.#left === 0);
      } else {
        if (rest.length < head.length) break;
        this.#head = undefined;
        this.#reader.control(head, rest.subarray(0, head.length));
        rest = rest.subarray(head.length);
      }
    }
    this.#held = rest;
  }
}

function readHead(bytes: Buffer): FrameHead {
  const kind = bytes.readUInt8(3);
  const head = {
    length: bytes.readUIntBE(0, 3),
    type: kind >> 4,
    flags: kind & 0xf,
    streamId: bytes.readUInt32BE(4) & 0x7fffffff,
  };
  if (head.type > frameType.goAway) throw new RangeError(`no frame has the type ${head.type}`);
  if (head.type !== frameType.data && head.length > longestControl)
    throw new RangeError(`a frame of type ${head.type} with ${head.length} bytes`);
  if ((head.streamId === 0) !== (head.type === frameType.goAway))
    throw new RangeError(`a frame of type ${head.type} on stream ${head.streamId}`);
  return head;
}
