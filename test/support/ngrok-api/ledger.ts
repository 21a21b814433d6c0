// What was asked and answered: the newest requests one by one, and the counts of all of them.

export interface Entry {
  /** Monotonic milliseconds (performance.now) at which the request had arrived. */
  readonly at: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: string;
  /** The object that was asked for or made; absent for lists and refusals. */
  readonly id?: string;
  /** 0: no answer was sent, or not a whole one. */
  readonly status: number;
  /** How long it took to answer. */
  readonly ms: number;
  /** The kind of the fault that hit the request. */
  readonly fault?: string;
  /** True when the request changed something, whatever was answered. */
  readonly changed: boolean;
}

export class Ledger {
  readonly #limit: number;
  readonly #listener: ((entry: Entry) => void) | undefined;
  #newest: Entry[] = [];
  #total = 0;
  readonly #counts = new Map<string, Map<string, Map<number, number>>>();

  /** Keeps the `limit` newest entries; `listener` sees each as it is written. */
  constructor(limit: number, listener?: (entry: Entry) => void) {
    this.#limit = limit;
    this.#listener = listener;
  }

  /** Requests since the start or the last clear, those no longer kept included. */
  get total(): number {
    return this.#total;
  }

  add(entry: Entry): void {
    this.#newest[this.#total % this.#limit] = entry;
    this.#total += 1;
    const paths = getOr(this.#counts, entry.method, () => new Map<string, Map<number, number>>());
    const statuses = getOr(paths, collectionOf(entry.path), () => new Map<number, number>());
    statuses.set(entry.status, (statuses.get(entry.status) ?? 0) + 1);
    this.#listener?.(entry);
  }

  /** The newest entries, oldest first. */
  entries(): Entry[] {
    const start = this.#total > this.#limit ? this.#total % this.#limit : 0;
    return [...this.#newest.slice(start), ...this.#newest.slice(0, start)];
  }

  /** How many requests; `path` is a collection (`/endpoints`) and includes its objects. What is left out is any. */
  count(method?: string, path?: string, status?: number): number {
    let sum = 0;
    for (const [ofMethod, paths] of this.#counts) {
      if (method !== undefined && method !== ofMethod) continue;
      for (const [ofPath, statuses] of paths) {
        if (path !== undefined && path !== ofPath) continue;
        for (const [ofStatus, n] of statuses) if (status === undefined || status === ofStatus) sum += n;
      }
    }
    return sum;
  }

  /** All counts, e.g. `{ "DELETE /endpoints": { "204": 12 } }`. */
  counts(): Record<string, Record<string, number>> {
    const all: Record<string, Record<string, number>> = {};
    for (const [method, paths] of this.#counts) {
      for (const [path, statuses] of paths) all[`${method} ${path}`] = Object.fromEntries(statuses);
    }
    return all;
  }

  clear(): void {
    this.#newest = [];
    this.#total = 0;
    this.#counts.clear();
  }
}

function collectionOf(path: string): string {
  const end = path.indexOf("/", 1);
  return end === -1 ? path : path.slice(0, end);
}

function getOr<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
