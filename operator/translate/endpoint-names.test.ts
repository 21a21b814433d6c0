// How the endpoints of virtual hosts are called and addressed, what is written on them, and who of two has an address.
import { describe, expect, test } from "vitest";
import { LABELS, OPTIONS } from "#test/support/translating.ts";
import { endpointsOf } from "./endpoints.ts";
import type { ServiceTarget, VirtualHost } from "./model.ts";

const SERVICE: ServiceTarget = {
  uid: "",
  namespace: "shop",
  name: "web",
  port: 8080,
  scheme: "http://",
  clientCertRefs: [],
};

function host(over: Partial<VirtualHost> = {}, service: Partial<ServiceTarget> = {}): VirtualHost {
  return {
    namespace: "shop",
    listener: { hostname: "web.example.com", port: 443, protocol: "HTTPS" },
    routes: [
      {
        trafficPolicies: [],
        destinations: [{ upstream: { service: { ...SERVICE, ...service } }, trafficPolicies: [] }],
      },
    ],
    clientCertRefs: [],
    labelsToAdd: {},
    annotationsToAdd: {},
    owningResources: ["Gateway shop/edge"],
    metadata: "",
    description: "",
    bindings: [],
    mappingStrategy: "endpoints-verbose",
    ...over,
  };
}

function made(hosts: readonly VirtualHost[], options = OPTIONS) {
  return endpointsOf(hosts, options).endpoints.map(
    ({ metadata, spec }) => `${metadata.namespace}/${metadata.name} ${spec.url}`,
  );
}

describe("names and URLs", () => {
  test.for([
    ["HTTPS", 443, "https://web.example.com", "https://e3b0c-web-shop-8080.internal"],
    ["HTTPS", 8443, "https://web.example.com:8443", "https://e3b0c-web-shop-8080.internal"],
    ["HTTP", 80, "http://web.example.com", "http://e3b0c-web-shop-8080.internal"],
    ["HTTP", 8080, "http://web.example.com:8080", "http://e3b0c-web-shop-8080.internal"],
    ["TCP", 5432, "tcp://web.example.com:5432", "tcp://e3b0c-web-shop.internal:8080"],
    ["TLS", 443, "tls://web.example.com:443", "tls://e3b0c-web-shop.internal:8080"],
  ] as const)("of %s on port %d", ([protocol, port, url, internal], { expect }) => {
    const listener = { hostname: "web.example.com", port, protocol };
    expect(made([host({ listener })])).toEqual([`shop/web.example.com ${url}`, `shop/e3b0c-web-shop-8080 ${internal}`]);
  });

  test("of a wildcard host", () => {
    const listener = { hostname: "*.example.com", port: 443, protocol: "HTTPS" } as const;
    expect(made([host({ listener })])[0]).toBe("shop/wildcard.example.com https://*.example.com");
  });

  test("of a Gateway's host begin with the Gateway", () => {
    expect(made([host({ namePrefix: "edge.shop.9000" })])[0]).toBe(
      "shop/edge.shop.9000-web.example.com https://web.example.com",
    );
  });

  test("of a Service lie in its namespace", () => {
    expect(made([host({}, { namespace: "other" })])[1]).toBe(
      "other/e3b0c-web-other-8080 https://e3b0c-web-other-8080.internal",
    );
  });

  test("of a Service with client certificates say which, by a hash of `name.namespace` of each", () => {
    const cert = { name: "cert", namespace: "shop" };
    const named = (...clientCertRefs: (typeof cert)[]) =>
      endpointsOf([host({}, { clientCertRefs })], OPTIONS).endpoints;
    const endpoints = named(cert);
    expect(endpoints[1]?.metadata.name).toBe("e3b0c-web-shop-mtls-b6bc3-8080");
    expect(named(cert, { name: "other", namespace: "edge" })[1]?.metadata.name).toBe("e3b0c-web-shop-mtls-8b2d1-8080");
    expect(endpoints[1]?.spec).toMatchObject({ clientCertificateRefs: [{ name: "cert" }] });
    expect(endpoints[1]?.spec.url).toBe(`https://${endpoints[1]?.metadata.name}.internal`);
  });

  test("of a cluster with another domain say so, and the upstream is one that resolves", () => {
    const { endpoints } = endpointsOf([host()], { ...OPTIONS, clusterDomain: "svc.k8s.example" });
    expect(endpoints[1]).toMatchObject({
      metadata: { name: "e3b0c-web-shop-svc.k8s.example-8080" },
      spec: {
        url: "https://e3b0c-web-shop-svc-k8s-example-8080.internal",
        upstream: { url: "http://web.shop.svc.k8s.example:8080" },
      },
    });
  });

  test("that are too long are cut at 54 characters and end in a hash; the URL is not", () => {
    const name = "w".repeat(50);
    const [, internal] = made([host({}, { name })]);
    expect(internal).toBe(`shop/e3b0c-${"w".repeat(48)}-69e60f8d https://e3b0c-${name}-shop-8080.internal`);
  });

  test("are never given twice: http and https of one Gateway's host, the https one keeps the plain name", () => {
    const both = [
      host({ namePrefix: "edge.shop", listener: { hostname: "web.example.com", port: 80, protocol: "HTTP" } }),
      host({ namePrefix: "edge.shop" }),
    ];
    for (const hosts of [both, both.toReversed()]) {
      expect(made(hosts).sort()).toEqual([
        "shop/e3b0c-web-shop-8080 https://e3b0c-web-shop-8080.internal",
        "shop/edge.shop-web.example.com https://web.example.com",
        "shop/edge.shop-web.example.com-5af274cb http://web.example.com",
      ]);
    }
  });

  test("are never given twice: one port that is spoken to in two ways is two endpoints", () => {
    const { endpoints } = endpointsOf([host({}, { protocol: "http2" }), host({ namePrefix: "edge" })], OPTIONS);
    const internal = endpoints.filter(({ kind }) => kind === "AgentEndpoint");
    expect(internal.map(({ metadata }) => metadata.name)).toEqual([
      "e3b0c-web-shop-8080",
      "e3b0c-web-shop-8080-f4af40e6",
    ]);
    expect(new Set(internal.map(({ spec }) => spec.url)).size).toBe(2);
  });
});

