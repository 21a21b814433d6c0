// Where the backends of an Ingress lead, and how their Services are spoken to.
import { describe, expect, test } from "vitest";
import type { ServiceObject } from "#kube/kinds.ts";
import type { IngressBackend } from "#kube/routing-objects.ts";
import { anNgrokTrafficPolicy } from "#test/support/builders.ts";
import {
  agentEndpoints,
  backend,
  cloudEndpoints,
  ingress,
  line,
  rulesOf,
  said,
  shape,
  toService,
  translated,
} from "#test/support/translating.ts";

const shop = backend("shop", { uid: "" });

describe("a backend", () => {
  const ports = [{ name: "http", port: 80 }, { name: "admin", port: 8080 }, { port: 9000 }];
  const to = (service: NonNullable<IngressBackend["service"]>) =>
    translated([backend("shop", { ports }), ingress("shop", { "shop.example.com": [{ to: { service } }] })]);

  test.for([
    ["by number", { name: "shop", port: { number: 8080 } }, "http://shop.default:8080"],
    ["by name", { name: "shop", port: { name: "admin" } }, "http://shop.default:8080"],
    ["by the number of a port without a name", { name: "shop", port: { number: 9000 } }, "http://shop.default:9000"],
  ] as const)("finds its port %s", ([, service, upstream], { expect }) => {
    expect(agentEndpoints(to(service)).map(({ spec }) => spec.upstream.url)).toEqual([upstream]);
  });

  test.for([
    [
      "of a number that no port has",
      { name: "shop", port: { number: 81 } },
      "Service default/shop has no port 81: name one of its own, 80 (http) or 8080 (admin) or 9000",
    ],
    [
      "of a name that no port has",
      { name: "shop", port: { name: "web" } },
      'Service default/shop has no port "web": name one of its own, 80 (http) or 8080 (admin) or 9000',
    ],
    ["without a port", { name: "shop" }, 'Service default/shop has no port "": name one of its own'],
    [
      "of no Service",
      { name: "gone", port: { number: 80 } },
      "Service default/gone does not exist: create it or name another",
    ],
  ] as const)("%s is refused", ([, service, reason], { expect }) => {
    expect(said(to(service))[0]).toContain(
      `refused Ingress default/shop spec.rules[0].http.paths[0].backend.service: ${reason}`,
    );
  });

  test("of a number that is there for UDP too means the port of TCP, and what that says", () => {
    const both = [
      { name: "dns", port: 53, protocol: "UDP" },
      { name: "doh", port: 53, protocol: "TCP", appProtocol: "kubernetes.io/h2c" },
    ];
    const one = ingress("dns", { "dns.example.com": [{ to: toService("dns", 53) }] });
    const [endpoint] = agentEndpoints(translated([backend("dns", { ports: both }), one]));
    expect(endpoint?.spec.upstream).toEqual({ url: "http://dns.default:53", protocol: "http2" });
  });

  test("of a Service without ports is refused, and is told to add some", () => {
    expect(
      said(translated([backend("shop", { ports: [] }), ingress("shop", { "shop.example.com": [{ to: "shop" }] })]))[0],
    ).toBe(
      "refused Ingress default/shop spec.rules[0].http.paths[0].backend.service: Service default/shop has no ports: add spec.ports",
    );
  });

  test("whose port asks for TLS by appProtocol is served as ever, and told the annotation that is read", () => {
    const shopOnTls = backend("shop", { ports: [{ name: "web", port: 80, appProtocol: "https" }] });
    const found = translated([shopOnTls, ingress("shop", { "shop.example.com": [{ to: "shop" }] })]);
    expect(shape(found)).toEqual(["https://shop.example.com -> http://shop.default:80"]);
    expect(said(found)).toEqual([
      'ignored Service default/shop spec.ports[0].appProtocol: https is not read, and the agents speak HTTP without TLS to this port: write the annotation ngrok.com/app-protocols, with {"web":"HTTPS"}',
    ]);
  });

  describe("of a headless Service", () => {
    const headless = (targetPort: number | string | undefined, clusterIP = "None") => {
      const port = { port: 80, ...(targetPort !== undefined && { targetPort }) };
      const service = backend("shop", { ports: [{ port: 9000 }, port] });
      const one = ingress("shop", { "shop.example.com": [{ to: "shop" }] });
      const headed: ServiceObject = { ...service, spec: { ...service.spec, clusterIP } };
      return translated([headed, one]);
    };

    test("with pods that listen elsewhere is served as ever, and the Service is told that nobody answers", () => {
      expect(shape(headless(8080))).toEqual(["https://shop.example.com -> http://shop.default:80"]);
      expect(said(headless(8080))).toEqual([
        "ignored Service default/shop spec.ports[1].targetPort: is passed over, since the Service is headless: the agents reach pods directly, at port 80: make both the same",
      ]);
    });

    test("with pods that listen there, or at a port by name, is nothing to say a word about; nor is any other Service", () => {
      for (const targetPort of [80, "web", undefined]) expect(said(headless(targetPort))).toEqual([]);
      expect(said(headless(8080, "10.0.0.1"))).toEqual([]);
    });
  });

  test("that is refused leaves the other paths", () => {
    const one = ingress("shop", {
      "shop.example.com": [
        { path: "/a", to: "gone" },
        { path: "/b", to: "shop" },
      ],
    });
    expect(shape(translated([shop, one]))).toEqual(["https://shop.example.com -> http://shop.default:80"]);
  });

  test("by default that is refused leaves out the Ingress", () => {
    const one = ingress("shop", { "shop.example.com": [{ to: "shop" }] }, { defaultBackend: toService("gone") });
    expect(translated([shop, one]).endpoints).toEqual([]);
  });

  test("can be an NgrokTrafficPolicy: its rules stand under the path", () => {
    for (const apiGroup of [undefined, "ngrok.k8s.ngrok.com"]) {
      const resource = { kind: "NgrokTrafficPolicy", name: "hello", ...(apiGroup !== undefined && { apiGroup }) };
      const one = ingress("shop", { "shop.example.com": [{ path: "/hi", type: "Exact", to: { resource } }] });
      const [endpoint] = cloudEndpoints(translated([anNgrokTrafficPolicy(), one]));
      expect(rulesOf(endpoint).map(line)[0]).toBe(
        ` [req.url.path == '/hi'] custom-response {"status_code":200,"body":"hello"}`,
      );
    }
  });

  test.for([
    [
      "of another kind",
      { kind: "ConfigMap", name: "hello" },
      "/ConfigMap cannot be a backend: name an NgrokTrafficPolicy",
    ],
    [
      "of another group",
      { kind: "NgrokTrafficPolicy", apiGroup: "example.com", name: "hello" },
      "example.com/NgrokTrafficPolicy cannot be a backend",
    ],
    [
      "that does not exist",
      { kind: "NgrokTrafficPolicy", name: "gone" },
      "NgrokTrafficPolicy gone is not in namespace default: create it or name another",
    ],
    ["with rules for connections", { kind: "NgrokTrafficPolicy", name: "tcp" }, "has on_tcp_connect rules"],
    [
      "that cannot be read",
      { kind: "NgrokTrafficPolicy", name: "bad" },
      "NgrokTrafficPolicy default/bad cannot be used, since its spec.policy.inbound is not a phase that ngrok knows: write on_http_request",
    ],
  ] as const)("that is a resource %s is refused", ([, resource, reason], { expect }) => {
    const policies = [
      anNgrokTrafficPolicy(),
      anNgrokTrafficPolicy({
        metadata: { name: "tcp" },
        spec: { policy: { on_tcp_connect: [{ actions: [{ type: "deny" }] }] } },
      }),
      anNgrokTrafficPolicy({ metadata: { name: "bad" }, spec: { policy: { inbound: [] } } }),
    ];
    const one = ingress("shop", { "shop.example.com": [{ to: { resource } }] });
    expect(said(translated([...policies, one]))).toEqual([
      expect.stringContaining(`refused Ingress default/shop spec.rules[0].http.paths[0].backend.resource: `),
    ]);
    expect(said(translated([...policies, one]))[0]).toContain(reason);
  });
});

