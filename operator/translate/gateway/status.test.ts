// What GatewayClasses and Gateways say about themselves.
import { describe, expect, test } from "vitest";
import type { KubeObject } from "#kube/kind.ts";
import type { GatewayObject } from "#kube/kinds.ts";
import type { GatewayStatus, StrangerCondition } from "#kube/routing-objects.ts";
import { aDomain, aGateway, aGatewayClass, anNgrokTrafficPolicy, aTLSRoute } from "#test/support/builders.ts";
import { aGatewayWith, aRule, aTlsSecret, aWebRoute, gatewayOptions, ground } from "#test/support/gateway-ground.ts";
import { gatewayClassStatus, gatewayStatus } from "./status.ts";
import { readGateways } from "./virtual-hosts.ts";

const at = "2026-01-01T00:00:00Z";
const later = "2026-01-02T00:00:00Z";

function statusOf(
  objects: readonly KubeObject[],
  seen: { at?: string; applied?: boolean } = {},
  name = "default/edge",
): GatewayStatus {
  const view = { manifests: ground(...objects), options: gatewayOptions };
  const facts = readGateways(view).get(name);
  if (facts === undefined) throw new Error(`Gateway ${name} is not ours`);
  return gatewayStatus(view, facts, { at, applied: true, ...seen });
}

/** `Type=Status Reason` of each condition. */
function brief(conditions: readonly StrangerCondition[] | undefined): string[] {
  return (conditions ?? []).map(({ type, status, reason }) => `${type}=${status} ${reason}`);
}

function messageOf(conditions: readonly StrangerCondition[] | undefined, type: string): string | undefined {
  return conditions?.find((one) => one.type === type)?.message;
}

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

  test("one that is accepted already is left as it is", () => {
    const waiting = { type: "Accepted", status: "Unknown" as const, reason: "Pending", lastTransitionTime: at };
    const first = gatewayClassStatus(aGatewayClass({ status: { conditions: [waiting] } }), later);
    expect(first.conditions?.map((one) => [one.status, one.lastTransitionTime])).toEqual([["True", later]]);
    expect(gatewayClassStatus(aGatewayClass({ status: first }), "2026-01-03T00:00:00Z")).toEqual(first);
  });
});

