// Three groups of bars over the number of objects, as an SVG that needs nothing but itself. Pure.
import type { DrainResult } from "#scripts/bench/drain.ts";

interface Bar {
  readonly label: string;
  readonly colour: string;
  /** Undefined where it was not measured. */
  readonly value: number | undefined;
}

interface Panel {
  readonly title: string;
  readonly unit: string;
  /** A line that bars should stay below. */
  readonly limit?: number;
  readonly groups: readonly { readonly count: number; readonly bars: readonly Bar[] }[];
}

const COLOURS = { hook: "#3366cc", leader: "#dc7f1a", bare: "#8a8a8a", idle: "#c4c4c4" };
const PANEL = { width: 340, height: 240, left: 48, top: 56, gap: 24 };
const HEIGHT = PANEL.top + PANEL.height + 64;

export function scaleChart(results: readonly DrainResult[]): string {
  const panels = panelsOf(results);
  const width = panels.length * (PANEL.left + PANEL.width + PANEL.gap);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${HEIGHT}" fill="#ffffff"/>`,
    ...panels.flatMap((panel, at) => drawn(panel, at * (PANEL.left + PANEL.width + PANEL.gap) + PANEL.left)),
    "</svg>",
  ].join("\n")}\n`;
}

function panelsOf(results: readonly DrainResult[]): readonly Panel[] {
  const counts = [...new Set(results.map(({ count }) => count))].toSorted((a, b) => a - b);
  const of = (driver: DrainResult["driver"], count: number): DrainResult | undefined =>
    results.find((one) => one.driver === driver && one.count === count);
  const groups = (barsOf: (hook: DrainResult | undefined, leader: DrainResult | undefined) => readonly Bar[]) =>
    counts.map((count) => ({ count, bars: barsOf(of("hook", count), of("leader", count)) }));
  const perObject = (one: DrainResult | undefined) =>
    one === undefined ? undefined : (one.seconds / one.count) * 1000;
  const both = (value: (one: DrainResult | undefined) => number | undefined) =>
    groups((hook, leader) => [
      { label: "hook", colour: COLOURS.hook, value: value(hook) },
      { label: "leader", colour: COLOURS.leader, value: value(leader) },
    ]);
  return [
    { title: "Peak memory", unit: "MB", limit: 200, groups: both((one) => one?.peakMemoryMB) },
    {
      title: "Time for one object, the bare client's beside it",
      unit: "ms",
      groups: groups((hook, leader) => [
        { label: "hook", colour: COLOURS.hook, value: perObject(hook) },
        { label: "leader", colour: COLOURS.leader, value: perObject(leader) },
        { label: "bare client", colour: COLOURS.bare, value: rawOf(hook ?? leader) },
      ]),
    },
    {
      title: "A bystander's GET, median",
      unit: "ms",
      groups: groups((hook, leader) => [
        { label: "idle", colour: COLOURS.idle, value: (hook ?? leader)?.bystander.idle.median },
        { label: "bare client", colour: COLOURS.bare, value: (hook ?? leader)?.bystander.bare.median },
        { label: "hook", colour: COLOURS.hook, value: hook?.bystander.drain.median },
        { label: "leader", colour: COLOURS.leader, value: leader?.bystander.drain.median },
      ]),
    },
  ];
}

function rawOf(one: DrainResult | undefined): number | undefined {
  return one === undefined ? undefined : 1000 / one.rawPerSecond;
}

function drawn({ title, unit, limit, groups }: Panel, left: number): readonly string[] {
  const values = groups.flatMap(({ bars }) => bars.flatMap(({ value }) => value ?? []));
  const top = ceilingOf(Math.max(limit ?? 0, ...values) * 1.05);
  const bottom = PANEL.top + PANEL.height;
  const y = (value: number): number => bottom - (value / top) * PANEL.height;
  const room = PANEL.width / Math.max(1, groups.length);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => share * top);
  return [
    text(left, 20, `${title}, ${unit}`, 'font-weight="bold"'),
    ...legend(groups[0]?.bars ?? [], left),
    ...ticks.flatMap((tick) => [
      `<line x1="${left}" x2="${left + PANEL.width}" y1="${at(y(tick))}" y2="${at(y(tick))}" stroke="#e4e4e4"/>`,
      text(left - 6, y(tick) + 4, short(tick), 'text-anchor="end" fill="#555555"'),
    ]),
    ...groups.flatMap(({ count, bars }, n) => [
      ...bars.flatMap((bar, k) =>
        column(bar, left + n * room + 8 + (k * (room - 16)) / bars.length, (room - 16) / bars.length, y),
      ),
      text(left + (n + 0.5) * room, bottom + 18, count.toLocaleString("en"), 'text-anchor="middle"'),
    ]),
    text(left + PANEL.width / 2, bottom + 38, "objects", 'text-anchor="middle" fill="#555555"'),
    ...(limit === undefined
      ? []
      : [
          `<line x1="${left}" x2="${left + PANEL.width}" y1="${at(y(limit))}" y2="${at(y(limit))}" stroke="#cc2222" stroke-dasharray="5 4"/>`,
        ]),
  ];
}

function column({ value, colour }: Bar, x: number, width: number, y: (value: number) => number): readonly string[] {
  if (value === undefined) return [text(x + width / 2, y(0) - 4, "–", 'text-anchor="middle" fill="#999999"')];
  return [
    `<rect x="${at(x + 1)}" y="${at(y(value))}" width="${at(width - 2)}" height="${at(y(0) - y(value))}" fill="${colour}"/>`,
    text(x + width / 2, y(value) - 4, short(value), 'text-anchor="middle" font-size="10"'),
  ];
}

function legend(bars: readonly Bar[], left: number): readonly string[] {
  return bars.flatMap(({ label, colour }, n) => [
    `<rect x="${left + n * 84}" y="30" width="10" height="10" fill="${colour}"/>`,
    text(left + n * 84 + 14, 39, label, 'font-size="11"'),
  ]);
}

function text(x: number, y: number, content: string, more: string): string {
  return `<text x="${at(x)}" y="${at(y)}" ${more}>${content}</text>`;
}

/** The next of 1, 2, 4, 5, 8 with zeros that is not below. */
function ceilingOf(value: number): number {
  if (!(value > 0)) return 1;
  const unit = 10 ** Math.floor(Math.log10(value));
  return unit * ([1, 2, 4, 5, 8, 10].find((step) => step * unit >= value) ?? 10);
}

function at(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function short(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
