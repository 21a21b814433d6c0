// Change by change, and only what each of them wakes: in the end the cluster holds what a translation of the whole makes.
import fc from "fast-check";
import { expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { keyOf, type Kind, type KubeObject } from "#kube/kind.ts";
import {
  Gateway,
  HTTPRoute,
  Ingress,
  IngressClass,
  Namespace,
  ReferenceGrant,
  Service,
  TLSRoute,
} from "#kube/kinds.ts";
import type { Writer } from "#kube/writer.ts";
import type { Cache } from "#operator/runtime/cache.ts";
import type { KeyContext } from "#operator/runtime/define-keyed.ts";
import { index } from "#operator/translate/manifests.ts";
import { translate } from "#operator/translate/translate.ts";
import {
  brokenPolicy,
  classes,
  copies,
  emptyCluster,
  flags,
  gatewayClasses,
  gatewayOf,
  ingressOf,
  options,
  policies,
  release,
  routeOf,
  services,
  type Sketch,
  store,
} from "#test/support/hosts.ts";
import { testClock } from "#test/support/clock.ts";
import { goes, type Happening, happening, happens } from "#test/support/happenings.ts";
import { translationController } from "./controller.ts";

let versions = 0;
const stamped = <T extends KubeObject>(object: T): T => {
  versions += 1;
  const { uid = `uid-${versions}` } = object.metadata;
  const metadata = { ...object.metadata, uid, resourceVersion: String(versions), generation: versions };
  return { ...object, metadata };
};

/** A writer whose server is the cache. */
function writerInto(cache: Cache): Pick<Writer, "create" | "patch" | "remove"> {
  const found = <T extends KubeObject>(kind: Kind<T>, at: { name: string; namespace?: string | undefined }): T => {
    const object = cache.get(kind, at);
    if (object === undefined) throw new Error(`${keyOf(at)} is not there`);
    return object;
  };
  return {
    create: (kind, object) => {
      const made = stamped(object);
      cache.store(kind).put(made);
      return Promise.resolve(made);
    },
    patch: (kind, at, _uid, operations) => {
      const next = structuredClone(found(kind, at)) as KubeObject & Record<string, unknown>;
      for (const { path, value } of operations) {
        if (path !== "/spec") throw new Error(`only specs are expected to differ, not ${path}`);
        next["spec"] = value;
      }
      // The caller's kind says which: nothing here depends on it.
      const patched = stamped(next) as never;
      cache.store(kind).put(patched);
      return Promise.resolve(patched);
    },
    remove: (at) => {
      cache.store(at.kind).remove(found(at.kind, at.ref));
      return Promise.resolve("deleted");
    },
  };
}

function contextOver(cache: Cache): KeyContext {
  return {
    signal: new AbortController().signal,
    clock: testClock(),
    // Asked only after a conflict, and this cluster has none.
    reader: {} as never,
    writer: writerInto(cache) as Writer,
    release,
    clusterWide: true,
    options: flags,
    cached: cache,
    mayRemove: () => Promise.resolve(true),
    ngrok: undefined,
    show: () => Promise.resolve(),
    event: () => {},
    inTurn: async (_kind, _at, work) => await work(),
  };
}

function happen(cache: Cache, { kind, object, at }: Happening): void {
  const before = cache.get(kind, at);
  if (object !== undefined) store(cache, stamped(object));
  else if (before !== undefined) cache.store(kind).remove(before);
}

const plain = { foreign: false, deleting: false, verbose: false, refused: false, description: undefined };
const asks = (hosts: Sketch["hosts"], at: number, more: Partial<Sketch> & Pick<Sketch, "fallback">): Happening =>
  happens(Ingress, ingressOf({ ...plain, hosts, ...more }, at));

/** A Service that was one host's own gets two more users in one go: that host needs another endpoint to be its own. */
const ownedThenShared: Happening[][] = [
  [asks([["three.example.com", "a", 80]], 0, { fallback: "b" })],
  [
    asks(
      [
        ["one.example.com", "d", 80],
        ["four.internal", "d", 80],
      ],
      1,
      { fallback: "b" },
    ),
  ],
];

/** An Ingress is refused for its policy, and then for its default backend; with either mended it takes part in a Service. */
const comesToCount: Happening[][] = [
  [happens(NgrokTrafficPolicy, brokenPolicy), goes(Service, "d")],
  [asks([["one.example.com", "c", 80]], 0, { fallback: undefined })],
  [asks([["three.example.com", "c", 80]], 1, { fallback: "d", policy: "office" })],
  policies.map((one) => happens(NgrokTrafficPolicy, one)),
  services.slice(3).map((one) => happens(Service, one)),
];

/** A route goes from one Gateway to another: its Service, to which it still leads, was the own one of a host of the first. */
const routeMoves: Happening[][] = [
  [
    happens(Gateway, gatewayOf({ listeners: [["one.example.com", "HTTP"]], foreign: false, certificate: false }, 0)),
    happens(HTTPRoute, routeOf({ gateways: [0], backends: [["a", 80]], bytes: false, deleting: false }, 2)),
  ],
  [happens(HTTPRoute, routeOf({ gateways: [1], backends: [["a", 80]], bytes: false, deleting: false }, 2))],
];

/** Two hosts whose CloudEndpoints want one name, and then the one that had it goes. */
const calledAlike: Happening[][] = [
  [asks([["wildcard.example.com", "a", 80]], 1, { fallback: undefined, verbose: true })],
  [asks([["*.example.com", "b", 80]], 0, { fallback: undefined, verbose: true })],
  [goes(Ingress, "ingress-0")],
];

/** The same of a host of an Ingress and one of a Gateway, which has its own name before it. */
const calledLikeAGateways: Happening[][] = [
  [
    happens(Gateway, gatewayOf({ listeners: [["one.example.com", "HTTP"]], foreign: false, certificate: false }, 0)),
    happens(HTTPRoute, routeOf({ gateways: [0], backends: [["a", 80]], bytes: false, deleting: false }, 0)),
    asks([["gateway-0.shop-one.example.com", "b", 80]], 0, { fallback: undefined, verbose: true }),
    asks([["two.example.com", "a", 80]], 1, { fallback: undefined, verbose: true }),
  ],
  [goes(Ingress, "ingress-0")],
];

/** Only what says something: what the server adds differs from run to run. */
const said = (objects: Iterable<KubeObject>): unknown[] =>
  [...objects]
    .map((object) => {
      const { name, namespace, labels } = object.metadata;
      return { name, namespace, labels, spec: (object as { spec?: unknown }).spec };
    })
    .toSorted((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1));

/** A small cluster, and the keys that wait. */
function aCluster() {
  const cache = emptyCluster();
  for (const one of [...classes, ...services, ...copies, ...policies, ...gatewayClasses]) store(cache, stamped(one));
  const context = contextOver(cache);
  const queue = new Set<string>();
  for (const source of translationController.sources) {
    cache.store(source.kind).onChange((change) => {
      for (const key of source.keys({ ...change, first: false }, cache)) queue.add(key);
    });
  }
  const start = (): void => {
    for (const source of translationController.sources)
      for (const after of cache.all(source.kind))
        for (const key of source.keys({ before: undefined, after, first: true }, cache)) queue.add(key);
  };
  const settle = async (): Promise<void> => {
    let rounds = 0;
    for (const key of queue) {
      queue.delete(key);
      expect(await translationController.apply(key, context)).toEqual({ is: "done" });
      if ((rounds += 1) > 500) throw new Error(`no end is in sight: ${[...queue].join(", ")}`);
    }
  };
  return { cache, queue, start, settle };
}

/** What a translation of the whole makes. */
function wholeOf(cache: Cache) {
  const routing = [Gateway, HTTPRoute, TLSRoute, ReferenceGrant, Namespace];
  const kinds = [IngressClass, Ingress, Service, NgrokTrafficPolicy, ...routing];
  const objects = [...kinds.flatMap((kind: Kind) => [...cache.all(kind)]), ...gatewayClasses];
  const { endpoints, domains } = translate(index(objects), options);
  const { agent = [], cloud = [] } = Object.groupBy(endpoints, (one) => ("upstream" in one.spec ? "agent" : "cloud"));
  return { agent: said(agent), cloud: said(cloud), domains: hostsOf(domains) };
}

/** What the cluster holds; a Domain stays when nobody asks for it any more. */
function heldOf(cache: Cache, { domains }: ReturnType<typeof wholeOf>) {
  const reserved = hostsOf(cache.all(Domain)).filter((host) => domains.includes(host));
  return { agent: said(cache.all(AgentEndpoint)), cloud: said(cache.all(CloudEndpoint)), domains: reserved };
}

const hostsOf = (domains: Iterable<Domain>): string[] =>
  [...domains].map(({ spec, metadata }) => `${metadata.namespace} ${spec.domain}`).toSorted();

test("when an IngressClass goes, who shares a Service with an Ingress of it keeps what it has, and so does that Ingress", async () => {
  const { cache, settle } = aCluster();
  const listeners = [["one.example.com", "HTTP"]] as const;
  happen(cache, happens(Gateway, gatewayOf({ listeners, foreign: false, certificate: false }, 0)));
  const route = routeOf({ gateways: [0], backends: [["a", 80]], bytes: false, deleting: false }, 0);
  happen(cache, happens(HTTPRoute, route));
  happen(cache, asks([["two.example.com", "a", 80]], 0, { fallback: undefined, held: true }));
  await settle();
  const before = heldOf(cache, wholeOf(cache));
  expect(before.cloud).toHaveLength(2);
  const last = versions;
  happen(cache, goes(IngressClass, "ngrok"));
  await settle();
  expect(heldOf(cache, wholeOf(cache))).toEqual(before);
  expect(versions).toBe(last);
});

const happenings = fc.array(fc.array(happening, { minLength: 1, maxLength: 3 }), { maxLength: 8 });
test("whatever happens in whatever order, what it wakes brings the cluster to where the whole would be", async () => {
  await fc.assert(
    fc.asyncProperty(happenings, async (steps) => {
      const { cache, settle } = aCluster();
      for (const step of steps) {
        for (const one of step) happen(cache, one);
        await settle();
      }
      const whole = wholeOf(cache);
      expect(heldOf(cache, whole)).toEqual(whole);
    }),
    { numRuns: 150, examples: [[ownedThenShared], [comesToCount], [routeMoves], [calledAlike], [calledLikeAGateways]] },
  );
}, 120_000);

test("whatever happened while nobody looked, a start brings the cluster to where the whole would be", async () => {
  await fc.assert(
    fc.asyncProperty(happenings, happenings, async (before, meanwhile) => {
      const { cache, queue, start, settle } = aCluster();
      for (const one of before.flat()) happen(cache, one);
      await settle();
      for (const one of meanwhile.flat()) happen(cache, one);
      queue.clear();
      start();
      await settle();
      const whole = wholeOf(cache);
      expect(heldOf(cache, whole)).toEqual(whole);
    }),
    { numRuns: 100 },
  );
}, 120_000);

test("at a start an Ingress is looked at once, however many hosts and Services it has", async () => {
  const { cache, queue, start, settle } = aCluster();
  const hosts = services.map(({ metadata: { name } }) => [`${name}.example.com`, name, 80] as const);
  happen(cache, asks(hosts, 0, { fallback: undefined }));
  expect([...queue]).toEqual(["host a.example.com"]);
  await settle();
  expect([...cache.all(AgentEndpoint)]).toHaveLength(4);
  queue.clear();
  start();
  expect([...queue]).toEqual(["host a.example.com"]);
});

test("a change of a route or a Gateway wakes one look, however many hosts the Gateway has", () => {
  const { cache, queue } = aCluster();
  const gatewayOn = (...hosts: string[]): Happening => {
    const listeners = hosts.map((name) => [name, "HTTP"] as const);
    return happens(Gateway, gatewayOf({ listeners, foreign: false, certificate: false }, 0));
  };
  happen(cache, gatewayOn("one.example.com", "two.example.com", "*.example.com"));
  happen(
    cache,
    happens(HTTPRoute, routeOf({ gateways: [0], backends: [["a", 80]], bytes: false, deleting: false }, 0)),
  );
  expect([...queue]).toEqual(["host one.example.com"]);
  queue.clear();
  happen(cache, gatewayOn("two.example.com", "*.example.com"));
  expect([...queue]).toEqual(["host two.example.com", "host one.example.com", "service shop/a"]);
});
