// Of routes of bytes a listener carries the first: whom a change of one concerns, and what it takes to know.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KubeObject } from "#kube/kind.ts";
import { type GatewayObject, type RouteObject, TCPRoute, TLSRoute } from "#kube/kinds.ts";
import type { RouteParentStatus } from "#kube/routing-objects.ts";
import type { Context, LeaderController } from "#operator/runtime/define-controller.ts";
import { routeStatus } from "#operator/translate/gateway/route-status.ts";
import { readGateways } from "#operator/translate/gateway/virtual-hosts.ts";
import { aGateway, aGatewayClass, aTCPRoute, aTLSRoute } from "#test/support/builders.ts";
import { testClock } from "#test/support/clock.ts";
import { cacheFor, type CountingCache, wokenBy } from "#test/support/counting-cache.ts";
import { aTlsSecret, gatewayOptions, ground, hostsOn, shop } from "#test/support/gateway-ground.ts";
import { routeControllers } from "./routes.ts";

const COUNT = 1000;
/** What a look at one route, its Gateway and the first of each listener comes to, with room to spare. */
const FEW = 40;

function controllerOf(kind: string): LeaderController {
  const found = routeControllers.find((one) => one.kind.kind === kind);
  if (found === undefined) throw new Error(`no controller of ${kind}s`);
  return found as unknown as LeaderController;
}
const [tcp, tls] = [controllerOf("TCPRoute"), controllerOf("TLSRoute")];

/** Two TCP listeners, and one of TLS that takes both kinds. */
const gateway: GatewayObject = aGateway({
  spec: {
    addresses: [{ type: "Hostname", value: "1.tcp.ngrok.io" }],
    listeners: [
      { name: "one", protocol: "TCP", port: 9000 },
      { name: "two", protocol: "TCP", port: 9001 },
      { name: "tls", protocol: "TLS", port: 9002, tls: { mode: "Terminate" } },
    ],
  },
});

const rules = [{ backendRefs: [{ name: "shop", port: 80 }] }];

/** `age`: the greater, the younger. */
function route(name: string, age: number, sectionName?: string, build = aTCPRoute): RouteObject {
  const creationTimestamp = new Date(Date.UTC(2026, 0, 1, 0, 0, age)).toISOString().replace(".000", "");
  const parent = { name: "edge", ...(sectionName === undefined ? {} : { sectionName }) };
  return build({ metadata: { name, uid: name, creationTimestamp }, spec: { parentRefs: [parent], rules } });
}

const nameAt = (at: number): string => `r${String(at).padStart(4, "0")}`;
const thousand = Array.from({ length: COUNT }, (_, at) => route(nameAt(at), at, "one"));
const others = [route("two-a", 0, "two"), route("two-b", 1, "two"), route("tls-a", 0, "tls"), route("tls-b", 1, "tls")];

function cluster(): CountingCache {
  const cache = cacheFor([tcp, tls], [aGatewayClass(), gateway, shop(), ...thousand, ...others]);
  // Worked out once, by whoever asks first.
  wokenBy(cache, tcp, { kind: TCPRoute, put: route("warm", 9999, "two") });
  return cache;
}

function applied(cache: CountingCache, one: RouteObject): unknown {
  const context = {
    cached: cache,
    release: { name: "ngrok", namespace: "ops", fullname: "ngrok" },
    clusterWide: true,
    options: {
      metadata: {},
      managerName: "m",
      clusterDomain: "svc.cluster.local",
      defaultDomainReclaimPolicy: "Delete",
    },
    clock: testClock(),
    unchanged: () => false,
    event: () => {},
  } as unknown as Context;
  return tcp.apply(one, context);
}

