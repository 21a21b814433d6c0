// Texts that want to be something else, in every place of a Gateway and an HTTPRoute that takes one: what comes out is an
// object that the API server takes, whose expressions say nothing but what the user wrote.
import { Ajv } from "ajv";
import fc from "fast-check";
import { expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { parseEndpointUrl } from "#api/names.ts";
import type { KubeObject } from "#kube/kind.ts";
import type { HttpRouteFilter, PathModifier, RouteRule, ValueMatch } from "#kube/routing-objects.ts";
import { aGateway, aGatewayClass } from "#test/support/builders.ts";
import { literalsOf } from "#test/support/cel.ts";
import { aRule, aTlsSecret, aWebRoute, gatewayOptions, shop } from "#test/support/gateway-ground.ts";
import { index } from "../manifests.ts";
import type { Translation } from "../model.ts";
import { translate } from "../translate.ts";

const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.constantFrom("'", '"', "\\", "*", "\n", "\u2028", "é", "') || true || ('", "${secrets.get('a')}", "$1"),
  fc.constant("x".repeat(10_000)),
);
const host = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("shop.example.com", "*.example.com") },
  { weight: 1, arbitrary: hostile },
);
const matches: fc.Arbitrary<ValueMatch[]> = fc.array(
  fc.record({ name: hostile, value: hostile, type: fc.constantFrom("Exact", "RegularExpression") }),
  { maxLength: 2 },
);
const pathModifier: fc.Arbitrary<PathModifier> = fc.oneof(
  hostile.map((replacePrefixMatch) => ({ type: "ReplacePrefixMatch", replacePrefixMatch })),
  hostile.map((replaceFullPath) => ({ type: "ReplaceFullPath", replaceFullPath })),
);
const header = fc.record({
  name: hostile,
  value: fc.oneof(hostile, fc.constantFrom("${conn.client_ip}", "$${a", "a ${b} c", "{$a}", "%24{a}")),
});
const modifier = fc.record({
  set: fc.array(header, { maxLength: 2 }),
  add: fc.array(header, { maxLength: 2 }),
  remove: fc.array(hostile, { maxLength: 2 }),
});
const filter: fc.Arbitrary<HttpRouteFilter> = fc.oneof(
  modifier.map((one) => ({ type: "RequestHeaderModifier", requestHeaderModifier: one })),
  modifier.map((one) => ({ type: "ResponseHeaderModifier", responseHeaderModifier: one })),
  fc.record({ hostname: hostile, path: pathModifier }).map((one) => ({ type: "URLRewrite", urlRewrite: one })),
  fc
    .record({ hostname: hostile, path: pathModifier })
    .map((one) => ({ type: "RequestRedirect", requestRedirect: one })),
);
const path = fc.record({
  type: fc.constantFrom("Exact", "PathPrefix", "RegularExpression"),
  value: hostile.map((text) => `/${text}`),
});
const route = fc
  .record({
    path,
    headers: matches,
    queryParams: matches,
    method: hostile,
    filters: fc.array(filter, { maxLength: 2 }),
  })
  .map(({ filters, ...match }) => ({
    match,
    rule: aRule({ matches: [match], filters, backendRefs: [80, 443].map((port) => ({ name: "shop", port })) }),
  }));

interface World {
  readonly objects: readonly KubeObject[];
  /** Every text that an expression may hold. */
  readonly written: ReadonlySet<string>;
  /** By their fields in the route. */
  readonly headerValues: ReadonlyMap<string, string>;
}

function headerValuesOf(rules: readonly RouteRule[]): Map<string, string> {
  return new Map(
    rules.flatMap(({ filters = [] }, rule) =>
      filters.flatMap((one, at) =>
        (["requestHeaderModifier", "responseHeaderModifier"] as const).flatMap((field) =>
          (["set", "add"] as const).flatMap((list) =>
            (one[field]?.[list] ?? []).map(({ value }, nth): [string, string] => [
              `spec.rules[${rule}].filters[${at}].${field}.${list}[${nth}].value`,
              value,
            ]),
          ),
        ),
      ),
    ),
  );
}

const world: fc.Arbitrary<World> = fc
  .record({
    hosts: fc.array(host, { minLength: 1, maxLength: 2 }),
    addresses: fc.array(host, { maxLength: 1 }),
    options: fc.dictionary(
      hostile.map((text) => `ngrok.com/terminate-tls.${text}`),
      hostile,
      { maxKeys: 2, noNullPrototype: true },
    ),
    annotations: fc.record(
      { "ngrok.com/mapping-strategy": fc.constant("endpoints-verbose"), "ngrok.com/metadata": hostile },
      { requiredKeys: [] },
    ),
    routes: fc.array(route, { minLength: 1, maxLength: 2 }),
  })
  .map(({ hosts, addresses, options, annotations, routes }) => {
    const listeners = hosts.map((hostname, at) => ({
      name: `l${at}`,
      hostname,
      port: 443,
      protocol: "HTTPS",
      tls: { certificateRefs: [{ name: "cert" }], options },
    }));
    const gateway = aGateway({
      metadata: { annotations },
      spec: { listeners, addresses: addresses.map((value) => ({ type: "Hostname", value })) },
    });
    const written = routes.flatMap(({ match: { path: at, headers, queryParams, method } }) => [
      at.value,
      method.toUpperCase(),
      ...[...headers, ...queryParams].flatMap(({ name, value }) => [name, value]),
    ]);
    return {
      objects: [aGatewayClass(), shop(), aTlsSecret(), gateway, aWebRoute({ rules: routes.map(({ rule }) => rule) })],
      // Between the values of a header that came more than once.
      written: new Set([",", ...written.map((text) => text.toWellFormed())]),
      headerValues: headerValuesOf(routes.map(({ rule }) => rule)),
    };
  });

