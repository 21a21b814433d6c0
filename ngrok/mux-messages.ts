// The two messages of the binding ingress in protobuf's wire format: one that we write, one that we read. They have nine
// fields together, so they are written out here; a schema compiler and its runtime would be the larger part to read.

/** The pod that asks, as policies at ngrok see it; all fields empty when it is not known. */
export interface PodIdentity {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ConnRequest {
  readonly host: string;
  /** 0 to 65535. */
  readonly port: number;
  readonly podIdentity: PodIdentity;
}

export interface ConnResponse {
  readonly endpointId: string;
  readonly proto: string;
  /** `ERR_NGROK_n`; "" when the endpoint is reached. */
  readonly errorCode: string;
  readonly errorMessage: string;
  readonly notices: readonly string[];
}

/** The message without its length. Fields that are empty are left out, as proto3 has it; the identity is always there. */
export function encodeRequest({ host, port, podIdentity }: ConnRequest): Buffer {
  const { uid, name, namespace, annotations } = podIdentity;
  // Both halves of a pair are written even when they are empty, as every other writer of maps does.
  const half = (field: number, value: string): Buffer => chunk(field, Buffer.from(value));
  const pairs = Object.entries(annotations).map(([key, value]) => chunk(4, concat(half(1, key), half(2, value))));
  const identity = concat(text(1, uid), text(2, name), text(3, namespace), ...pairs);
  return concat(text(1, host), port === 0 ? EMPTY : concat(varint(2 << 3), varint(port)), chunk(3, identity));
}

/** Reads an answer; fields that are not known are skipped. Throws RangeError on what is no such message. */
export function decodeResponse(message: Uint8Array): ConnResponse {
  const texts = ["", "", "", ""];
  const notices: string[] = [];
  for (const [field, value] of chunksOf(message)) {
    if (field >= 1 && field <= 4) texts[field - 1] = utf8.decode(value);
    if (field !== 5) continue;
    let notice = "";
    for (const [inner, bytes] of chunksOf(value)) if (inner === 1) notice = utf8.decode(bytes);
    notices.push(notice);
  }
  const [endpointId = "", proto = "", errorCode = "", errorMessage = ""] = texts;
  return { endpointId, proto, errorCode, errorMessage, notices };
}

const EMPTY = Buffer.alloc(0);
const utf8 = new TextDecoder();
/** How many bytes follow a tag; numbers and fields with a length say it themselves. */
const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

function concat(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}

function text(field: number, value: string): Buffer {
  return value === "" ? EMPTY : chunk(field, Buffer.from(value));
}

function chunk(field: number, value: Uint8Array): Buffer {
  return concat(varint((field << 3) | WIRE.bytes), varint(value.length), value);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** The fields that have a length, in order; all others are stepped over. */
function* chunksOf(message: Uint8Array): Generator<readonly [field: number, value: Uint8Array]> {
  let at = 0;
  const step = (length: number): Uint8Array => {
    if (length > message.length - at) throw new RangeError(`a field of ${length} bytes in a message that ends before`);
    at += length;
    return message.subarray(at - length, at);
  };
  const number = (): number => {
    // Ten bytes are a whole int64; what stands above 2^53 is skipped with the rest of its field and never computed with.
    for (let value = 0, factor = 1, bytes = 1; bytes <= 10; bytes += 1, factor *= 128) {
      const byte = message[at];
      if (byte === undefined) throw new RangeError("the message ends within a number");
      at += 1;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw new RangeError("a number of more than ten bytes");
  };
  while (at < message.length) {
    const tag = number();
    const field = Math.floor(tag / 8);
    if (field < 1) throw new RangeError("a field with the number 0");
    const wire = tag % 8;
    if (wire === WIRE.varint) number();
    else if (wire === WIRE.fixed64) step(8);
    else if (wire === WIRE.fixed32) step(4);
    else if (wire === WIRE.bytes) yield [field, step(number())];
    else throw new RangeError(`a field of the wire type ${wire}`);
  }
}
