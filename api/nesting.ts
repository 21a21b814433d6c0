// How deep what people write may be nested. The API server stores ten thousand levels, and a walk over as many, JSON.stringify's
// own among them, ends with a RangeError wherever it is begun: so nobody walks over what is refused here.

/** Traffic policies come to a dozen. */
const DEEPEST = 100;

/** Said after the field that is; with what to do about it. */
export const TOO_DEEP = `is nested more than ${DEEPEST} levels deep: write it flatter`;

export function isTooDeep(value: unknown, levels = DEEPEST): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => isTooDeep(part, levels - 1));
}
