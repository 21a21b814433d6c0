// What GatewayClasses, served Gateways and their listeners say about themselves.
import { describe, expect, test } from "vitest";
import type { GatewayObject } from "#kube/kinds.ts";
import { aGateway, aGatewayClass, aTCPRoute, aTLSRoute } from "#test/support/builders.ts";
import { aGatewayWith, aTlsSecret, aWebRoute } from "#test/support/gateway-ground.ts";
import { at, brief, messageOf, statusOf } from "#test/support/gateway-status-words.ts";
import { gatewayClassStatus } from "./status.ts";

const later = "2026-01-02T00:00:00Z";

describe("GatewayClass", () => {
  test("a class of ours is accepted, at the generation that was seen", () => {
    expect(gatewayClassStatus(aGatewayClass({ metadata: { generation: 3 } }), at)).toEqual({
      conditions: [
        {
          type: "Accepted",
          status: "True",
          reason: "Accepted",
          message: "gatewayclass accepted by the ngrok controller",
          observedGeneration: 3,
          lastTransitionTime: at,
        },
      ],
    });
  });

  test("parameters are not read, and it says so; of a status it says only what is ours", () => {
    const parametersRef = { group: "", kind: "ConfigMap", name: "more" };
    const given = aGatewayClass({
      spec: { parametersRef },
      status: { supportedFeatures: [{ name: "theirs" }] } as object,
    });
    const status = gatewayClassStatus(given, at);
    expect(Object.keys(status)).toEqual(["conditions"]);
    expect(messageOf(status.conditions, "Accepted")).toBe(
      "gatewayclass accepted by the ngrok controller, but for spec.parametersRef: is not read, as no kind of parameters is: remove it",
    );
  });

  test("one that is accepted already is left as it is", () => {
    const waiting = { type: "Accepted", status: "Unknown" as const, reason: "Pending", lastTransitionTime: at };
    const first = gatewayClassStatus(aGatewayClass({ status: { conditions: [waiting] } }), later);
    expect(first.conditions?.map((one) => [one.status, one.lastTransitionTime])).toEqual([["True", later]]);
    expect(gatewayClassStatus(aGatewayClass({ status: first }), "2026-01-03T00:00:00Z")).toEqual(first);
  });
});

describe("a Gateway that is served", () => {
  test("says for which listener it does not ask clients as an older Gateway API had it: that one is not programmed", () => {
    const tls = { certificateRefs: [{ name: "cert" }] };
    const both = aGatewayWith(
      { tls: { ...tls, frontendValidation: { caCertificateRefs: [{ name: "ca" }] } } },
      { hostname: "second.example.com", tls },
    );
    const { conditions, listeners = [] } = statusOf([both, aTlsSecret(), aWebRoute()]);
    expect(messageOf(conditions, "Accepted")).toContain("spec.listeners[0].tls.frontendValidation: ");
    expect(listeners.map((one) => brief(one.conditions))).toEqual([
      expect.arrayContaining(["Accepted=False UnsupportedValue", "Programmed=False Invalid"]),
      expect.arrayContaining(["Accepted=True Accepted", "Programmed=True Programmed"]),
    ]);
    expect(messageOf(listeners[0]?.conditions, "Accepted")).toContain(
      "write the validation under spec.tls.frontend.default",
    );
  });

  test("for whose host others have an endpoint says so, as does the listener of that host, and stays programmed", () => {
    const shared = new Map([["https://shop.example.com", "others serve it: choose another host"]]);
    const both = aGatewayWith({ protocol: "HTTPS" }, { hostname: "second.example.com", protocol: "HTTPS" });
    const { conditions, listeners = [] } = statusOf([both, aWebRoute()], { shared });
    const but = ", but for others serve it: choose another host";
    expect(messageOf(conditions, "Programmed")).toBe(`gateway programmed by the ngrok operator${but}`);
    expect(listeners.map((one) => messageOf(one.conditions, "Programmed"))).toEqual([
      `listener programmed by the ngrok operator${but}`,
      "listener programmed by the ngrok operator",
    ]);
  });

  const status = statusOf([aGateway({ metadata: { generation: 7 } }), aWebRoute()]);

  test("is accepted and programmed, and so is its listener", () => {
    expect(brief(status.conditions)).toEqual([
      "Accepted=True Accepted",
      "Programmed=True Programmed",
      "ResolvedRefs=True ResolvedRefs",
    ]);
    expect(brief(status.listeners?.[0]?.conditions)).toEqual([
      "Accepted=True Accepted",
      "Conflicted=False NoConflicts",
      "ResolvedRefs=True ResolvedRefs",
      "Programmed=True Programmed",
    ]);
    expect(messageOf(status.listeners?.[0]?.conditions, "Accepted")).toBe("listener accepted by the ngrok operator");
    const all = [...(status.conditions ?? []), ...(status.listeners?.[0]?.conditions ?? [])];
    expect(all.map((one) => one.observedGeneration)).toEqual(all.map(() => 7));
  });

  test("is Pending until its endpoints have been written, and stays programmed while they change", () => {
    const pending = statusOf([aWebRoute()], { applied: false });
    expect(brief(pending.conditions)).toContain("Programmed=False Pending");
    expect(brief(pending.listeners?.[0]?.conditions)).toContain("Programmed=False Pending");
    const again = statusOf([aGateway({ status: status as object }), aWebRoute()], { applied: false });
    expect(brief(again.conditions)).toContain("Programmed=True Programmed");
    expect(brief(again.listeners?.[0]?.conditions)).toContain("Programmed=True Programmed");
  });

  test("says nothing new where nothing is new", () => {
    const gateway = aGateway({ metadata: { generation: 7 }, status: status as object });
    expect(statusOf([gateway, aWebRoute()], { at: later })).toEqual(status);
  });

  test("leaves conditions of other types to who says them", () => {
    const theirs = { type: "example.com/Audited", status: "True" as const, reason: "Ok", lastTransitionTime: at };
    const after = statusOf([aGateway({ status: { conditions: [theirs] } })]);
    expect(brief(after.conditions)).toEqual(brief(statusOf([]).conditions));
  });
});

