// What routes say about the Gateways that they name.
import { describe, expect, test } from "vitest";
import type { KubeObject } from "#kube/kind.ts";
import type { RouteObject } from "#kube/kinds.ts";
import type { HttpRouteFilter, HttpRouteMatch, RouteParentStatus } from "#kube/routing-objects.ts";
import { aGateway, aGatewayClass, aTCPRoute, aTLSRoute } from "#test/support/builders.ts";
import {
  aGatewayWith,
  aRule,
  aWebRoute,
  gatewayOptions,
  ground,
  hostsOn,
  onlyHost,
  shop,
} from "#test/support/gateway-ground.ts";
import { statusOf } from "#test/support/gateway-status-words.ts";
import type { RouteKind } from "./listeners.ts";
import { routeStatus } from "./route-status.ts";
import { readGateways } from "./virtual-hosts.ts";

const at = "2026-01-01T00:00:00Z";

function parentsOf(route: RouteObject, objects: readonly KubeObject[] = [], when = at): RouteParentStatus[] {
  const view = { manifests: ground(...objects, route), options: gatewayOptions };
  return routeStatus(view, (route.kind ?? "HTTPRoute") as RouteKind, route, readGateways(view), when).parents ?? [];
}

/** `Type=Status Reason: message` of each condition of the one parent. */
function said(parents: readonly RouteParentStatus[]): string[] {
  const [parent] = parents;
  if (parent === undefined || parents.length !== 1) throw new Error(`expected one parent, found ${parents.length}`);
  return (parent.conditions ?? []).map(
    ({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message}`,
  );
}

const ACCEPTED = "Accepted=True Accepted: route accepted by the ngrok operator";
const RESOLVED = "ResolvedRefs=True ResolvedRefs: all references are resolved";

describe("a route on its Gateway", () => {
  test("is accepted, at the generation that was seen, in the words of its own parentRef", () => {
    const route = aWebRoute();
    route.metadata.generation = 4;
    const parents = parentsOf(route);
    expect(said(parents)).toEqual([ACCEPTED, RESOLVED]);
    expect(parents).toMatchObject([
      {
        parentRef: { name: "edge" },
        controllerName: "ngrok.com/gateway-controller",
        conditions: [
          { observedGeneration: 4, lastTransitionTime: at },
          { observedGeneration: 4, lastTransitionTime: at },
        ],
      },
    ]);
  });

  const rules = [{ backendRefs: [{ name: "shop", port: 80 }] }];
  test.for([
    ["TCP", aTCPRoute],
    ["TLS", aTLSRoute],
  ] as const)("%sRoutes have a status too", ([protocol, build]) => {
    const parents = parentsOf(build({ spec: { rules } }), [aGatewayWith({ protocol, port: 9000 })]);
    expect(said(parents)).toEqual([ACCEPTED, RESOLVED]);
  });
});

describe("why a route is not on a Gateway", () => {
  const refused: [string, RouteObject, RegExp][] = [
    [
      "no listener of that name",
      aWebRoute({ parentRefs: [{ name: "edge", sectionName: "absent" }] }),
      /^Accepted=False NoMatchingParent: no listener of the Gateway has this sectionName and port/,
    ],
    [
      "no listener of that port",
      aWebRoute({ parentRefs: [{ name: "edge", port: 1 }] }),
      /^Accepted=False NoMatchingParent/,
    ],
    [
      "no listener that allows it",
      aWebRoute({ parentRefs: [{ name: "edge", namespace: "default" }] }, { namespace: "team" }),
      /^Accepted=False NotAllowedByListeners: no listener allows HTTPRoutes of namespace team/,
    ],
    [
      "no host name in common",
      aWebRoute({ hostnames: ["other.example.com"] }),
      /^Accepted=False NoMatchingListenerHostname/,
    ],
  ];
  test.for(refused)("%s", ([, route, accepted]) => {
    expect(said(parentsOf(route, [shop("team")]))[0]).toMatch(accepted);
  });
});

test("of two routes of bytes on one listener the older is accepted alone; a listener beside it takes the other", () => {
  const rules = [{ backendRefs: [{ name: "shop", port: 80 }] }];
  const route = (name: string, creationTimestamp: string): RouteObject =>
    aTCPRoute({ metadata: { name, creationTimestamp }, spec: { rules } });
  const [young, old] = [route("a-young", "2026-01-02T00:00:00Z"), route("b-old", "2026-01-01T00:00:00Z")];
  const listeners = [{ protocol: "TCP", port: 9000 }];
  expect(said(parentsOf(old, [aGatewayWith(...listeners), young]))).toEqual([ACCEPTED, RESOLVED]);
  expect(said(parentsOf(young, [aGatewayWith(...listeners), old]))).toEqual([
    "Accepted=False ListenerInUse: listener l0 carries TCPRoute default/b-old already, and bytes do not tell two routes apart: use another listener",
    RESOLVED,
  ]);
  const here = { ...old, spec: { rules, parentRefs: [{ name: "edge", sectionName: "l0" }] } };
  const wide = aGatewayWith(...listeners, { protocol: "TCP", port: 9001 });
  expect(said(parentsOf(young, [wide, here]))).toEqual([ACCEPTED, RESOLVED]);
});

test("listeners of one address and port are one place: the second route has it on neither, and is told so", () => {
  const backends = [{ backendRefs: [{ name: "shop", port: 80 }] }];
  const route = (name: string, age: number, sectionName: string): RouteObject =>
    aTLSRoute({
      metadata: { name, creationTimestamp: `2026-01-0${age}T00:00:00Z` },
      spec: { parentRefs: [{ name: "edge", sectionName }], rules: backends },
    });
  const tls = { mode: "Passthrough" as const };
  const gateway = aGateway({
    spec: {
      addresses: [{ type: "Hostname", value: "db.example.com" }],
      listeners: [
        { name: "exact", protocol: "TLS", port: 443, hostname: "db.example.com", tls },
        { name: "wide", protocol: "TLS", port: 443, hostname: "*.example.com", tls },
      ],
    },
  });
  const [old, young] = [route("old", 1, "exact"), route("young", 2, "wide")];
  expect(onlyHost(hostsOn([gateway, old, young])).owningResources).toEqual([
    "Gateway default/edge",
    "TLSRoute default/old",
  ]);
  expect(said(parentsOf(old, [gateway, young]))).toEqual([ACCEPTED, RESOLVED]);
  expect(said(parentsOf(young, [gateway, old]))[0]).toBe(
    "Accepted=False ListenerInUse: listener wide carries TLSRoute default/old already, and bytes do not tell two routes apart: use another listener",
  );
  const attached = statusOf([gateway, old, young]).listeners?.map(({ attachedRoutes }) => attachedRoutes);
  expect(attached).toEqual([1, 0]);
});

describe("what a route refers to", () => {
  const refs: [string, NonNullable<ReturnType<typeof aRule>["backendRefs"]>[number], string][] = [
    [
      "a Service that is not there",
      { name: "absent", port: 80 },
      "ResolvedRefs=False BackendNotFound: spec.rules[0].backendRefs[1]: Service default/absent does not exist: create it or name another",
    ],
    [
      "a kind that is no backend",
      { kind: "Bucket", name: "shop", port: 80 },
      'ResolvedRefs=False InvalidKind: spec.rules[0].backendRefs[1].kind: "Bucket" is no kind of backend that can be used: name a Service',
    ],
    [
      "a Service of another namespace without a grant",
      { name: "shop", namespace: "team", port: 80 },
      "ResolvedRefs=False RefNotPermitted: spec.rules[0].backendRefs[1].namespace: Service team/shop may not be used from here: create a ReferenceGrant in namespace team from HTTPRoute in default to Service shop",
    ],
  ];
  test.for(refs)("%s", ([, ref, resolved]) => {
    const route = aWebRoute({ rules: [aRule({ backendRefs: [{ name: "shop", port: 80 }, ref] })] });
    expect(said(parentsOf(route, [shop("team")]))).toEqual([ACCEPTED, resolved]);
  });

  const extension = {
    type: "ExtensionRef",
    extensionRef: { group: "ngrok.k8s.ngrok.com", kind: "NgrokTrafficPolicy" },
  };
  const lost: [string, HttpRouteFilter, string][] = [
    [
      "a policy that is not there",
      { ...extension, extensionRef: { ...extension.extensionRef, name: "absent" } },
      "ResolvedRefs=False BackendNotFound: spec.rules[0].filters[0].extensionRef: NgrokTrafficPolicy default/absent does not exist: create it or name another",
    ],
    [
      "a kind that is no policy",
      { ...extension, extensionRef: { group: "", kind: "ConfigMap", name: "absent" } },
      'ResolvedRefs=False InvalidKind: spec.rules[0].filters[0].extensionRef: "ConfigMap" of group "" is not known: name an NgrokTrafficPolicy',
    ],
  ];
  test.for(lost)("%s, named by a filter", ([, filter, resolved]) => {
    expect(said(parentsOf(aWebRoute({ rules: [aRule({ filters: [filter] })] })))).toEqual([ACCEPTED, resolved]);
  });

  test("a route of which nothing is left is not accepted, and a route that is not accepted is not partly so", () => {
    const unknown = { path: { type: "Soundex", value: "/" } } as unknown as HttpRouteMatch;
    const nothing = aWebRoute({ rules: [aRule({ matches: [unknown] })] });
    expect(said(parentsOf(nothing))).toEqual([
      'Accepted=False UnsupportedValue: spec.rules[0].matches[0].path.type: "Soundex" is not known: write Exact, PathPrefix or RegularExpression',
      RESOLVED,
    ]);
    const elsewhere = aWebRoute({
      hostnames: ["other.example.com"],
      rules: [aRule({ filters: [{ type: "RequestMirror" }] })],
    });
    expect(said(parentsOf(elsewhere)).map((one) => one.split("=")[0])).toEqual(["Accepted", "ResolvedRefs"]);
  });

  test("what is left out of a route beyond that is told as well, and no longer when it is mended", () => {
    const partly = aWebRoute({ rules: [aRule({ filters: [{ type: "RequestMirror" }] })] });
    const parents = parentsOf(partly);
    expect(said(parents)).toEqual([
      ACCEPTED,
      RESOLVED,
      'PartiallyInvalid=True UnsupportedValue: Dropped Rule parts: spec.rules[0].filters[0].type: "RequestMirror" is not supported: remove it, or write an NgrokTrafficPolicy and name it by an ExtensionRef',
    ]);
    expect(said(parentsOf({ ...aWebRoute(), status: { parents } }))).toEqual([ACCEPTED, RESOLVED]);
  });
});

test("what is ignored harms nobody, and is no condition", () => {
  const waiting = aWebRoute({ rules: [aRule({ timeouts: { request: "10s" } })] });
  expect(said(parentsOf(waiting))).toEqual([ACCEPTED, RESOLVED]);
});

describe("entries", () => {
  const theirs: RouteParentStatus = {
    parentRef: { name: "edge" },
    controllerName: "example.com/other",
    conditions: [{ type: "Accepted", status: "True", reason: "Accepted", message: "", lastTransitionTime: at }],
  };

  test("of other controllers stay as and where they are", () => {
    const parents = parentsOf({ ...aWebRoute(), status: { parents: [theirs] } });
    expect(parents).toEqual([theirs, expect.objectContaining({ controllerName: "ngrok.com/gateway-controller" })]);
  });

  test("of ours keep the conditions that others have added to them", () => {
    const added = { ...theirs.conditions![0]!, type: "example.com/Audited" };
    const parents = parentsOf(aWebRoute()).map((one) => ({ ...one, conditions: [...(one.conditions ?? []), added] }));
    expect(parentsOf({ ...aWebRoute(), status: { parents } })).toEqual(parents);
  });

  test("of a Gateway that is not ours are not written", () => {
    const other = aGateway({ metadata: { name: "other" }, spec: { gatewayClassName: "other" } });
    const otherClass = aGatewayClass({ metadata: { name: "other" }, spec: { controllerName: "example.com/other" } });
    const route = aWebRoute({ parentRefs: [{ name: "other" }, { name: "edge" }, { name: "absent" }] });
    expect(parentsOf(route, [other, otherClass]).map(({ parentRef }) => parentRef.name)).toEqual(["edge"]);
  });

  test("of ours go when the route names the Gateway no more", () => {
    const parents = [...parentsOf(aWebRoute()), theirs];
    const moved = { ...aWebRoute({ parentRefs: [{ name: "absent" }] }), status: { parents } };
    expect(parentsOf(moved)).toEqual([theirs]);
  });

  test("are each Gateway's and each listener's own", () => {
    const parentRefs = [
      { name: "edge", sectionName: "https" },
      { name: "edge", sectionName: "absent" },
      { name: "second" },
    ];
    const parents = parentsOf(aWebRoute({ parentRefs }), [aGateway({ metadata: { name: "second" } })]);
    expect(parents.map(({ parentRef, conditions }) => [parentRef, conditions?.[0]?.reason])).toEqual([
      [parentRefs[0], "Accepted"],
      [parentRefs[1], "NoMatchingParent"],
      [parentRefs[2], "Accepted"],
    ]);
  });

  test("say nothing new where nothing is new, with the defaults that the API server fills in", () => {
    const filled = { group: "gateway.networking.k8s.io", kind: "Gateway", name: "edge" };
    const before = parentsOf(aWebRoute()).map((one) => ({ ...one, parentRef: filled }));
    const again = parentsOf({ ...aWebRoute(), status: { parents: before } }, [], "2026-02-01T00:00:00Z");
    expect(again).toEqual(before);
  });

  test("keep the time at which a condition turned", () => {
    const before = parentsOf(aWebRoute({ hostnames: ["other.example.com"] }));
    const [after] = parentsOf({ ...aWebRoute(), status: { parents: before } }, [], "2026-02-01T00:00:00Z");
    expect(after?.conditions?.map(({ type, lastTransitionTime }) => [type, lastTransitionTime])).toEqual([
      ["Accepted", "2026-02-01T00:00:00Z"],
      ["ResolvedRefs", at],
    ]);
  });
});