describe("the Service says how to speak to it", () => {
  const upstream = (over: Parameters<typeof backend>[1]) => {
    const result = translated([backend("shop", over), ingress("shop", { "shop.example.com": [{ to: "shop" }] })]);
    return { ...agentEndpoints(result)[0]?.spec.upstream, said: said(result) };
  };

  test.for([
    ['{"http":"HTTPS"}', "https://shop.default:80"],
    ['{"http":"https"}', "https://shop.default:80"],
    ['{"http":"TCP"}', "tcp://shop.default:80"],
    ['{"http":"tls"}', "tls://shop.default:80"],
    ['{"other":"HTTPS"}', "http://shop.default:80"],
  ] as const)("app-protocols %s: %s", ([value, url], { expect }) => {
    for (const prefix of ["ngrok.com", "k8s.ngrok.com"])
      expect(upstream({ annotations: { [`${prefix}/app-protocols`]: value } })).toEqual({ url, said: [] });
  });

  test.for(["not JSON", "[]", '{"http":"GOPHER"}', '{"http":7}'])(
    "app-protocols %s is ignored",
    (value, { expect }) => {
      const { url, said } = upstream({ annotations: { "ngrok.com/app-protocols": value } });
      expect(url).toBe("http://shop.default:80");
      expect(said).toEqual([
        expect.stringContaining('ignored Service default/shop metadata.annotations["ngrok.com/app-protocols"]: '),
      ]);
    },
  );

  test.for([
    ["ngrok.com/http2", "http2"],
    ["k8s.ngrok.com/http2", "http2"],
    ["kubernetes.io/h2c", "http2"],
    ["http", "http1"],
    ["kubernetes.io/ws", undefined],
    ["constructor", undefined],
  ] as const)("appProtocol %s: %s", ([appProtocol, protocol], { expect }) => {
    expect(upstream({ ports: [{ port: 80, appProtocol }] }).protocol).toBe(protocol);
  });
});
