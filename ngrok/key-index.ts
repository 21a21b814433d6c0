// Which remote objects carry a key (a host name, a URL and metadata): ngrok cannot be asked by key, so a full list is
// read and shared by all who ask meanwhile.
import type { Clock } from "#wire/clock.ts";
import type { Freshness } from "./change.ts";
import { shared } from "./fresh.ts";

export interface KeyIndexOptions<Remote> {
  /** Page after page of all objects; lives as long as the client. */
  readonly pages: () => AsyncIterable<readonly Remote[]>;
  readonly get: (id: string, signal: AbortSignal) => Promise<Remote | undefined>;
  readonly keys: (remote: Remote) => readonly string[];
  readonly clock: Clock;
}

export interface KeyIndex<Remote> {
  /** All objects with this key, as fresh as `freshness` wants it. */
  matching(key: string, freshness: Freshness, signal: AbortSignal): Promise<readonly Remote[]>;
  /** An object that this client created or changed: later lookups know it. */
  note(remote: Remote): void;
  /** A creation's outcome is unknown: no list that began before now answers any more. */
  doubt(): void;
}

/** Looking so many up by id is cheaper than a new list, and as many as the list has pages. */
const FEW = 8;
const PAGE = 100;
/** So many more than were listed are noted; then the next who looks something up has a new list. */
const ROOM = 1_000;

export function keyIndex<Remote extends { readonly id: string }>(options: KeyIndexOptions<Remote>): KeyIndex<Remote> {
  const { clock, keys } = options;
  let reading: Map<string, Map<string, Remote>> | undefined;
  /** Of the last list only ids are kept: the objects may be many, and they change. */
  let kept: { readonly began: number; readonly ids: Map<string, Set<string>>; room: number } | undefined;
  let doubtedAt = Number.NEGATIVE_INFINITY;

  const list = shared(async (began) => {
    const found = new Map<string, Map<string, Remote>>();
    reading = found;
    try {
      for await (const page of options.pages()) for (const remote of page) add(found, remote, keys);
      const ids = new Map([...found].map(([key, remotes]) => [key, new Set(remotes.keys())]));
      kept = { began, ids, room: Math.max(ROOM, ids.size) };
      return found;
    } finally {
      reading = undefined;
    }
  }, clock);

  const byId = async (ids: ReadonlySet<string>, key: string, signal: AbortSignal) => {
    const remotes = await Promise.all([...ids].map((id) => options.get(id, signal)));
    return remotes.filter((remote) => remote !== undefined && keys(remote).includes(key)) as Remote[];
  };

  return {
    async matching(key, { asOf }, signal) {
      const wanted = asOf === undefined ? undefined : Math.max(asOf, doubtedAt);
      if (wanted !== undefined && kept !== undefined && kept.began >= wanted) {
        const ids = kept.ids.get(key);
        if (ids === undefined) return [];
        if (ids.size <= Math.max(FEW, kept.ids.size / PAGE)) return await byId(ids, key, signal);
        return values(await list(undefined, signal), key);
      }
      return values(await list(wanted, signal), key);
    },
    note(remote) {
      if (reading !== undefined) add(reading, remote, keys);
      for (const key of keys(remote)) {
        const ids = kept?.ids.get(key) ?? new Set<string>();
        if (kept === undefined || ids.has(remote.id)) continue;
        kept.ids.set(key, ids.add(remote.id));
        // What has gone stays in it: a process that never looked again would keep all that it has ever made.
        if ((kept.room -= 1) < 0) kept = undefined;
      }
    },
    doubt() {
      doubtedAt = clock.now();
    },
  };
}

function add<Remote extends { readonly id: string }>(
  to: Map<string, Map<string, Remote>>,
  remote: Remote,
  keys: (remote: Remote) => readonly string[],
): void {
  for (const key of keys(remote)) {
    const same = to.get(key) ?? new Map<string, Remote>();
    to.set(key, same.set(remote.id, remote));
  }
}

function values<Remote>(found: Map<string, Map<string, Remote>>, key: string): readonly Remote[] {
  return [...(found.get(key)?.values() ?? [])];
}
