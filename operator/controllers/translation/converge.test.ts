// Change by change, and only what each of them wakes: in the end the cluster holds what a translation of the whole makes.
import fc from "fast-check";
import { expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { keyOf, type Kind, type KubeObject, refOf } from "#kube/kind.ts";
import { Gateway, HTTPRoute, Ingress, IngressClass, Service, TLSRoute } from "#kube/kinds.ts";
import type { Writer } from "#kube/writer.ts";
import type { Cache } from "#operator/runtime/cache.ts";
import type { KeyContext } from "#operator/runtime/define-keyed.ts";
import type { Options as Flags } from "#operator/runtime/options.ts";
import { index } from "#operator/translate/manifests.ts";
import { translate } from "#operator/translate/translate.ts";
import {
  classes,
  emptyCluster,
  gatewayClasses,
  gatewayOf,
  gatewaySketch,
  ingressOf,
  options,
  routeOf,
  routeSketch,
  services,
  sketch,
  type Sketch,
  store,
} from "#test/support/hosts.ts";
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
  const flags = {
    managerName: options.managerName,
    clusterDomain: options.clusterDomain,
    defaultDomainReclaimPolicy: "Delete",
    metadata: {},
  } as Flags;
  return {
    signal: new AbortController().signal,
    // Asked only after a conflict, and this cluster has none.
    reader: {} as never,
    writer: writerInto(cache) as Writer,
    release: { name: "ngrok", namespace: "ops", fullname: "ngrok-operator" },
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

/** Something that happens to one object. */
interface Happening {
  readonly kind: Kind;
  /** undefined: it goes. */
  readonly object: KubeObject | undefined;
  readonly name: string;
}

const at = fc.nat(3);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(sketch, at).map(([one, n]) => happens(Ingress, ingressOf(one, n))) },
  { weight: 2, arbitrary: at.map((n) => goes(Ingress, `ingress-${n}`)) },
  { weight: 2, arbitrary: fc.tuple(gatewaySketch, fc.nat(2)).map(([one, n]) => happens(Gateway, gatewayOf(one, n))) },
  { weight: 1, arbitrary: fc.nat(2).map((n) => goes(Gateway, `gateway-${n}`)) },
  {
    weight: 2,
    arbitrary: fc.tuple(routeSketch, at).map(([one, n]) => {
      const route = routeOf(one, n);
      return happens(route.kind === "TLSRoute" ? TLSRoute : HTTPRoute, route);
    }),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom(HTTPRoute, TLSRoute), at).map(([kind, n]) => goes(kind, `route-${n}`)),
  },
  { weight: 1, arbitrary: fc.constantFrom(...services).map((one) => goes(Service, one.metadata.name)) },
  { weight: 1, arbitrary: fc.constantFrom(...services).map((one) => happens(Service, one)) },
  { weight: 1, arbitrary: fc.constant(goes(IngressClass, "ngrok")) },
  { weight: 1, arbitrary: fc.constantFrom(...classes).map((one) => happens(IngressClass, one)) },
);

function happens(kind: Kind, object: KubeObject): Happening {
  return { kind, object, name: object.metadata.name };
}

function goes(kind: Kind, name: string): Happening {
  return { kind, object: undefined, name };
}

function happen(cache: Cache, { kind, object, name }: Happening): void {
  const namespace = kind.namespaced ? "shop" : undefined;
  const before = cache.get(kind, { name, namespace });
  if (object !== undefined) store(cache, stamped(object));
  else if (before !== undefined) cache.store(kind).remove(before);
}

const asks = (hosts: Sketch["hosts"], fallback: string, at: number): Happening =>
  happens(
    Ingress,
    ingressOf(
      { hosts, fallback, foreign: false, deleting: false, verbose: false, refused: false, description: undefined },
      at,
    ),
  );

/** A Service that was one host's own gets two more users in one go: that host needs another endpoint to be its own. */
const ownedThenShared: Happening[][] = [
  [asks([["three.example.com", "a", 80]], "b", 0)],
  [
    asks(
      [
        ["one.example.com", "d", 80],
        ["four.internal", "d", 80],
      ],
      "b",
      1,
    ),
  ],
];

/** A route goes from one Gateway to another: its Service, to which it still leads, was the own one of a host of the first. */
const routeMoves: Happening[][] = [
  [
    happens(Gateway, gatewayOf({ listeners: [["one.example.com", "HTTP"]], foreign: false, certificate: false }, 0)),
    happens(HTTPRoute, routeOf({ gateways: [0], backends: [["a", 80]], bytes: false, deleting: false }, 2)),
  ],
  [happens(HTTPRoute, routeOf({ gateways: [1], backends: [["a", 80]], bytes: false, deleting: false }, 2))],
];

/** Only what says something: what the server adds differs from run to run. */
const said = (objects: Iterable<KubeObject>): unknown[] =>
  [...objects]
    .map((object) => {
      const { name, namespace, labels } = object.metadata;
      return { name, namespace, labels, spec: (object as { spec?: unknown }).spec };
    })
    .toSorted((a, b) => (`${a.namespace}/${a.name}` < `${b.namespace}/${b.name}` ? -1 : 1));

test("whatever happens in whatever order, what it wakes brings the cluster to where the whole would be", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(happening, { minLength: 1, maxLength: 3 }), { maxLength: 8 }), async (steps) => {
      const cache = emptyCluster();
      for (const one of [...classes, ...services, ...gatewayClasses]) store(cache, stamped(one));
      const context = contextOver(cache);
      const queue = new Set<string>();
      for (const source of translationController.sources) {
        cache.store(source.kind).onChange((change) => {
          for (const key of source.keys({ ...change, first: false }, cache)) queue.add(key);
        });
      }
      for (const step of steps) {
        for (const one of step) happen(cache, one);
        let rounds = 0;
        for (const key of queue) {
          queue.delete(key);
          expect(await translationController.apply(key, context)).toEqual({ is: "done" });
          if ((rounds += 1) > 500) throw new Error(`no end is in sight: ${[...queue].join(", ")}`);
        }
      }
      const kinds = [IngressClass, Ingress, Service, Gateway, HTTPRoute, TLSRoute];
      const objects = [...kinds.flatMap((kind: Kind) => [...cache.all(kind)]), ...gatewayClasses];
      const whole = translate(index(objects), options);
      const wanted = Map.groupBy(whole.endpoints, (one) => ("upstream" in one.spec ? "agent" : "cloud"));
      expect(said(cache.all(AgentEndpoint))).toEqual(said(wanted.get("agent") ?? []));
      expect(said(cache.all(CloudEndpoint))).toEqual(said(wanted.get("cloud") ?? []));
      const domains = new Set([...cache.all(Domain)].map(({ spec }) => spec.domain));
      expect(whole.domains.filter(({ spec }) => !domains.has(spec.domain)).map((one) => keyOf(refOf(one)))).toEqual([]);
    }),
    { numRuns: 150, examples: [[ownedThenShared], [routeMoves]] },
  );
}, 120_000);
