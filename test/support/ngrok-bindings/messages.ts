// What a forwarder and the binding ingress say to each other before bytes flow: a length of two bytes, little endian, and
// one message in protobuf's wire format. Written from that format's definition and not from the client that it measures.

/** Which endpoint is asked for, and for whom. */
export interface ConnRequest {
  readonly host: string;
  readonly port: number;
  /** Undefined when the message has none; a pod that is not known is one with empty fields. */
  readonly pod: PodIdentity | undefined;
}

export interface PodIdentity {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ConnResponse {
  readonly endpointId?: string;
  readonly proto?: string;
  readonly errorCode?: string;
  readonly errorMessage?: string;
  readonly notices?: readonly string[];
}

/** Length and message, as they are sent. */
export function frameOf(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16LE(message.length);
  return Buffer.concat([length, message]);
}

/** Throws RangeError on what is no ConnRequest. */
export function readRequest(message: Buffer): ConnRequest {
  let host = "";
  let port = 0;
  let pod: PodIdentity | undefined;
  for (const { field, number, bytes } of fieldsOf(message)) {
    if (field === 1) host = bytes.toString();
    if (field === 2) port = Number(BigInt.asIntN(64, number));
    if (field === 3) pod = readPod(bytes);
  }
  return { host, port, pod };
}

function readPod(message: Buffer): PodIdentity {
  const pod = { uid: "", name: "", namespace: "", annotations: {} as Readonly<Record<string, string>> };
  for (const { field, bytes } of fieldsOf(message)) {
    if (field === 1) pod.uid = bytes.toString();
    if (field === 2) pod.name = bytes.toString();
    if (field === 3) pod.namespace = bytes.toString();
    if (field === 4) {
      const entry = [...fieldsOf(bytes)];
      const text = (wanted: number) => entry.find((one) => one.field === wanted)?.bytes.toString() ?? "";
      // Not set by its name: `__proto__` would be none.
      pod.annotations = Object.fromEntries([...Object.entries(pod.annotations), [text(1), text(2)]]);
    }
  }
  return pod;
}

/** The answer, with one field more than anybody knows: a later ngrok may say more than today's. */
export function writeResponse({ endpointId, proto, errorCode, errorMessage, notices = [] }: ConnResponse): Buffer {
  const said = [endpointId, proto, errorCode, errorMessage].flatMap((value, index) =>
    value === undefined ? [] : [textField(index + 1, value)],
  );
  const told = notices.map((message) => bytesField(5, textField(1, message)));
  return Buffer.concat([Buffer.from([0x78, 0x96, 0x01]), ...said, ...told, textField(99, "not known yet")]);
}

function textField(field: number, value: string): Buffer {
  return bytesField(field, Buffer.from(value));
}

function bytesField(field: number, value: Buffer): Buffer {
  return Buffer.concat([varint((field << 3) | 2), varint(value.length), value]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

interface Field {
  readonly field: number;
  /** Of a varint; else 0. */
  readonly number: bigint;
  /** Of a field with a length; else empty. */
  readonly bytes: Buffer;
}

function* fieldsOf(message: Buffer): Generator<Field> {
  let at = 0;
  const number = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at];
      if (byte === undefined) throw new RangeError("the message ends within a number");
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("a number is longer than ten bytes");
  };
  const take = (length: number): Buffer => {
    if (at + length > message.length) throw new RangeError("a field is longer than the message");
    at += length;
    return message.subarray(at - length, at);
  };
  while (at < message.length) {
    const tag = Number(number());
    const field = tag >>> 3;
    const none = Buffer.alloc(0);
    if ((tag & 7) === 0) yield { field, number: number(), bytes: none };
    else if ((tag & 7) === 1) yield { field, number: 0n, bytes: (take(8), none) };
    else if ((tag & 7) === 2) yield { field, number: 0n, bytes: take(Number(number())) };
    else if ((tag & 7) === 5) yield { field, number: 0n, bytes: (take(4), none) };
    else throw new RangeError(`wire type ${tag & 7}`);
  }
}
