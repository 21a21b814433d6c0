// Who may read a namespace's endpoints reads the policies in them: a Gateway's private key stays where its Gateway is.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { GatewayObject, RouteObject } from "#kube/kinds.ts";
import type { GatewayListener } from "#kube/routing-objects.ts";
import { aGateway } from "#test/support/builders.ts";
import { aRule, aTlsSecret, aWebRoute, gatewayOptions, ground, shop } from "#test/support/gateway-ground.ts";
import { agentEndpoints, cloudEndpoints, rulesOf, shape } from "#test/support/translating.ts";
import type { Translation } from "./model.ts";
import { translate } from "./translate.ts";

const NAMESPACES = ["infra", "app", "bank"];
const KEYED = { certificateRefs: [{ name: "infra-tls" }] };

/** The platform's Gateway in namespace infra, open to the routes of all; TLS of its listeners ends with what each says. */
function ofThePlatform(...tls: readonly GatewayListener["tls"][]): GatewayObject {
  const listeners = tls.map((one, at) => ({
    name: `l${at}`,
    hostname: `host-${at}.example.com`,
    port: 443,
    protocol: "HTTPS",
    ...(one && { tls: one }),
    allowedRoutes: { namespaces: { from: "All" as const } },
  }));
  return aGateway({ metadata: { name: "edge", namespace: "infra" }, spec: { listeners } });
}

interface Leads {
  /** Its namespace, and that of its Service. */
  readonly at: string;
  readonly to?: string;
  readonly path?: string;
  /** The number of the listener. */
  readonly on?: number;
}

function aRoute({ at, to = at, path = "/", on = 0 }: Leads, number: number): RouteObject {
  const backendRefs = [{ name: "shop", namespace: to, port: 80 }];
  const parentRefs = [{ name: "edge", namespace: "infra", sectionName: `l${on}` }];
  const rules = [aRule({ matches: [{ path: { type: "PathPrefix", value: path } }], backendRefs })];
  return aWebRoute({ parentRefs, rules }, { name: `route-${number}`, namespace: at });
}

function translated(gateway: GatewayObject, ...routes: readonly Leads[]): Translation {
  const there = NAMESPACES.map((namespace) => shop(namespace));
  return translate(ground(gateway, aTlsSecret("infra-tls", "infra"), ...there, ...routes.map(aRoute)), {
    ...gatewayOptions,
    referenceGrants: false,
  });
}

/** The namespaces in which the key can be read. */
function keyIn({ endpoints }: Translation): string[] {
  const keyed = endpoints.filter((one) => JSON.stringify(one).includes("key of infra/infra-tls"));
  return keyed.map(({ metadata }) => metadata.namespace ?? "");
}

describe("a Gateway's private key", () => {
  test("stays in the Gateway's namespace: a CloudEndpoint there is in front of the tenant's internal endpoint", () => {
    const result = translated(ofThePlatform(KEYED), { at: "app" });
    expect(keyIn(result)).toEqual(["infra"]);
    expect(result.problems).toEqual([]);
    const [cloud] = cloudEndpoints(result);
    const [internal] = agentEndpoints(result);
    expect(result.endpoints).toHaveLength(2);
    expect(cloud).toMatchObject({ metadata: { namespace: "infra" }, spec: { url: "https://host-0.example.com" } });
    expect(internal).toMatchObject({
      metadata: { namespace: "app" },
      spec: { upstream: { url: "http://shop.app:80" } },
    });
    expect(internal?.spec.url).toMatch(/\.internal$/);
    expect(internal?.spec).not.toHaveProperty("trafficPolicy");
    const actions = [{ type: "forward-internal", config: { url: internal?.spec.url } }];
    expect(rulesOf(cloud)).toContainEqual(expect.objectContaining({ name: "Generated-Route", actions }));
  });

  test("may stand in the endpoint of a Service of the Gateway's namespace, also where another's comes after it", () => {
    const result = translated(ofThePlatform(KEYED), { at: "infra", path: "/tried/first" }, { at: "app" });
    expect(keyIn(result)).toEqual(["infra"]);
    expect(shape(result)).toContain("https://host-0.example.com -> http://shop.infra:80");
  });

  test.for<[string, GatewayListener["tls"]]>([
    ["without TLS of its own", undefined],
    ["that says how TLS ends, and not with which key", { options: { "ngrok.com/terminate-tls.min_version": "1.3" } }],
  ])("is all that makes the difference: a host %s becomes the endpoint of its Service, wherever that is", ([, tls]) => {
    expect(shape(translated(ofThePlatform(tls), { at: "app" }))).toEqual([
      "https://host-0.example.com -> http://shop.app:80",
    ]);
  });

  test("is in no other namespace whatever routes lead where, and each host that shows it has one endpoint", () => {
    const namespace = fc.constantFrom(...NAMESPACES);
    const route = fc.record({ at: namespace, to: namespace, path: fc.constantFrom("/", "/long"), on: fc.nat(2) });
    const keyed = fc.array(fc.boolean(), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(keyed, fc.array(route, { maxLength: 5 }), (which, routes) => {
        const gateway = ofThePlatform(...which.map((one) => (one ? KEYED : undefined)));
        const shown = which.filter((one, at) => one && routes.some(({ on }) => on === at)).length;
        expect(keyIn(translated(gateway, ...routes))).toEqual(Array.from({ length: shown }, () => "infra"));
      }),
      { numRuns: 200 },
    );
  });
});
