// The host that a TLS client names before anything is encrypted (RFC 8446 section 4, RFC 6066 section 3).

const handshake = 22;
const clientHello = 1;
const serverNameExtension = 0;
const recordHead = 5;

/**
 * The server name in the first bytes of a connection: empty when the client gives none, undefined when there are too few
 * bytes to say. Throws RangeError when they are no TLS.
 */
export function serverNameOf(bytes: Buffer): string | undefined {
  if (bytes.length < recordHead) return undefined;
  if (bytes.readUInt8(0) !== handshake) throw new RangeError("this is no TLS");
  const length = bytes.readUInt16BE(3);
  if (bytes.length < recordHead + length) return undefined;
  const hello = new Cursor(bytes.subarray(recordHead, recordHead + length));
  if (hello.number(1) !== clientHello) throw new RangeError("the client does not say hello");
  hello.skip(3 + 2 + 32); // length, version, random
  hello.skip(hello.number(1)); // session id
  hello.skip(hello.number(2)); // cipher suites
  hello.skip(hello.number(1)); // compression
  if (hello.left < 2) return "";
  const extensions = new Cursor(hello.take(hello.number(2)));
  while (extensions.left >= 4) {
    const type = extensions.number(2);
    const body = extensions.take(extensions.number(2));
    // A list of names; only host names were ever defined, so the first is the one.
    if (type === serverNameExtension) return body.subarray(5).toString("latin1").toLowerCase();
  }
  return "";
}

class Cursor {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  number(size: 1 | 2): number {
    const value = this.#bytes.readUIntBE(this.#at, size);
    this.#at += size;
    return value;
  }

  skip(count: number): void {
    this.#at += count;
  }

  take(count: number): Buffer {
    const taken = this.#bytes.subarray(this.#at, this.#at + count);
    this.#at += count;
    return taken;
  }
}