describe("labels and annotations", () => {
  test("of a Gateway's infrastructure stand on the endpoints of its hosts, and on no others", () => {
    const labelsToAdd = { team: "shop", "ngrok.com/controller-name": "somebody-else" };
    const hosts = [
      host({ namePrefix: "edge", labelsToAdd, annotationsToAdd: { note: "x" } }),
      host({ listener: { hostname: "b.example.com", port: 443, protocol: "HTTPS" } }, { name: "other" }),
    ];
    const found = endpointsOf(hosts, OPTIONS).endpoints.map(({ metadata }) => [
      metadata.name,
      metadata.labels,
      metadata.annotations,
    ]);
    expect(found).toEqual([
      ["edge-web.example.com", { team: "shop", ...LABELS }, { note: "x" }],
      ["b.example.com", LABELS, undefined],
      ["e3b0c-web-shop-8080", { team: "shop", ...LABELS }, { note: "x" }],
      ["e3b0c-other-shop-8080", LABELS, undefined],
    ]);
  });
});

test("a client certificate of another namespace than the Service is named, and said to be missing there", () => {
  const clientCertRefs = [{ name: "cert", namespace: "certs" }];
  const { problems } = endpointsOf([host({}, { clientCertRefs })], OPTIONS);
  expect(problems).toEqual([
    {
      object: "Gateway shop/edge",
      field: "spec.tls.backend.clientCertificateRef",
      reason: "the agents look for Secret cert in shop, where Service web is: put a copy of certs/cert there",
      effect: "ignored",
      host: "web.example.com",
    },
  ]);
});

describe("one address of two hosts", () => {
  const ingressHost = host({ owningResources: ["Ingress shop/web"] });
  const gatewayHost = host({ namePrefix: "edge.shop", owningResources: ["Gateway shop/edge", "HTTPRoute shop/web"] });

  test("is said, since ngrok takes CloudEndpoints only where both pool", () => {
    expect(endpointsOf([ingressHost, gatewayHost], OPTIONS).problems).toEqual([
      {
        object: "Gateway shop/edge",
        field: "spec.listeners",
        reason:
          "Ingress shop/web serves https://web.example.com too, and ngrok takes several endpoints on one address only where all pool: annotate both with pooling-enabled, or choose another host",
        effect: "ignored",
        host: "web.example.com",
      },
    ]);
  });

  test.for([
    ["two AgentEndpoints, whatever their annotations say", { mappingStrategy: "endpoints", poolingEnabled: false }],
    ["an AgentEndpoint and a CloudEndpoint that pools", { poolingEnabled: true }],
  ] as const)("is taken by ngrok for %s: what comes is shared out, and that is said", ([, over]) => {
    const collapsed = host({ mappingStrategy: "endpoints", owningResources: ["Ingress shop/web"] });
    const second = { ...gatewayHost, ...over, routes: host({}, { name: "other" }).routes };
    expect(endpointsOf([collapsed, second], OPTIONS).problems).toEqual([
      {
        object: "Gateway shop/edge",
        field: "spec.listeners",
        reason:
          "Ingress shop/web serves https://web.example.com too, and as AgentEndpoints always pool, ngrok shares out what comes between the two: annotate both with pooling-enabled if that is meant, or choose another host",
        effect: "ignored",
        host: "web.example.com",
      },
    ]);
  });

  test("is refused by ngrok for an AgentEndpoint and a CloudEndpoint that does not pool", () => {
    const second = { ...gatewayHost, mappingStrategy: "endpoints" as const };
    const { endpoints, problems } = endpointsOf([host({}, { name: "other" }), second], OPTIONS);
    expect(endpoints.map(({ kind }) => kind)).toEqual(["CloudEndpoint", "AgentEndpoint", "AgentEndpoint"]);
    expect(problems).toMatchObject([{ reason: expect.stringContaining("only where all pool: annotate both") }]);
  });

  test("is nothing to say a word about where both say it", () => {
    const pooled = [ingressHost, gatewayHost].map((one) => ({ ...one, poolingEnabled: true }));
    expect(endpointsOf(pooled, OPTIONS).problems).toEqual([]);
  });
});
