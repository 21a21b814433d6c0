// An index over what objects name together: the names of a group in the order in which a walk over the objects by their
// keys would first come to them. Kept change by change, so that the first of thousands are found without a look at the rest.

/** The names of an object in its order, each once, with the groups to which it brings that name. */
export type Naming = readonly NamedIn[];

export interface NamedIn {
  readonly name: string;
  /** A part stands in its group by itself: the ports of a Service. */
  readonly groups: readonly { readonly group: string; readonly part: string }[];
}

/** A name with the key of the first object that names it, or its rank, and its place among the names of that. */
export interface FirstNamed {
  readonly name: string;
  readonly by: string;
  readonly place: number;
}

export interface NamedPart {
  readonly part: string;
  readonly names: Iterable<FirstNamed>;
}

interface Namer {
  readonly by: string;
  readonly place: number;
}

interface Known {
  readonly name: string;
  /** In order, never empty. */
  readonly namers: Namer[];
  /** How many objects bring the name there, by part and group. */
  readonly groups: Map<string, Map<string, number>>;
}

export class NamesInOrder {
  readonly #byName = new Map<string, Known>();
  readonly #groups = new Map<string, Map<string, Known[]>>();

  /** @param by key of the object. */
  change(by: string, before: Naming, after: Naming): void {
    if (isSame(before, after)) return;
    const then = placed(before);
    const now = placed(after);
    const names = new Set([...then.keys(), ...now.keys()]);
    const all = [...names].map((name) => this.#byName.get(name) ?? { name, namers: [], groups: new Map() });
    // All are out before the first changes: with two of them changed by turns the lists would not be sorted.
    for (const known of all) this.#takeOut(known);
    for (const known of all) {
      const [left, entered] = [then.get(known.name), now.get(known.name)];
      if (left !== undefined) leave(known, by, left);
      if (entered !== undefined) enter(known, by, entered);
      if (known.namers.length === 0) this.#byName.delete(known.name);
      else {
        this.#byName.set(known.name, known);
        this.#putIn(known);
      }
    }
  }

  /** The parts of the group, each with its names, first come first. Not to be read on after a change. */
  of(group: string): NamedPart[] {
    return [...(this.#groups.get(group) ?? [])].map(([part, list]) => ({ part, names: firsts(list) }));
  }

  clear(): void {
    this.#byName.clear();
    this.#groups.clear();
  }

  #takeOut(known: Known): void {
    for (const [group, parts] of known.groups) {
      const lists = this.#groups.get(group);
      for (const part of parts.keys()) {
        const list = lists?.get(part) ?? [];
        const at = placeIn(list, (one) => order(firstOf(one), firstOf(known)));
        if (list[at] === known) list.splice(at, 1);
        if (list.length === 0) lists?.delete(part);
      }
      if (lists?.size === 0) this.#groups.delete(group);
    }
  }

  #putIn(known: Known): void {
    for (const [group, parts] of known.groups) {
      const lists = this.#groups.get(group) ?? new Map<string, Known[]>();
      this.#groups.set(group, lists);
      for (const part of parts.keys()) {
        const list = lists.get(part) ?? [];
        lists.set(part, list);
        list.splice(
          placeIn(list, (one) => order(firstOf(one), firstOf(known))),
          0,
          known,
        );
      }
    }
  }
}

/** A name with its place among those of its object. */
type Placed = NamedIn & { readonly place: number };

function placed(naming: Naming): ReadonlyMap<string, Placed> {
  return new Map(naming.map((one, place) => [one.name, { ...one, place }]));
}

function isSame(before: Naming, after: Naming): boolean {
  const same = (a: NamedIn, b: NamedIn | undefined): boolean =>
    a.name === b?.name &&
    a.groups.length === b.groups.length &&
    a.groups.every(({ group, part }, at) => group === b.groups[at]?.group && part === b.groups[at].part);
  return before.length === after.length && before.every((one, at) => same(one, after[at]));
}

function* firsts(list: readonly Known[]): Generator<FirstNamed> {
  for (const known of list) yield { name: known.name, ...firstOf(known) };
}

function enter(known: Known, by: string, { place, groups }: Placed): void {
  const namer = { by, place };
  known.namers.splice(
    placeIn(known.namers, (one) => order(one, namer)),
    0,
    namer,
  );
  for (const { group, part } of groups) {
    const parts = known.groups.get(group) ?? new Map<string, number>();
    known.groups.set(group, parts.set(part, (parts.get(part) ?? 0) + 1));
  }
}

function leave(known: Known, by: string, { place, groups }: Placed): void {
  const namer = { by, place };
  known.namers.splice(
    placeIn(known.namers, (one) => order(one, namer)),
    1,
  );
  for (const { group, part } of groups) {
    const parts = known.groups.get(group);
    const left = (parts?.get(part) ?? 0) - 1;
    if (left > 0) parts?.set(part, left);
    else parts?.delete(part);
    if (parts?.size === 0) known.groups.delete(group);
  }
}

function firstOf({ namers: [first] }: Known): Namer {
  if (first === undefined) throw new Error("a name that nobody names is not kept");
  return first;
}

function order(a: Namer, b: Namer): number {
  if (a.by !== b.by) return a.by < b.by ? -1 : 1;
  return a.place - b.place;
}

/** The first place in the sorted list at which `compare` is not negative. */
function placeIn<T>(list: readonly T[], compare: (one: T) => number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(list[middle] as T) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
