// What somebody meant who mistyped one of a few names. Pure.

/** The one of `names` of which `text` is a misspelling: a letter in four may be wrong. undefined when it is none of them. */
export function nearest<T extends string>(text: string, names: readonly T[]): T | undefined {
  const given = text.toLowerCase();
  const limit = Math.max(1, Math.floor(given.length / 4));
  const [best] = names
    .filter((name) => Math.abs(name.length - given.length) <= limit)
    .map((name) => ({ name, edits: editsBetween(given, name) }))
    .filter(({ edits }) => edits <= limit)
    .toSorted((a, b) => a.edits - b.edits);
  return best?.name;
}

/** How many letters have to be put in, taken out or changed (Levenshtein). */
function editsBetween(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let row = 1; row <= a.length; row += 1) {
    const here = [row];
    for (let at = 1; at <= b.length; at += 1) {
      const changed = (above[at - 1] ?? 0) + (a[row - 1] === b[at - 1] ? 0 : 1);
      here.push(Math.min(changed, (above[at] ?? 0) + 1, (here[at - 1] ?? 0) + 1));
    }
    above = here;
  }
  return above[b.length] ?? 0;
}
