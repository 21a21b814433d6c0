// A tar archive from a list of files in memory: the same list gives the same bytes wherever it is written, whatever
// the umask, the clock and the file system's order were.

/** One file, folder or symbolic link, in the order of the list. Parents come before what they hold. */
export interface Entry {
  /** Without a leading slash; a folder's without a trailing one. At most 255 bytes. */
  readonly path: string;
  readonly type: "file" | "folder" | "link";
  /** Permission bits. */
  readonly mode: number;
  readonly content?: Buffer;
  /** What a link points to; at most 100 bytes. */
  readonly target?: string;
  /** Owner, user and group alike; 0 unless given. */
  readonly owner?: number;
}

const BLOCK = 512;
const TYPES = { file: "0", link: "2", folder: "5" } as const;

export function file(path: string, content: Buffer | string, mode = 0o644): Entry {
  return { path, type: "file", mode, content: Buffer.isBuffer(content) ? content : Buffer.from(content) };
}

export function folder(path: string, mode = 0o755, owner = 0): Entry {
  return { path, type: "folder", mode, owner };
}

export function link(path: string, target: string): Entry {
  return { path, type: "link", mode: 0o777, target };
}

/** `entries` sorted by path, with the folders that lead to them; one path twice is an error. */
export function withFolders(entries: readonly Entry[]): Entry[] {
  const all = new Map<string, Entry>();
  for (const entry of entries) {
    if (all.has(entry.path)) throw new Error(`${entry.path} is in the archive twice`);
    all.set(entry.path, entry);
  }
  for (const { path } of entries) {
    const parts = path.split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      const parent = parts.slice(0, depth).join("/");
      if (!all.has(parent)) all.set(parent, folder(parent));
    }
  }
  return [...all.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** The archive in the ustar format, with epoch 0 as every file's time. */
export function tar(entries: readonly Entry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const content = entry.content ?? Buffer.alloc(0);
    return [header(entry, content.length), content, Buffer.alloc(-content.length & (BLOCK - 1))];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

function header(entry: Entry, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const text = (value: string, at: number, length: number): void => {
    if (Buffer.byteLength(value) > length) throw new Error(`${entry.path}: "${value}" does not fit into a tar header`);
    block.write(value, at);
  };
  const octal = (value: number, at: number, length: number): void =>
    text(value.toString(8).padStart(length - 1, "0"), at, length - 1);
  const [prefix, name] = splitPath(entry.type === "folder" ? `${entry.path}/` : entry.path);
  text(name, 0, 100);
  octal(entry.mode, 100, 8);
  octal(entry.owner ?? 0, 108, 8);
  octal(entry.owner ?? 0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  text(TYPES[entry.type], 156, 1);
  text(entry.target ?? "", 157, 100);
  text("ustar\x0000", 257, 8);
  octal(0, 329, 8);
  octal(0, 337, 8);
  text(prefix, 345, 155);
  // The checksum counts its own field as spaces.
  block.fill(" ", 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

/** ustar keeps a name of 100 bytes and before it a prefix of 155, cut at a slash. */
function splitPath(path: string): [prefix: string, name: string] {
  if (Buffer.byteLength(path) <= 100) return ["", path];
  for (let at = path.indexOf("/"); at !== -1; at = path.indexOf("/", at + 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)];
    if (name !== "" && Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155) return [prefix, name];
  }
  throw new Error(`${path} is too long for a tar archive`);
}
