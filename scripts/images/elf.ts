// What a program for Linux asks of its loader, read from the file itself: `ldd` answers only for programs of this machine.

const MAGIC = 0x7f454c46;
const SECTION_DYNAMIC = 6;
const TAG_NEEDED = 1n;

/** The names of the libraries that a 64-bit little-endian ELF file needs by itself, e.g. libc.so.6; throws when it is none. */
export function neededBy(file: Buffer): string[] {
  if (file.length < 64 || file.readUInt32BE(0) !== MAGIC || file[4] !== 2 || file[5] !== 1) {
    throw new Error("this is no 64-bit little-endian ELF file");
  }
  const [start, size, count] = [Number(file.readBigUInt64LE(40)), file.readUInt16LE(58), file.readUInt16LE(60)];
  const section = (at: number): { type: number; link: number; bytes: Buffer } => {
    const header = file.subarray(start + at * size, start + (at + 1) * size);
    const [offset, length] = [Number(header.readBigUInt64LE(24)), Number(header.readBigUInt64LE(32))];
    const type = header.readUInt32LE(4);
    return { type, link: header.readUInt32LE(40), bytes: file.subarray(offset, offset + length) };
  };
  for (let at = 0; at < count; at++) {
    const { type, link, bytes } = section(at);
    if (type === SECTION_DYNAMIC) return namesIn(bytes, section(link).bytes);
  }
  return [];
}

function namesIn(dynamic: Buffer, texts: Buffer): string[] {
  const names: string[] = [];
  for (let at = 0; at + 16 <= dynamic.length; at += 16) {
    if (dynamic.readBigUInt64LE(at) !== TAG_NEEDED) continue;
    const begin = Number(dynamic.readBigUInt64LE(at + 8));
    names.push(texts.toString("latin1", begin, texts.indexOf(0, begin)));
  }
  return names;
}