describe("listeners", () => {
  const faulty: [string, GatewayObject, string[], string][] = [
    [
      "a port that ngrok does not have",
      aGatewayWith({ protocol: "HTTP", port: 8080 }),
      ["Accepted=False PortUnavailable", "Programmed=False Invalid"],
      "ngrok only supports HTTP on port 80",
    ],
    [
      "no host name",
      aGatewayWith({ hostname: "" }),
      ["Accepted=False HostnameRequired", "Programmed=False Invalid"],
      "write the host name that ngrok is to serve, or give the Gateway an address of type Hostname",
    ],
    [
      "a protocol that ngrok does not have",
      aGatewayWith({ protocol: "UDP", port: 53 }),
      ["Accepted=False UnsupportedProtocol", "Programmed=False Invalid"],
      '"UDP" is not a protocol that ngrok serves: use HTTP, HTTPS, TLS or TCP',
    ],
    [
      "a certificate that is not there",
      aGatewayWith({ tls: { certificateRefs: [{ name: "absent" }] } }),
      ["Accepted=True Accepted", "ResolvedRefs=False InvalidCertificateRef", "Programmed=False Invalid"],
      "listener accepted by the ngrok operator",
    ],
    [
      "a certificate that is another namespace's",
      aGatewayWith({ tls: { certificateRefs: [{ name: "cert", namespace: "vault" }] } }),
      ["ResolvedRefs=False RefNotPermitted", "Programmed=False Invalid"],
      "listener accepted by the ngrok operator",
    ],
    [
      "a kind of route that it cannot carry",
      aGatewayWith({ allowedRoutes: { kinds: [{ kind: "GRPCRoute" }] } }),
      ["Accepted=True Accepted", "ResolvedRefs=False InvalidRouteKinds", "Programmed=True Programmed"],
      "listener accepted by the ngrok operator",
    ],
    [
      "TCP without a host: a good listener, of which there is no endpoint",
      aGatewayWith({ protocol: "TCP", port: 9000, hostname: "" }),
      ["Accepted=True Accepted", "Programmed=False Invalid"],
      "listener accepted by the ngrok operator",
    ],
  ];
  test.for(faulty)("%s", ([, gateway, conditions, accepted]) => {
    const [listener] = statusOf([gateway, aTlsSecret("cert", "vault")]).listeners ?? [];
    expect(brief(listener?.conditions)).toEqual(expect.arrayContaining(conditions));
    expect(messageOf(listener?.conditions, "Accepted")).toBe(accepted);
  });

  test("of two that want one host and port none is picked: both are in conflict, and the others are served", () => {
    const { listeners = [], conditions } = statusOf([
      aGatewayWith({}, { protocol: "TLS" }, { hostname: "alone.example.com" }),
    ]);
    const inConflict = ["Accepted=False ProtocolConflict", "Conflicted=True ProtocolConflict"];
    expect(listeners.map((one) => brief(one.conditions).slice(0, 2))).toEqual([
      inConflict,
      inConflict,
      ["Accepted=True Accepted", "Conflicted=False NoConflicts"],
    ]);
    expect(brief(conditions).slice(0, 2)).toEqual(["Accepted=True ListenersNotValid", "Programmed=True Programmed"]);
    expect(messageOf(conditions, "Accepted")).toBe(
      "gateway accepted by the ngrok operator, but not listener l0, l1: spec.listeners[0]: listener l1 wants this host and port too, so neither is served: remove one, or give it another host name or port; spec.listeners[1]: listener l0 wants this host and port too, so neither is served: remove one, or give it another host name or port",
    );
  });

  test("whose host names overlap where TLS ends say so, each of the other; those apart say nothing of it", () => {
    const gateway = aGatewayWith(
      {},
      { hostname: "*.example.com" },
      { hostname: "apart.example.org" },
      { hostname: "http.example.com", protocol: "HTTP", port: 80 },
    );
    const { listeners = [] } = statusOf([gateway]);
    const overlapping = "OverlappingTLSConfig=True OverlappingHostnames";
    expect(listeners.map(({ conditions }) => brief(conditions).includes(overlapping))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(messageOf(listeners[0]?.conditions, "OverlappingTLSConfig")).toContain("listener l1 has host names of this");
  });

  test.for([
    ["*.example.com", "*.shop.example.com"],
    ["*.shop.example.com", "*.example.com"],
  ])("of two patterns that overlap both say so: %s and %s", ([hostname = "", other = ""]) => {
    const { listeners = [] } = statusOf([aGatewayWith({ hostname }, { hostname: other })]);
    const overlapping = "OverlappingTLSConfig=True OverlappingHostnames";
    expect(listeners.map(({ conditions }) => brief(conditions).includes(overlapping))).toEqual([true, true]);
  });

  test("count the routes that are on them, and name the kinds that they take", () => {
    const gateway = aGatewayWith(
      {},
      { hostname: "second.example.com" },
      { hostname: "tls.example.com", protocol: "TLS", port: 9000 },
    );
    const onFirst = aWebRoute({ parentRefs: [{ name: "edge", sectionName: "l0" }] }, { name: "first" });
    const { listeners = [] } = statusOf([gateway, aWebRoute(), onFirst, aTLSRoute()]);
    const group = "gateway.networking.k8s.io";
    expect(listeners.map(({ name, attachedRoutes, supportedKinds }) => [name, attachedRoutes, supportedKinds])).toEqual(
      [
        ["l0", 2, [{ group, kind: "HTTPRoute" }]],
        ["l1", 1, [{ group, kind: "HTTPRoute" }]],
        [
          "l2",
          1,
          [
            { group, kind: "TLSRoute" },
            { group, kind: "TCPRoute" },
          ],
        ],
      ],
    );
  });

  test("of bytes count one route, since a second is not accepted", () => {
    const rules = [{ backendRefs: [{ name: "shop", port: 80 }] }];
    const both = ["first", "second"].map((name) => aTCPRoute({ metadata: { name }, spec: { rules } }));
    const { listeners = [] } = statusOf([aGatewayWith({ protocol: "TCP", port: 9000 }), ...both]);
    expect(listeners.map(({ attachedRoutes }) => attachedRoutes)).toEqual([1]);
  });

  test("that are gone from the Gateway are gone from its status", () => {
    const before = statusOf([aGatewayWith({}, { hostname: "second.example.com" })]);
    const gateway: GatewayObject = { ...aGatewayWith({}), status: before };
    expect(statusOf([gateway]).listeners?.map(({ name }) => name)).toEqual(["l0"]);
  });
});
