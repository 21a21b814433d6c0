// What a LoadBalancer Service is told although it is served: something of it is not what its writer may think.
import { describe, expect, test } from "vitest";
import { NOTE_MAX } from "#kube/event.ts";
import type { ServicePort } from "#kube/kinds.ts";
import { anNgrokTrafficPolicy, aService } from "#test/support/builders.ts";
import { OPTIONS, said } from "#test/support/translating.ts";
import { index } from "./manifests.ts";
import { translateAll } from "./translate.ts";

const of = (...objects: Parameters<typeof index>[0]) => translateAll(index(objects), OPTIONS);

/** What is told of a Service that is served, but for what is known only in a cluster. */
function toldOf(...objects: Parameters<typeof index>[0]): string[] {
  const translation = of(...objects);
  expect(translation.endpoints).toHaveLength(1);
  return said(translation).filter((line) => !line.startsWith("pending"));
}

describe("ranges of those who may connect", () => {
  const ranged = (annotations: Record<string, string> = {}, ...ranges: string[]) =>
    aService({ metadata: { annotations }, spec: { loadBalancerSourceRanges: ["10.0.0.0/8", ...ranges] } });
  const named = { "ngrok.com/traffic-policy": "office" };
  const office = (type: string, phase = "on_tcp_connect") =>
    anNgrokTrafficPolicy({
      metadata: { name: "office" },
      spec: { policy: { [phase]: [{ actions: [{ type, config: { enforce: true } }] }] } },
    });
  const web = { ...named, "ngrok.com/url": "https://db.example.com" };

  test.for([
    ["no policy", [ranged()]],
    ["a policy that lets everybody in", [ranged(named), office("log")]],
    ["the binding public", [ranged({ "ngrok.com/bindings": "public" })]],
    ["a policy for requests, at an address of TCP", [ranged(named), office("deny", "on_http_request")]],
    ["a policy for responses, at a URL of https", [ranged(web), office("deny", "on_http_response")]],
  ] as const)("with %s are told: nobody keeps to them, and the Service is served as ever", ([, objects]) => {
    expect(toldOf(...objects)).toEqual([
      "ignored Service default/database spec.loadBalancerSourceRanges: is not read, everybody may connect: write an NgrokTrafficPolicy with on_tcp_connect (restrict-ips) and name it by ngrok.com/traffic-policy",
    ]);
  });

  test("in the annotation that Kubernetes reads where the field is empty are told with its name", () => {
    const annotated = (ranges: string) =>
      toldOf(
        aService({ metadata: { annotations: { "service.beta.kubernetes.io/load-balancer-source-ranges": ranges } } }),
      );
    expect(annotated("10.0.0.0/8, 192.168.0.0/16")).toEqual([
      expect.stringContaining(
        'metadata.annotations["service.beta.kubernetes.io/load-balancer-source-ranges"]: is not read, everybody may connect',
      ),
    ]);
    expect([...annotated("10.0.0.0/8, 0.0.0.0/0"), ...annotated(" ")]).toEqual([]);
  });

  test.for(["restrict-ips", "deny"])("with a policy of %s in their place are nothing to say a word about", (type) => {
    expect(toldOf(ranged(named), office(type))).toEqual([]);
  });

  test.for(["http", "https"])(
    "with a policy for requests in their place are not told either, at a URL of %s",
    (scheme) => {
      const annotations = { ...named, "ngrok.com/url": `${scheme}://db.example.com` };
      expect(toldOf(ranged(annotations), office("restrict-ips", "on_http_request"))).toEqual([]);
    },
  );

  test.for([
    [
      "the binding internal",
      ranged({ "ngrok.com/bindings": "internal", "ngrok.com/url": "tcp://db.example.com:5432" }),
    ],
    ["the binding kubernetes", ranged({ "ngrok.com/bindings": "kubernetes", "ngrok.com/url": "tcp://db.data:5432" })],
    ["a host that is internal", ranged({ "ngrok.com/url": "tcp://db.internal:5432" })],
    ["everybody among them", ranged({}, "0.0.0.0/0")],
    ["everybody of IPv6 among them", ranged({}, " ::/0")],
  ] as const)("with %s keep nobody out who could come in", ([, service]) => {
    expect(toldOf(service)).toEqual([]);
  });

  test("of which there are none, and those of a Service that is refused, are not told either", () => {
    expect(toldOf(aService({ spec: { loadBalancerSourceRanges: [] } }))).toEqual([]);
    expect(said(of(ranged(named))).join()).not.toContain("loadBalancerSourceRanges");
  });
});

describe("ports", () => {
  const upstreams = (...ports: ServicePort[]) =>
    of(aService({ spec: { ports } })).endpoints.map(({ spec }) => ("upstream" in spec ? spec.upstream.url : ""));
  const told = (...ports: ServicePort[]) => toldOf(aService({ spec: { ports } }));
  const at = (place: number, reason: string): string =>
    `ignored Service default/database spec.ports[${place}]: ${reason}`;
  const dns = { name: "dns", port: 53, protocol: "UDP" };
  const dnsTcp = { name: "dns-tcp", port: 53, protocol: "TCP" };

  test("after the first are told, all in one word, and the first is served as ever", () => {
    const ports = [{ name: "mqtt", port: 1883 }, { name: "mqtts", port: 8883 }, { port: 9001 }];
    expect(upstreams(...ports)).toEqual(["tcp://database.default.svc.cluster.local:1883"]);
    expect(told(...ports)).toEqual([
      at(1, "only the first port is served, and not 8883 (mqtts), 9001: make a Service of its own for each"),
    ]);
  });

  test("of which there are hundreds leave room for what to do about them", () => {
    const ports = Array.from({ length: 200 }, (_, at) => ({ name: `a-name-of-15-${at}`, port: 30_000 + at }));
    const [line = ""] = told(...ports);
    expect(line.length).toBeLessThan(NOTE_MAX);
    expect(line).toContain("30010 (a-name-of-15-10) and 189 more: make a Service of its own for each");
    expect(told(...ports.slice(0, 11)).join()).not.toContain("more");
  });

  test("of UDP alone lead to nobody, which is told, and are served as ever", () => {
    expect(upstreams(dns)).toEqual(["tcp://database.default.svc.cluster.local:53"]);
    expect(told(dns)).toEqual([
      at(
        0,
        "UDP is not carried, and nobody answers at the TCP address that stands for it: put a port of TCP first, or use another class",
      ),
    ]);
  });

  test.for([
    ["behind it", [dnsTcp, dns], 1],
    ["before it", [dns, dnsTcp], 0],
  ] as const)("of UDP beside TCP of the same number, %s, are told of UDP: TCP is served", ([, ports, place]) => {
    expect(upstreams(...ports)).toEqual(["tcp://database.default.svc.cluster.local:53"]);
    expect(told(...ports)).toEqual([
      at(place, "UDP is not carried, and only TCP is: make a Service of another class for it, if it is needed"),
    ]);
  });
});
