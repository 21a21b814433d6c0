// Alerts and dashboard ask for nothing but what the programs expose: names and labels from the registry that each of them opens.
import { parser } from "@prometheus-io/lezer-promql";
import { expect, test } from "vitest";
import { metrics } from "#operator/runtime/metrics.ts";
import { alerts, panels, SELECT } from "./monitoring-queries.ts";

/** What Prometheus adds to each line that it reads of a pod. */
const ADDED = ["namespace", "pod"];

const exposed = new Map<string, readonly string[]>();
const all = metrics();
all.connections();
all.session(() => true);
for (const { name } of all.registry.getMetricsAsArray()) {
  const { labelNames } = all.registry.getSingleMetric(name) as unknown as { labelNames: readonly string[] };
  exposed.set(name, labelNames);
  exposed.set(`${name}_bucket`, [...labelNames, "le"]);
}

const queries = [...alerts, ...panels].map((one) => ("name" in one ? [one.name, one.query] : [one.title, one.query]));

/** The metrics of a query, each with the labels that stand in its braces. */
function selectorsOf(query: string): { readonly metric: string; readonly labels: readonly string[] }[] {
  return [...query.matchAll(/([a-z_]+)\{([^}]*)\}/g)].map(([, metric = "", inside = ""]) => ({
    metric,
    labels: inside.split(",").flatMap((part) => /^(\w+)(?:=~|!~|!=|=)"/.exec(part)?.[1] ?? []),
  }));
}

test.for(queries)("%s asks for metrics and labels that there are, of one install", ([, query = ""]) => {
  const selectors = selectorsOf(query);
  expect(selectors.length).toBeGreaterThan(0);
  // Each is chosen by the install's labels: none of another one's.
  expect(query.split(`{${SELECT}`)).toHaveLength(selectors.length + 1);
  for (const { metric, labels } of selectors) {
    expect([...exposed.keys()]).toContain(metric);
    for (const label of labels) expect(exposed.get(metric), `${metric} ${label}`).toContain(label);
  }
  const grouped = [...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = ""]) => list.split(", "));
  const known = selectors.flatMap(({ metric }) => exposed.get(metric) ?? []);
  for (const label of grouped) expect([...known, ...ADDED]).toContain(label);
});

/** Where Prometheus's grammar cannot read a query on. */
function unread(query: string): string[] {
  const places: string[] = [];
  parser.parse(query).iterate({
    enter: (node) => void (node.type.isError && places.push(`${query.slice(0, node.from)} <here>`)),
  });
  return places;
}

test.for(queries)("%s can be read by Prometheus", ([, query = ""]) => {
  expect(unread(query.replaceAll(SELECT, 'namespace="a"'))).toEqual([]);
});

test("a query with a slip cannot be read", () => {
  expect(unread('sum by (pod) (rate(a_total{b="c"}[5m])')).not.toEqual([]);
  expect(unread("max(a{b=c}) == 0")).not.toEqual([]);
});

test.for([
  ...alerts.map(({ name, query, description }) => [name, query, description] as const),
  ...panels.map(({ title, query, legend }) => [title, query, legend] as const),
])("%s names labels in its text that its query keeps", ([, query, text]) => {
  const kept = [...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = ""]) => list.split(", "));
  const named = [...text.matchAll(/\{\{ ?(?:\$labels\.)?(\w+) ?\}\}/g)].map(([, label]) => label);
  expect(named.filter((label) => !kept.includes(label ?? ""))).toEqual([]);
});
