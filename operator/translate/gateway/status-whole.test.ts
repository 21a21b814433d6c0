// What a Gateway says of itself as a whole, and at which addresses it is.
import { describe, expect, test } from "vitest";
import type { KubeObject } from "#kube/kind.ts";
import type { GatewayObject } from "#kube/kinds.ts";
import { aDomain, aGateway, anNgrokTrafficPolicy } from "#test/support/builders.ts";
import { aGatewayWith, aRule, aTlsSecret, aWebRoute } from "#test/support/gateway-ground.ts";
import { brief, messageOf, statusOf } from "#test/support/gateway-status-words.ts";

describe("the Gateway as a whole", () => {
  const RESOLVED = "ResolvedRefs=True ResolvedRefs";
  const wholes: [string, KubeObject[], string[]][] = [
    [
      "one good listener suffices",
      [aGatewayWith({ protocol: "HTTP", port: 8080 }, {})],
      ["Accepted=True ListenersNotValid", "Programmed=True Programmed", RESOLVED],
    ],
    [
      "without a good listener it is not accepted",
      [aGatewayWith({ protocol: "HTTP", port: 8080 })],
      ["Accepted=False ListenersNotValid", "Programmed=False Invalid", RESOLVED],
    ],
    [
      "without a listener that can be served it is not programmed",
      [aGatewayWith({ tls: { certificateRefs: [{ name: "absent" }] } })],
      ["Accepted=True Accepted", "Programmed=False Invalid", "ResolvedRefs=False ListenersNotResolved"],
    ],
    [
      "a policy that is not there",
      [aGateway({ metadata: { annotations: { "ngrok.com/traffic-policy": "absent" } } })],
      ["Accepted=True Accepted", "Programmed=False Invalid", RESOLVED],
    ],
    [
      "an address that a listener does not cover",
      [aGateway({ spec: { addresses: [{ type: "Hostname", value: "other.example.com" }] } })],
      ["Accepted=True Accepted", "Programmed=False AddressNotUsable", RESOLVED],
    ],
    [
      "a listener whose certificate is not there beside one that is served",
      [aGatewayWith({ tls: { certificateRefs: [{ name: "absent" }] } }, { hostname: "second.example.com" })],
      ["Accepted=True Accepted", "Programmed=True Programmed", "ResolvedRefs=False ListenersNotResolved"],
    ],
    [
      "a client certificate that is there",
      [
        aGateway({ spec: { tls: { backend: { clientCertificateRef: { name: "cert" } } } } }),
        aTlsSecret(),
        anNgrokTrafficPolicy(),
      ],
      ["Accepted=True Accepted", "Programmed=True Programmed", RESOLVED],
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
      'metadata.annotations["ngrok.com/traffic-policy"]: NgrokTrafficPolicy absent is not in namespace default: create it or name another',
    );
  });

  const leftOut: [string, GatewayObject, string][] = [
    [
      "a strategy that is unknown",
      aGateway({ metadata: { annotations: { "ngrok.com/mapping-strategy": "edges" } } }),
      'gateway programmed by the ngrok operator, but for metadata.annotations["ngrok.com/mapping-strategy"]: "edges" is not a mapping strategy: write endpoints, endpoints-collapsed or endpoints-verbose; endpoints is used',
    ],
    [
      "parameters that nobody reads",
      aGateway({ spec: { infrastructure: { parametersRef: { group: "", kind: "ConfigMap", name: "more" } } } }),
      'gateway programmed by the ngrok operator, but for spec.infrastructure.parametersRef: "ConfigMap" is not read, as no kind of parameters is: remove it, and use annotations of the Gateway',
    ],
  ];
  test.for(leftOut)("%s is left out of what is served, and said where that is said", ([, gateway, message]) => {
    expect(messageOf(statusOf([gateway, aWebRoute()]).conditions, "Programmed")).toBe(message);
  });

  const unusable: [string, object, string][] = [
    [
      "of another type than Hostname",
      { type: "IPAddress", value: "192.0.2.1" },
      'AddressNotUsable: spec.addresses[1]: "192.0.2.1" is not a host name of type Hostname, which ngrok could serve: write one or remove it',
    ],
    [
      "without a value",
      { type: "Hostname" },
      "AddressNotAssigned: spec.addresses[1]: has no value, and ngrok assigns none: write a host name, or remove it",
    ],
  ];
  test.for(unusable)("an address %s is not there, and the others are served all the same", ([, address, said]) => {
    const addresses = [{ type: "Hostname", value: "shop.example.com" }, address];
    const { conditions, listeners } = statusOf([aGateway({ spec: { addresses } }), aWebRoute()]);
    const programmed = conditions?.find(({ type }) => type === "Programmed");
    expect([programmed?.status, `${programmed?.reason}: ${programmed?.message}`]).toEqual(["False", said]);
    expect(brief(listeners?.[0]?.conditions)).toContain("Programmed=True Programmed");
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
      "a reserved TCP address, which has no Domain",
      [
        aGateway({
          spec: {
            addresses: [{ type: "Hostname", value: "1.tcp.ngrok.io" }],
            listeners: [{ name: "tcp", port: 20345, protocol: "TCP" }],
          },
        }),
      ],
      ["1.tcp.ngrok.io"],
    ],
    [
      "such an address, of which an earlier release made a Domain that ngrok refused",
      [aGatewayWith({ hostname: "1.tcp.ngrok.io", protocol: "TCP", port: 20345 }), domain("1.tcp.ngrok.io", {})],
      ["1.tcp.ngrok.io"],
    ],
    [
      "what the Domain of another host of TCP says",
      [
        aGatewayWith({ hostname: "db.example.com", protocol: "TCP", port: 20345 }),
        domain("db.example.com", { domain: "db.example.com", cnameTarget: "db.cname" }),
      ],
      ["db.cname"],
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
