// The objects of one kind, found by id and listed newest first, both cheap with 50,000 of them.

/** What every object at ngrok has. */
export interface Remote {
  readonly id: string;
  readonly uri: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** The `before_id` of the next page; absent on the last one. */
  readonly next?: string;
}

export class Collection<T extends Remote> {
  readonly #byId = new Map<string, T>();
  /** Ascending. Ids of removed objects stay until there are many: finding one to take out would cost a search each. */
  #ids: string[] = [];

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): T | undefined {
    return this.#byId.get(id);
  }

  values(): Iterable<T> {
    return this.#byId.values();
  }

  add(object: T): void {
    const last = this.#ids.at(-1);
    if (last === undefined || last < object.id) this.#ids.push(object.id);
    else {
      const place = this.#firstNotBelow(object.id);
      if (this.#ids[place] !== object.id) this.#ids.splice(place, 0, object.id);
    }
    this.#byId.set(object.id, object);
  }

  delete(id: string): boolean {
    const was = this.#byId.delete(id);
    if (was && this.#ids.length > 64 && this.#ids.length > 2 * this.#byId.size) {
      this.#ids = this.#ids.filter((known) => this.#byId.has(known));
    }
    return was;
  }

  /** Up to `limit` objects older than `beforeId` (which may be gone by now), newest first. */
  page(limit: number, beforeId?: string): Page<T> {
    const items: T[] = [];
    let i = (beforeId === undefined ? this.#ids.length : this.#firstNotBelow(beforeId)) - 1;
    for (; i >= 0; i -= 1) {
      const object = this.#byId.get(this.#ids[i] ?? "");
      if (object === undefined) continue;
      const last = items.at(-1);
      if (items.length === limit && last !== undefined) return { items, next: last.id };
      items.push(object);
    }
    return { items };
  }

  #firstNotBelow(id: string): number {
    let low = 0;
    let high = this.#ids.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ids[middle] ?? "") < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