describe("of a thousand TCPRoutes at one listener", () => {
  test("one that is behind the first wakes nobody, and none of them is read for that", () => {
    const cache = cluster();
    const last = thousand.at(-1)!;
    for (const change of [{ remove: last }, { put: last }, { put: route(nameAt(COUNT), COUNT, "one") }]) {
      const { woken, reads } = wokenBy(cache, tcp, { kind: TCPRoute, ...change });
      expect(woken).toEqual([]);
      expect(reads).toBeLessThan(FEW);
    }
  });

  test("the first wakes the others of its listener as it goes, since each says who came before it, and nobody else", () => {
    const { woken } = wokenBy(cluster(), tcp, { kind: TCPRoute, remove: thousand[0]! });
    expect(woken).toEqual(thousand.slice(1).map(({ metadata }) => `default/${metadata.name}`));
  });

  test("the first wakes nobody by a change of its backends", () => {
    const first = { ...thousand[0]!, spec: { ...thousand[0]!.spec, rules: [] } };
    expect(wokenBy(cluster(), tcp, { kind: TCPRoute, put: first }).woken).toEqual([]);
  });

  test("one that moves to another listener wakes those whose first it is now", () => {
    const moved = route(nameAt(5), -1, "two");
    expect(wokenBy(cluster(), tcp, { kind: TCPRoute, put: moved }).woken).toEqual([
      "default/two-a",
      "default/two-b",
      "default/warm",
    ]);
  });

  test("what becomes of one is said without a look at the rest", async () => {
    const cache = cluster();
    const before = cache.reads;
    const { status } = (await applied(cache, thousand[7]!)) as { status: RouteObject["status"] };
    expect(status?.parents?.[0]?.conditions?.[0]).toMatchObject({
      type: "Accepted",
      reason: "ListenerInUse",
      message: expect.stringContaining("carries TCPRoute default/r0000 already"),
    });
    expect(cache.reads - before).toBeLessThan(FEW);
  });
});

test("a TLSRoute comes before the TCPRoutes of its listener, however old they are", () => {
  const cache = cluster();
  const late = route("late", 5000, "tls", aTLSRoute);
  expect(wokenBy(cache, tcp, { kind: TLSRoute, put: late }).woken).toEqual(["default/tls-a", "default/tls-b"]);
  expect(wokenBy(cache, tls, { kind: TCPRoute, remove: others[2]! }).woken).toEqual([]);
});

interface Sketch {
  readonly name: string;
  readonly bytes: "TCP" | "TLS";
  readonly age: number;
  readonly section: string | undefined;
  readonly going: boolean;
}

const sketch = (name: string): fc.Arbitrary<Sketch> =>
  fc.record({
    name: fc.constant(name),
    bytes: fc.constantFrom("TCP" as const, "TLS" as const),
    age: fc.integer({ min: 0, max: 3 }),
    section: fc.constantFrom(undefined, "one", "two", "three"),
    going: fc.boolean(),
  });

function drawn({ name, bytes, age, section, going }: Sketch): RouteObject {
  const made = route(name, age, section, bytes === "TCP" ? aTCPRoute : aTLSRoute);
  return going ? { ...made, metadata: { ...made.metadata, deletionTimestamp: "2026-02-01T00:00:00Z" } } : made;
}

/** Listeners of which two share their one address and port. */
const shared = (certificate: "cert" | "absent" | undefined): GatewayObject => {
  const tls = certificate === undefined ? {} : { tls: { certificateRefs: [{ name: certificate }] } };
  return aGateway({
    spec: {
      addresses: [{ type: "Hostname", value: "db.example.com" }],
      listeners: [
        { name: "one", protocol: "TLS", port: 443, hostname: "db.example.com", ...tls },
        { name: "two", protocol: "TLS", port: 443, hostname: "*.example.com", ...tls },
        { name: "three", protocol: "TLS", port: 444 },
      ],
    },
  });
};

function stays({ metadata }: RouteObject): boolean {
  return metadata.deletionTimestamp === undefined;
}

/** What each route says in a look at all of them; one that goes says nothing any more. */
function saidBy(objects: readonly KubeObject[], routes: readonly RouteObject[]): Map<string, string> {
  const view = { manifests: ground(aTlsSecret(), ...objects, ...routes), options: gatewayOptions };
  const gateways = readGateways(view);
  return new Map(
    routes.filter(stays).map((one) => {
      const kind = one.kind === "TCPRoute" ? "TCPRoute" : "TLSRoute";
      const { parents } = routeStatus(view, kind, one, gateways, "2026-01-01T00:00:00Z");
      return [`${kind} default/${one.metadata.name}`, JSON.stringify(parents)];
    }),
  );
}

