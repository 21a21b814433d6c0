// What is made of the times that were measured: pure, so that nobody has to believe a figure that was reckoned wrongly.

/** The widths, in connections over HTTP/1.1, at which the raw ceiling is taken. */
export const WIDTHS = [8, 32, 64] as const;
/** An API server that takes fewer writes a second from a bare client has no time for us: the run says nothing. */
export const UNDISTURBED_WRITES_PER_SECOND = 600;

/** Things a second; both must be above zero. */
export function perSecond(count: number, seconds: number): number {
  if (!(count > 0 && seconds > 0)) throw new Error(`${count} in ${seconds} s gives no rate`);
  return count / seconds;
}

/** The middle one, or the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined) throw new Error("there is no median of nothing");
  return (low + high) / 2;
}

/** The smallest value that at least that share of the values does not exceed; `share` from above 0 to 1. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.ceil(share * sorted.length) - 1];
  if (value === undefined) throw new Error("there is no percentile of nothing");
  return value;
}

/** Objects a second by width. */
export type ByWidth = Readonly<Record<string, number>>;

/** The ceiling: the best of the widths. */
export function best(rates: ByWidth): number {
  const values = Object.values(rates);
  if (values.length === 0) throw new Error("no width was measured");
  return Math.max(...values);
}

/** The width at which the ceiling was reached. */
export function widthOf(rates: ByWidth): string {
  const top = best(rates);
  return Object.keys(rates).find((width) => rates[width] === top) ?? "";
}

/** @param writesPerObject calls to the API server that change something, for one object of the bare client. */
export function isDisturbed(rawPerSecond: number, writesPerObject: number): boolean {
  return rawPerSecond * writesPerObject < UNDISTURBED_WRITES_PER_SECOND;
}

/** Our rate as a share of the bare client's. */
export function ratio(ours: number, raw: number): number {
  if (!(raw > 0)) throw new Error(`a ceiling of ${raw} objects a second is none`);
  return ours / raw;
}

/** How much more time one object takes at the worst count than at the best: 0.25 is 25 %. */
export function spread(runs: readonly { readonly count: number; readonly seconds: number }[]): number {
  const each = runs.map(({ count, seconds }) => 1 / perSecond(count, seconds));
  if (each.length < 2) throw new Error("a spread needs two counts");
  return Math.max(...each) / Math.min(...each) - 1;
}

/** For people and JSON: three digits that mean something. */
export function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
