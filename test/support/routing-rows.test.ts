// Every row becomes what it says, by the translator alone, and who is refused is told; that a cluster shows the same is
// test/e2e/routing-rows.test.ts. Every line of the contract that routing-lines*.ts list has a row, for each kind of which it
// speaks; a line that nobody has listed there shows nowhere.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { KubeObject } from "#kube/kind.ts";
import type { RouteObject } from "#kube/kinds.ts";
import { routeStatus } from "#operator/translate/gateway/route-status.ts";
import { ROUTE_KINDS } from "#operator/translate/gateway/routes.ts";
import { gatewayStatus } from "#operator/translate/gateway/status.ts";
import { readGateways } from "#operator/translate/gateway/virtual-hosts.ts";
import { index } from "#operator/translate/manifests.ts";
import { translate } from "#operator/translate/translate.ts";
import { aGatewayClass, anIngressClass } from "./builders.ts";
import { aNamespace } from "./gateway-ground.ts";
import { ANNOTATION_LINES } from "./routing-lines.ts";
import { TRANSLATOR_LINES } from "./routing-lines-translator.ts";
import { allRows, missingIn, tells } from "./routing-rows.ts";
import { OPTIONS } from "./translating.ts";

const rows = allRows({ shop: "shop", other: "other" });
const classes = [
  anIngressClass({ metadata: { annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } } }),
  aGatewayClass(),
  aNamespace("other", { "kubernetes.io/metadata.name": "other" }),
];
const objects = rows.flatMap((row) => row.objects.map((object, at) => withUid(object, `${row.name}-${at}`)));
const manifests = index([...classes, ...objects]);
const { endpoints, problems } = translate(manifests, OPTIONS);
const problemLines = problems.map(({ object, field, reason }) => `${object}: ${field}: ${reason}`);
const told = [...problemLines, ...statuses()];

function withUid<T extends { metadata: object }>(object: T, uid: string): T {
  return { ...object, metadata: { ...object.metadata, uid } };
}

/** `Kind namespace/name: status` of Gateways and routes. */
function statuses(): string[] {
  const view = { manifests, options: OPTIONS };
  const gateways = readGateways(view);
  const at = "2026-01-01T00:00:00Z";
  const line = (kind: string, { metadata }: KubeObject, status: object): string =>
    `${kind} ${metadata.namespace}/${metadata.name}: ${JSON.stringify(status)}`;
  return [
    ...[...gateways.values()].map((facts) =>
      line("Gateway", facts.gateway, gatewayStatus(view, facts, { at, applied: true })),
    ),
    ...ROUTE_KINDS.flatMap((kind) =>
      manifests
        .list<RouteObject>(kind)
        .map((route) => line(kind.kind, route, routeStatus(view, kind.kind, route, gateways, at))),
    ),
  ];
}

describe("becomes what it says:", () => {
  test.for(rows)("$name", (row) => {
    expect(missingIn(row, endpoints)).toEqual([]);
  });
});

describe("is told of:", () => {
  test.for(rows.filter((row) => row.told !== undefined))("$name: $told", (row) => {
    expect(told.some((line) => tells(row, line))).toBe(true);
  });
});

test("nobody is told of anything where all is well", () => {
  const well = rows.filter((row) => row.told === undefined);
  expect(well.flatMap((row) => problemLines.filter((line) => tells(row, line)))).toEqual([]);
});

test("rows and their objects have names of their own", () => {
  const names = rows.map(({ name }) => name);
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  const each = objects.map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
  expect(each.filter((one, at) => each.indexOf(one) !== at)).toEqual([]);
});

describe("a line of the contract has rows:", () => {
  const lines = [...ANNOTATION_LINES, ...TRANSLATOR_LINES];
  const named = new Map(rows.map((row) => [row.name, row]));

  test.for(lines.filter((line) => line.elsewhere === undefined))("$key", ({ by, rows: names }) => {
    expect(names.filter((name) => !named.has(name))).toEqual([]);
    const kinds = names.flatMap((name) => named.get(name)?.objects.map(({ kind }) => kind) ?? []);
    expect(names.length).toBeGreaterThan(0);
    expect(kinds).toEqual(expect.arrayContaining([...by]));
  });

  const others = lines.flatMap(({ key, elsewhere }) => (elsewhere === undefined ? [] : [{ key, elsewhere }]));
  test.for(others)("$key, elsewhere", ({ elsewhere: [file, name] }) => {
    // As the name of a test that runs: followed by its function.
    const names = readFileSync(file, "utf8").matchAll(/"([^"\n]+)",\s*(async )?\(/g);
    expect([...names].filter(([, text]) => text?.includes(name))).not.toEqual([]);
  });

  test("and a row has a line", () => {
    const held = new Set(lines.flatMap((line) => line.rows));
    expect(rows.map(({ name }) => name).filter((name) => !held.has(name))).toEqual([]);
    expect(new Set(lines.map(({ key }) => key)).size).toBe(lines.length);
  });
});
