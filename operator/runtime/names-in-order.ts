// An index over what objects name together: the names of a group in the order in which a walk over the objects by their
// keys would first come to them. Kept change by change, so that the first of thousands are found without a look at the rest.

/** The names of an object in its order, each once, with the groups to which it brings that name. */
export type Naming = readonly NamedIn[];

export interface NamedIn {
  readonly name: string;
  /** Who names a name first says on which terms: who names it on others brings it nowhere. Default: on none. */
  readonly terms?: string;
  /** A part stands in its group by itself: the ports of a Service. */
  readonly groups: readonly { readonly group: string; readonly part: string }[];
}

/** A name with the key, or the rank, of the first object that names it. */
export interface FirstNamed {
  readonly name: string;
  readonly by: string;
}

export interface NamedPart {
  readonly part: string;
  readonly names: Iterable<FirstNamed>;
}

/** One object's naming: its key or rank, and the place of the name among those of that object. */
interface Namer extends NamedIn {
  readonly by: string;
  readonly place: number;
}

interface Known {
  readonly name: string;
  /** In order; empty only while it changes. */
  readonly namers: Namer[];
  /** How many objects bring the name there on the first's terms, by part and group. */
  readonly groups: Map<string, Map<string, number>>;
}

export class NamesInOrder {
  readonly #byName = new Map<string, Known>();
  readonly #groups = new Map<string, Map<string, Known[]>>();

  /** @param by key of the object. */
  change(by: string, before: Naming, after: Naming): void {
    if (isSame(before, after)) return;
    const then = namersOf(by, before);
    const now = namersOf(by, after);
    const names = new Set([...then.keys(), ...now.keys()]);
    const all = [...names].map((name): Known => this.#byName.get(name) ?? { name, namers: [], groups: new Map() });
    // All are out before the first changes: with two of them changed by turns the lists would not be sorted.
    for (const known of all) this.#takeOut(known);
    for (const known of all) {
      rename(known, then.get(known.name), now.get(known.name));
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

function namersOf(by: string, naming: Naming): ReadonlyMap<string, Namer> {
  return new Map(naming.map((one, place) => [one.name, { ...one, by, place }]));
}

function isSame(before: Naming, after: Naming): boolean {
  const same = (a: NamedIn, b: NamedIn | undefined): boolean =>
    a.name === b?.name &&
    a.terms === b.terms &&
    a.groups.length === b.groups.length &&
    a.groups.every(({ group, part }, at) => group === b.groups[at]?.group && part === b.groups[at].part);
  return before.length === after.length && before.every((one, at) => same(one, after[at]));
}

function* firsts(list: readonly Known[]): Generator<FirstNamed> {
  for (const known of list) yield { name: known.name, by: firstOf(known).by };
}

/** Thousands may name one name: all are counted anew only when its terms change. */
function rename(known: Known, left: Namer | undefined, entered: Namer | undefined): void {
  const { namers, groups } = known;
  const terms = namers[0]?.terms;
  const at = (namer: Namer): number => placeIn(namers, (one) => order(one, namer));
  if (left !== undefined) namers.splice(at(left), 1);
  if (entered !== undefined) namers.splice(at(entered), 0, entered);
  if (namers[0]?.terms !== terms) {
    groups.clear();
    for (const namer of namers) count(known, namer, 1);
    return;
  }
  if (left !== undefined) count(known, left, -1);
  if (entered !== undefined) count(known, entered, 1);
}

function count({ namers: [first], groups }: Known, { terms, groups: named }: Namer, more: 1 | -1): void {
  if (terms !== first?.terms) return;
  for (const { group, part } of named) {
    const parts = groups.get(group) ?? new Map<string, number>();
    const number = (parts.get(part) ?? 0) + more;
    if (number > 0) groups.set(group, parts.set(part, number));
    else parts.delete(part);
    if (parts.size === 0) groups.delete(group);
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