function holds(check: (result: Translation, world: World) => void): void {
  fc.assert(
    fc.property(world, (one) => check(translate(index(one.objects), gatewayOptions), one)),
    { numRuns: 200 },
  );
}

const ajv = new Ajv({ strict: false, formats: { int64: true } });
const schemas = new Map([AgentEndpoint, CloudEndpoint, Domain].map((kind) => [kind.kind, ajv.compile(kind.spec)]));

test("every object is one that the API server takes, however hostile the texts", () => {
  let made = 0;
  holds(({ endpoints, domains }) => {
    made += endpoints.length;
    for (const { kind = "", metadata, spec } of [...endpoints, ...domains]) {
      expect(metadata.name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
      expect(metadata.name.length).toBeLessThanOrEqual(253);
      const valid = schemas.get(kind);
      expect([valid?.(spec), valid?.errors]).toEqual([true, null]);
    }
    for (const { spec } of endpoints) expect(parseEndpointUrl(spec.url)).toHaveProperty("url");
  });
  expect(made).toBeGreaterThan(100);
});

const NAMED = String.raw`(?:req\.headers|req\.url\.query_params|vars\.original_(?:headers|query_params)\.decodeJson\(\))`;
const DRAWN = String.raw`int\(vars\.weighted_route_random_num\)`;
const FRAMES = new RegExp(
  `^(?:${[
    String.raw`(?:req\.url\.path|vars\.original_path)(?: == \?|\.startsWith\(\?\))`,
    String.raw`${NAMED}\.exists_one\(x, x == \?\) && ${NAMED}\[\?\]\.join\(\?\)(?: == \?|\.matches\(\?\))`,
    String.raw`req\.method == \?`,
    String.raw`vars\.request_matched_local_svc == false`,
    String.raw`${DRAWN} <= \d+`,
    String.raw`${DRAWN} >= \d+ && ${DRAWN} <= \d+`,
  ].join("|")})$`,
);

test("every expression is one of the few that we write, whatever its texts hold", () => {
  holds(({ endpoints }, { written }) => {
    for (const expression of endpoints.flatMap(expressionsOf)) {
      const { frame, literals } = literalsOf(expression);
      expect(frame).toMatch(FRAMES);
      for (const literal of literals) expect(written).toContain(literal);
    }
  });
});

test("a rewrite names the groups that we give it, in their order, whatever its texts hold", () => {
  let made = 0;
  holds(({ endpoints }) => {
    for (const to of endpoints.flatMap(rewritesOf)) {
      made += 1;
      expect([...to.matchAll(/\$(.?)/gsu)].map(([, group]) => group || "none").join("")).toMatch(/^1?2?3?4?5?$/);
    }
  });
  expect(made).toBeGreaterThan(20);
});

test("a header's value is the text that its writer gave it, and one that ngrok would evaluate is told of at its field", () => {
  let evaluated = 0;
  holds(({ endpoints, problems }, { headerValues }) => {
    const told = new Set(
      problems.flatMap(({ field, reason }) => (reason.includes("for an expression") ? [headerValues.get(field)] : [])),
    );
    const values = new Set(headerValues.values());
    for (const value of endpoints.flatMap(headersOf)) {
      expect(values).toContain(value);
      expect([value, told.has(value)]).toEqual([value, value.includes("${")]);
      if (value.includes("${")) evaluated += 1;
    }
  });
  expect(evaluated).toBeGreaterThan(10);
});

interface SaidRule {
  readonly expressions?: readonly string[];
  readonly actions?: readonly {
    readonly type: string;
    readonly config?: { readonly to?: string; readonly headers?: unknown };
  }[];
}

/** Of all phases. */
function rulesOf({ spec }: KubeObject & { readonly spec?: unknown }): SaidRule[] {
  const { trafficPolicy } = spec as { trafficPolicy?: { inline?: Record<string, readonly SaidRule[]> } };
  return Object.values(trafficPolicy?.inline ?? {}).flat();
}

function expressionsOf(endpoint: KubeObject): string[] {
  return rulesOf(endpoint).flatMap(({ expressions = [] }) => expressions);
}

/** The values that headers are given. */
function headersOf(endpoint: KubeObject): string[] {
  return rulesOf(endpoint)
    .flatMap(({ actions = [] }) => actions)
    .filter(({ type }) => type === "add-headers")
    .flatMap(({ config }) => Object.values(config?.headers as Readonly<Record<string, string>>));
}

function rewritesOf(endpoint: KubeObject): string[] {
  return rulesOf(endpoint)
    .flatMap(({ actions = [] }) => actions)
    .filter(({ type }) => type === "redirect" || type === "url-rewrite")
    .flatMap(({ config }) => config?.to ?? []);
}
