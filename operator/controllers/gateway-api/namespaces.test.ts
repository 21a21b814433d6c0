// The labels of a Namespace: of use to listeners that choose by them, and to nobody else.
import { describe, expect, test } from "vitest";
import { Namespace, type NamespaceObject } from "#kube/kinds.ts";
import type { LeaderController } from "#operator/runtime/define-controller.ts";
import { aGateway, aGatewayClass, aTCPRoute } from "#test/support/builders.ts";
import { cacheFor, type CountingCache, wokenBy } from "#test/support/counting-cache.ts";
import { aNamespace, aWebRoute } from "#test/support/gateway-ground.ts";
import { gatewayController } from "./gateway.ts";
import { routeControllers } from "./routes.ts";

const all = [gatewayController, ...routeControllers] as unknown as readonly LeaderController[];
const [gateways, httpRoutes] = all;

const listener = { name: "https", hostname: "shop.example.com", port: 443, protocol: "HTTPS" };
const selector = { matchLabels: { open: "yes" } };
const own = aGateway({ metadata: { name: "own" } });
const open = aGateway({
  metadata: { name: "open" },
  spec: { listeners: [{ ...listener, allowedRoutes: { namespaces: { from: "Selector", selector } } }] },
});

const routeAt = (gateway: string, name: string, namespace = "team") =>
  aWebRoute({ parentRefs: [{ name: gateway, namespace: "default" }] }, { name, namespace });
const thousand = Array.from({ length: 1000 }, (_, at) => routeAt("own", `r${at}`));
const before = aNamespace("team");
const labelled: NamespaceObject = aNamespace("team", { open: "yes" });

function cluster(...objects: Parameters<typeof cacheFor>[1]): CountingCache {
  return cacheFor(all, [aGatewayClass(), before, own, ...thousand, ...objects]);
}

describe.for([
  ["Gateway", gateways],
  ["HTTPRoute", httpRoutes],
] as const)("a change of labels, for every %s", ([, controller]) => {
  const woken = (cache: CountingCache, put: NamespaceObject) => wokenBy(cache, controller!, { kind: Namespace, put });

  test("reads none of a thousand routes while no listener chooses by labels", ({ expect }) => {
    expect(woken(cluster(), labelled)).toEqual({ woken: [], reads: 0 });
    expect(woken(cluster(open), labelled).woken).toEqual([]);
  });

  test("wakes what is at a listener that does, and nothing else", ({ expect }) => {
    const cache = cluster(open, routeAt("open", "web"), routeAt("open", "elsewhere", "other"));
    const waking = { Gateway: ["default/open"], HTTPRoute: ["team/web"] };
    expect(woken(cache, labelled).woken).toEqual(waking[controller!.kind.kind as keyof typeof waking]);
  });

  test("is all that is news: an annotation wakes nothing", ({ expect }) => {
    const cache = cluster(open, routeAt("open", "web"));
    const noted = { ...before, metadata: { ...before.metadata, annotations: { seen: "yes" } } };
    expect(woken(cache, noted)).toEqual({ woken: [], reads: 0 });
  });
});

test("a Namespace that comes may be the one that a listener waits for", () => {
  const cache = cacheFor(all, [aGatewayClass(), open, routeAt("open", "web")]);
  expect(wokenBy(cache, httpRoutes!, { kind: Namespace, put: labelled }).woken).toEqual(["team/web"]);
});

test("a TCPRoute that is let in takes the listener from one of another Namespace, which hears of it", () => {
  const bytes = { name: "bytes", hostname: "db.example.com", port: 443, protocol: "TLS" };
  const gateway = aGateway({
    metadata: { name: "open" },
    spec: { listeners: [{ ...bytes, allowedRoutes: { namespaces: { from: "Selector", selector } } }] },
  });
  const at = (namespace: string, creationTimestamp: string) =>
    aTCPRoute({
      metadata: { name: "db", namespace, creationTimestamp },
      spec: { parentRefs: [{ name: "open", namespace: "default" }], rules: [] },
    });
  const routes = [at("team", "2026-01-01T00:00:00Z"), at("other", "2026-01-02T00:00:00Z")];
  const cache = cacheFor(all, [aGatewayClass(), before, aNamespace("other", { open: "yes" }), gateway, ...routes]);
  const controller = all.find(({ kind }) => kind.kind === "TCPRoute");
  const { woken } = wokenBy(cache, controller!, { kind: Namespace, put: labelled });
  expect(woken).toEqual(["other/db", "team/db"]);
});
