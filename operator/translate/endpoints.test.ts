// What virtual hosts become: names, URLs, labels, and which Service's endpoint is the public one.
import { describe, expect, test } from "vitest";
import {
  agentEndpoints,
  backend,
  cloudEndpoints,
  ingress,
  LABELS,
  line,
  rulesOf,
  shape,
  toService,
  translated,
} from "#test/support/translating.ts";

const VERBOSE = { "ngrok.com/mapping-strategy": "endpoints-verbose" };

test("a host of one Service is one AgentEndpoint, complete to the letter", () => {
  const one = ingress("shop", { "shop.example.com": [{ to: "shop" }] });
  const service = backend("shop", { uid: "6f1c0e4e-0000-4000-8000-000000000000" });
  expect(translated([service, one]).endpoints).toEqual([
    {
      apiVersion: "ngrok.k8s.ngrok.com/v1alpha1",
      kind: "AgentEndpoint",
      metadata: { name: "acbcb-shop-default-80", namespace: "default", labels: LABELS },
      spec: {
        url: "https://shop.example.com",
        upstream: { url: "http://shop.default:80" },
        trafficPolicy: {
          inline: {
            on_http_request: [
              {
                name: "Initialize-Local-Service-Match",
                actions: [{ type: "set-vars", config: { vars: [{ request_matched_local_svc: false }] } }],
              },
              {
                name: "Generated-Local-Service-Route",
                expressions: ["req.url.path.startsWith('/')", "vars.request_matched_local_svc == false"],
                actions: [{ type: "set-vars", config: { vars: [{ request_matched_local_svc: true }] } }],
              },
              {
                name: "Fallback-404",
                expressions: ["vars.request_matched_local_svc == false"],
                actions: [
                  {
                    type: "custom-response",
                    config: {
                      status_code: 404,
                      content: "No route was found for this ngrok Endpoint",
                      headers: { "content-type": "text/plain" },
                    },
                  },
                ],
              },
            ],
          },
        },
      },
    },
  ]);
});

test("a verbose host is a CloudEndpoint and an internal AgentEndpoint, complete to the letter", () => {
  const annotations = {
    ...VERBOSE,
    "ngrok.com/pooling-enabled": "true",
    "ngrok.com/bindings": "public",
    "ngrok.com/description": "mine",
  };
  const one = ingress("shop", { "shop.example.com": [{ to: "shop" }] }, { annotations });
  const policy = {
    on_http_request: [
      {
        name: "Generated-Route",
        expressions: ["req.url.path.startsWith('/')"],
        actions: [{ type: "forward-internal", config: { url: "https://e3b0c-shop-default-80.internal" } }],
      },
      {
        name: "Fallback-404",
        actions: [
          {
            type: "custom-response",
            config: {
              status_code: 404,
              content: "No route was found for this ngrok Endpoint",
              headers: { "content-type": "text/plain" },
            },
          },
        ],
      },
    ],
  };
  expect(translated([backend("shop", { uid: "" }), one]).endpoints).toEqual([
    {
      apiVersion: "ngrok.k8s.ngrok.com/v1alpha1",
      kind: "CloudEndpoint",
      metadata: { name: "shop.example.com", namespace: "default", labels: LABELS },
      spec: {
        url: "https://shop.example.com",
        poolingEnabled: true,
        trafficPolicy: { inline: policy, policy },
        bindings: ["public"],
        description: "mine",
      },
    },
    {
      apiVersion: "ngrok.k8s.ngrok.com/v1alpha1",
      kind: "AgentEndpoint",
      metadata: { name: "e3b0c-shop-default-80", namespace: "default", labels: LABELS },
      spec: {
        url: "https://e3b0c-shop-default-80.internal",
        upstream: { url: "http://shop.default:80" },
        description: "mine",
      },
    },
  ]);
});

describe("a host collapses into", () => {
  const services = [backend("a", { uid: "" }), backend("b", { uid: "" }), backend("c", { uid: "" })];
  /** The upstream of the public endpoint of web.example.com; none where it is a CloudEndpoint. */
  const into = (rules: Parameters<typeof ingress>[1], over: Parameters<typeof ingress>[2] = {}) =>
    agentEndpoints(translated([...services, ingress("web", rules, over)])).find(
      ({ spec }) => spec.url === "https://web.example.com",
    )?.spec.upstream.url;
  const web = {
    "web.example.com": [
      { path: "/", to: "a" },
      { path: "/long", to: "b" },
    ],
  };

  test("the Service of its last route, in the order in which routes are tried", () => {
    expect(into(web)).toBe("http://a.default:80");
  });

  test("its default backend, if it has one", () => {
    expect(into(web, { defaultBackend: toService("c") })).toBe("http://c.default:80");
  });

  test("the last that no other host uses", () => {
    expect(into({ ...web, "other.example.com": [{ to: "a" }] })).toBe("http://b.default:80");
    expect(into({ ...web, "other.example.com": [{ to: "c" }] }, { defaultBackend: toService("c") })).toBe(
      "http://a.default:80",
    );
  });

  test("none, if others use all of them", () => {
    expect(into({ ...web, "other.example.com": [{ to: "a" }, { path: "/b", to: "b" }] })).toBeUndefined();
  });

  test("none, if it is verbose", () => {
    expect(into(web, { annotations: VERBOSE })).toBeUndefined();
  });

  test("a Service that several of its own paths lead to", () => {
    expect(
      into({
        "web.example.com": [
          { path: "/x", to: "a" },
          { path: "/y", to: "a" },
        ],
      }),
    ).toBe("http://a.default:80");
  });

  test("its own, whatever other hosts with a default backend do", () => {
    const first = ingress("first", { "a.example.com": [{ to: "a" }] }, { defaultBackend: toService("b") });
    const second = ingress("second", { "c.example.com": [{ to: "c" }] });
    expect(shape(translated([...services, first, second]))).toEqual([
      "https://a.example.com -> http://b.default:80",
      "https://c.example.com -> http://c.default:80",
      "https://e3b0c-a-default-80.internal -> http://a.default:80",
    ]);
  });
});

test("a Service of several hosts has one internal endpoint, and each host leads there", () => {
  const result = translated([
    backend("a", { uid: "" }),
    ingress("web", { "x.example.com": [{ to: "a" }], "y.example.com": [{ to: "a" }] }),
  ]);
  expect(shape(result)).toEqual([
    "https://e3b0c-a-default-80.internal -> http://a.default:80",
    "https://x.example.com",
    "https://y.example.com",
  ]);
  for (const endpoint of cloudEndpoints(result))
    expect(line(rulesOf(endpoint)[0] ?? { actions: [] })).toContain(
      'forward-internal {"url":"https://e3b0c-a-default-80.internal"}',
    );
});
