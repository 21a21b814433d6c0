// What is listened for, and what is said where nothing can be.
import { describe, expect, test } from "vitest";
import { BINDING_SECRET, type KubernetesOperator } from "#api/kubernetes-operator.ts";
import { REPLICA_MESSAGE_LIMIT } from "#api/replica.ts";
import { aBoundEndpoint, aKubernetesOperator } from "#test/support/builders.ts";
import { KnownError } from "#wire/errors.ts";
import { entryOf, ingressOf, pairOf, planListener } from "./plan.ts";

function anOperator(bindingsIngressEndpoint?: string, tlsSecretName = BINDING_SECRET): KubernetesOperator {
  return aKubernetesOperator({
    spec: { enabledFeatures: ["bindings"], binding: { endpointSelectors: ["true"], tlsSecretName } },
    status: bindingsIngressEndpoint === undefined ? {} : { bindingsIngressEndpoint },
  });
}

describe("the listener", () => {
  test("stands at spec.port and asks for host and port of the URL", () => {
    const endpoint = aBoundEndpoint({ spec: { endpointURL: "tcp://db.data:5432", port: 10_007 } });
    expect(planListener(endpoint, anOperator("bindings.example.com:443"))).toEqual({
      is: "serve",
      served: {
        port: 10_007,
        endpoint: { host: "db.data", port: 5432 },
        ingress: { host: "bindings.example.com", port: 443 },
      },
    });
  });

  test("waits for the KubernetesOperator, and says for what of it", () => {
    const reasons = [undefined, aKubernetesOperator(), anOperator(), anOperator(""), anOperator("a:b:443")].map(
      (operator) => {
        const plan = planListener(aBoundEndpoint(), operator);
        return plan.is === "rest" ? [plan.reason, plan.problem] : [];
      },
    );
    const noBinding = ["NotConfigured", "operator does not have binding configuration"];
    const noIngress = ["NotConfigured", "operator binding configuration does not have an ingress endpoint"];
    expect(reasons).toEqual([
      noBinding,
      noBinding,
      noIngress,
      noIngress,
      ["NotConfigured", expect.stringContaining('"a:b:443"')],
    ]);
  });

  test.for([
    { endpointURL: "http://web.shop" },
    { endpointURL: "http://web.shop:0" },
    { endpointURL: "http://web.shop:70000" },
    { port: 0 },
    { port: 65_536 },
    { port: -1 },
  ])("is none for %j", (spec, { expect }) => {
    const plan = planListener(aBoundEndpoint({ spec }), anOperator("b.example.com"));
    expect(plan).toMatchObject({ is: "rest", reason: "InvalidEndpoint", hint: expect.stringContaining("delete it") });
  });
});

test.for([
  ["kubernetes-binding-ingress.ngrok.io:443", { host: "kubernetes-binding-ingress.ngrok.io", port: 443 }],
  ["bindings.example.com", { host: "bindings.example.com", port: 443 }],
  ["192.0.2.7:8443", { host: "192.0.2.7", port: 8443 }],
  ["[2001:db8::7]:8443", { host: "2001:db8::7", port: 8443 }],
  ["[2001:db8::7]", { host: "2001:db8::7", port: 443 }],
  ["2001:db8::7", { host: "2001:db8::7", port: 443 }],
  ["::1", { host: "::1", port: 443 }],
  ["", undefined],
  ["a:b:c", undefined],
  ["host:", undefined],
  ["host:0", undefined],
  ["host:99999", undefined],
  ["https://host:443", undefined],
  ["user@host", undefined],
  ["host name:443", undefined],
] as const)("the ingress at %j", ([text, address], { expect }) => {
  expect(ingressOf(text)).toEqual(address);
});

describe("the certificate", () => {
  const operator = anOperator("b.example.com");
  const base64 = (text: string): string => Buffer.from(text).toString("base64");
  const secret = (data: Record<string, string>) => ({ metadata: { name: BINDING_SECRET }, data });

  test("is what the Secret holds", () => {
    const data = { "tls.crt": base64("a certificate"), "tls.key": base64("a key") };
    expect(pairOf(operator, secret(data))).toEqual({ cert: "a certificate", key: "a key" });
  });

  test("is missed by name, and never shown in part", () => {
    expect(() => pairOf(operator, undefined)).toThrow(`Secret ${BINDING_SECRET} is not there`);
    const half = secret({ "tls.crt": "", "tls.key": base64("very secret") });
    expect(() => pairOf(operator, half)).toThrow(`Secret ${BINDING_SECRET} has no certificate yet`);
    expect(() => pairOf(operator, half)).not.toThrow("very secret");
    expect(() => pairOf(anOperator("b", "another"), half)).toThrow("spec.binding.tlsSecretName");
  });
});

test("an entry holds cause and remedy, and never more than the API server takes", () => {
  expect(entryOf("Listening")).toEqual({ reason: "Listening" });
  const failure = new KnownError("transient", "port 80 cannot be opened", { code: "EACCES", hint: "Take another." });
  expect(entryOf("PortUnavailable", failure)).toEqual({
    reason: "PortUnavailable",
    message: "EACCES: port 80 cannot be opened: Take another.",
  });
  const words = (message: string) =>
    entryOf("UpgradeFailed", new KnownError("invalid", message, { hint: "Look there." }));
  expect(words("binding upgrade failure: [ERR_NGROK_1]: ").message).toBe(
    "binding upgrade failure: [ERR_NGROK_1]: Look there.",
  );
  expect(words("[ERR_NGROK_1]: It is offline.").message).toBe("[ERR_NGROK_1]: It is offline: Look there.");
  expect(entryOf("UpgradeFailed", new Error("x".repeat(5000))).message).toHaveLength(REPLICA_MESSAGE_LIMIT);
});