const NAMES = ["a", "b", "c", "d"];
const routesDrawn = fc.tuple(...NAMES.map(sketch)).map((all) => all.map(drawn));
const gatewayDrawn = fc.constantFrom("cert" as const, "absent" as const, undefined).map(shared);

/** The routes that something else is said of. */
function turned(first: ReadonlyMap<string, string>, second: ReadonlyMap<string, string>): string[] {
  return [...second].filter(([name, said]) => first.get(name) !== said).map(([name]) => name);
}

const kindOf = (one: KubeObject) => (one.kind === "TCPRoute" ? TCPRoute : TLSRoute);

/** The routes that hear of it when `next` takes the place of `last`. */
function hearing(edge: GatewayObject, before: readonly RouteObject[], last: RouteObject, next?: RouteObject): string[] {
  return [tcp, tls].flatMap((controller) => {
    const cache = cacheFor([tcp, tls], [aGatewayClass(), edge, shop(), ...before]);
    const gone = next?.kind === last.kind ? [] : wokenBy(cache, controller, { kind: kindOf(last), remove: last }).woken;
    const come = next === undefined ? [] : wokenBy(cache, controller, { kind: kindOf(next), put: next }).woken;
    return [...gone, ...come].map((key) => `${controller.kind.kind} ${key}`);
  });
}

test("whoever says something else after a change was woken by it", () => {
  const changes = fc.constantFrom(...NAMES.keys()).chain((at) => {
    const next = fc.option(sketch(NAMES[at]!).map(drawn), { nil: undefined });
    return fc.record({ at: fc.constant(at), next });
  });
  fc.assert(
    fc.property(gatewayDrawn, routesDrawn, changes, (edge, before, { at, next }) => {
      const last = before[at]!;
      const after = before.flatMap((one) => (one === last ? (next ?? []) : one));
      const own = [last, next].flatMap((one) => (one === undefined ? [] : `${one.kind} default/${one.metadata.name}`));
      const heard = new Set([...own, ...hearing(edge, before, last, next)]);
      const silent = turned(saidBy([edge], before), saidBy([edge], after)).filter((name) => !heard.has(name));
      expect(silent).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

test("a look at the first routes alone says of one what a look at all of them says", async () => {
  const words = (parents: readonly RouteParentStatus[] | undefined): unknown =>
    parents?.map(({ conditions }) => conditions?.map(({ type, status, message }) => `${type}=${status} ${message}`));
  await fc.assert(
    fc.asyncProperty(gatewayDrawn, routesDrawn, async (edge, routes) => {
      const cache = cacheFor([tcp, tls], [aGatewayClass(), edge, shop(), ...routes]);
      const said = saidBy([edge], routes);
      for (const one of routes.filter(stays).filter(({ kind }) => kind === "TCPRoute")) {
        const { status } = (await applied(cache, one)) as { status: RouteObject["status"] };
        const whole = JSON.parse(said.get(`TCPRoute default/${one.metadata.name}`)!) as RouteParentStatus[];
        expect(words(status?.parents)).toEqual(words(whole));
      }
    }),
    { numRuns: 150 },
  );
});

test("where all listeners serve, those that are accepted are those that are served", () => {
  fc.assert(
    fc.property(routesDrawn, (routes) => {
      const edge = shared("cert");
      const said = [...saidBy([edge], routes)];
      const accepted = said.filter(([, text]) => text.includes('"reason":"Accepted"')).map(([name]) => name);
      const owners = hostsOn([edge, aTlsSecret(), ...routes]).hosts.flatMap(({ owningResources }) => owningResources);
      const served = new Set(owners.filter((name) => !name.startsWith("Gateway")));
      expect([...served].toSorted()).toEqual(accepted.toSorted());
    }),
    { numRuns: 150 },
  );
});