describe("a Gateway that is served", () => {
  const status = statusOf([aGateway({ metadata: { generation: 7 } }), aWebRoute()]);

  test("is accepted and programmed, and so is its listener", () => {
    expect(brief(status.conditions)).toEqual(["Accepted=True Accepted", "Programmed=True Programmed"]);
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
    expect(brief(after.conditions)).toEqual(["Accepted=True Accepted", "Programmed=True Programmed"]);
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

  test("of two that want one host and port the first has it, and the other is in conflict", () => {
    const { listeners = [] } = statusOf([aGatewayWith({}, { protocol: "TLS" })]);
    expect(listeners.map(({ conditions }) => brief(conditions).slice(0, 2))).toEqual([
      ["Accepted=True Accepted", "Conflicted=False NoConflicts"],
      ["Accepted=False ProtocolConflict", "Conflicted=True ProtocolConflict"],
    ]);
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

  test("that are gone from the Gateway are gone from its status", () => {
    const before = statusOf([aGatewayWith({}, { hostname: "second.example.com" })]);
    const gateway: GatewayObject = { ...aGatewayWith({}), status: before };
    expect(statusOf([gateway]).listeners?.map(({ name }) => name)).toEqual(["l0"]);
  });
});

describe("the Gateway as a whole", () => {
  const wholes: [string, KubeObject[], string[]][] = [
    [
      "one good listener suffices",
      [aGatewayWith({ protocol: "HTTP", port: 8080 }, {})],
      ["Accepted=True Accepted", "Programmed=True Programmed"],
    ],
    [
      "without a good listener it is not accepted",
      [aGatewayWith({ protocol: "HTTP", port: 8080 })],
      ["Accepted=False ListenersNotValid", "Programmed=False Invalid"],
    ],
    [
      "without a listener that can be served it is not programmed",
      [aGatewayWith({ tls: { certificateRefs: [{ name: "absent" }] } })],
      ["Accepted=True Accepted", "Programmed=False Invalid"],
    ],
    [
      "a policy that is not there",
      [aGateway({ metadata: { annotations: { "ngrok.com/traffic-policy": "absent" } } })],
      ["Accepted=True Accepted", "Programmed=False Invalid"],
    ],
    [
      "an address that a listener does not cover",
      [aGateway({ spec: { addresses: [{ type: "Hostname", value: "other.example.com" }] } })],
      ["Accepted=True Accepted", "Programmed=False AddressNotUsable"],
    ],
    [
      "a client certificate that is there",
      [
        aGateway({ spec: { tls: { backend: { clientCertificateRef: { name: "cert" } } } } }),
        aTlsSecret(),
        anNgrokTrafficPolicy(),
      ],
      ["Accepted=True Accepted", "Programmed=True Programmed", "ResolvedRefs=True ResolvedRefs"],
    ],
    [
      "a client certificate that is not",
      [aGateway({ spec: { tls: { backend: { clientCertificateRef: { name: "absent" } } } } })],
      ["Accepted=True Accepted", "Programmed=True Programmed", "ResolvedRefs=False InvalidClientCertificateRef"],
    ],
    [
      "a client certificate of another namespace",
      [aGateway({ spec: { tls: { backend: { clientCertificateRef: { name: "cert", namespace: "vault" } } } } })],
      ["Accepted=True Accepted", "Programmed=False Invalid", "ResolvedRefs=False RefNotPermitted"],
    ],
  ];
  test.for(wholes)("%s", ([, objects, conditions]) => {
    const status = statusOf([...objects, aWebRoute({ rules: [aRule()] })]);
    expect(brief(status.conditions)).toEqual(conditions);
    // A Gateway that is not programmed has no listener that says it is.
    const isServed = conditions.includes("Programmed=True Programmed");
    const programmed = status.listeners?.some((one) => brief(one.conditions).includes("Programmed=True Programmed"));
    expect(programmed).toBe(isServed);
  });

  test("what is wrong is said with the field and the remedy", () => {
    const { conditions } = statusOf([
      aGateway({ metadata: { annotations: { "ngrok.com/traffic-policy": "absent" } } }),
    ]);
    expect(messageOf(conditions, "Programmed")).toBe(
      'metadata.annotations["ngrok.com/traffic-policy"] NgrokTrafficPolicy absent is not in namespace default: create it or name another',
    );
  });

  test("a resolved reference that is asked for no more takes its condition along", () => {
    const showing = aGateway({ spec: { tls: { backend: { clientCertificateRef: { name: "cert" } } } } });
    const before = statusOf([showing, aTlsSecret()]);
    expect(brief(statusOf([aGateway({ status: before as object })]).conditions)).not.toContain(
      "ResolvedRefs=True ResolvedRefs",
    );
  });
});

describe("addresses", () => {
  const domain = (host: string, status: object, namespace = "default"): KubeObject =>
    aDomain({ metadata: { name: `d-${host.replace("*", "w")}`, namespace }, spec: { domain: host }, status });
  const addressed: [string, KubeObject[], string[]][] = [
    ["none before the Domain is there", [], []],
    ["none before the Domain is reserved", [domain("shop.example.com", {})], []],
    [
      "where DNS is to point",
      [domain("shop.example.com", { domain: "shop.example.com", cnameTarget: "x.ngrok-cname.com" })],
      ["x.ngrok-cname.com"],
    ],
    [
      "the domain itself, where that is ngrok's",
      [domain("shop.example.com", { domain: "shop.example.com" })],
      ["shop.example.com"],
    ],
    [
      "the Domain of another namespace, where the Gateway's own has none",
      [domain("shop.example.com", { domain: "shop.example.com" }, "team")],
      ["shop.example.com"],
    ],
    [
      "its own namespace's Domain before another's",
      [
        domain("shop.example.com", { domain: "shop.example.com", cnameTarget: "theirs.cname" }, "a-team"),
        domain("shop.example.com", { domain: "shop.example.com", cnameTarget: "mine.cname" }),
      ],
      ["mine.cname"],
    ],
    [
      "none of a Gateway that is not served as a whole",
      [
        aGateway({ metadata: { annotations: { "ngrok.com/traffic-policy": "absent" } } }),
        domain("shop.example.com", { domain: "shop.example.com" }),
      ],
      [],
    ],
    [
      "a name that can be looked up, for a wildcard",
      [aGatewayWith({ hostname: "*.example.com" }), domain("*.example.com", { domain: "*.example.com" })],
      ["example.com"],
    ],
    [
      "each once, sorted, of the listeners that are served",
      [
        aGatewayWith(
          {},
          { hostname: "b.example.com" },
          { hostname: "a.example.com" },
          { hostname: "c.example.com", protocol: "HTTP", port: 8080 },
        ),
        ...["shop", "a", "b", "c"].map((name) =>
          domain(`${name}.example.com`, {
            domain: `${name}.example.com`,
            cnameTarget: name === "a" ? "a.cname" : "b.cname",
          }),
        ),
      ],
      ["a.cname", "b.cname"],
    ],
  ];
  test.for(addressed)("%s", ([, objects, values]) => {
    expect(statusOf(objects).addresses).toEqual(values.map((value) => ({ type: "Hostname", value })));
  });
});
