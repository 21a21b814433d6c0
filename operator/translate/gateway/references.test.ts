// What has to be watched for a Gateway and a route.
import { expect, test } from "vitest";
import { aGateway, aTCPRoute } from "#test/support/builders.ts";
import { aRule, aWebRoute } from "#test/support/gateway-ground.ts";
import { referencesOfGateway, referencesOfRoute } from "./references.ts";

test("a Gateway refers to hosts, Secrets, ConfigMaps, its policy, and to what others have to grant", () => {
  const listener = { port: 443, protocol: "HTTPS" };
  const gateway = aGateway({
    metadata: { annotations: { "k8s.ngrok.com/traffic-policy": "mine" } },
    spec: {
      addresses: [{ type: "Hostname", value: "A.example.com" }],
      listeners: [
        {
          ...listener,
          name: "a",
          hostname: "*.Example.com",
          tls: { certificateRefs: [{ name: "cert" }, { name: "second" }] },
        },
        { ...listener, name: "b", tls: { certificateRefs: [{ name: "cert", namespace: "vault" }] } },
        { ...listener, name: "c", hostname: "a.example.com", tls: { certificateRefs: [{ name: "cert" }] } },
      ],
      tls: {
        backend: { clientCertificateRef: { name: "client", namespace: "clients" } },
        frontend: {
          default: {
            validation: { caCertificateRefs: [{ name: "ca" }, { name: "ca", namespace: "trust" }, { name: "last" }] },
          },
        },
      },
    },
  });
  expect(referencesOfGateway(gateway)).toEqual({
    hosts: ["a.example.com", "*.example.com"],
    secrets: ["default/cert", "vault/cert", "clients/client"],
    configMaps: ["default/ca", "trust/ca", "default/last"],
    policies: ["default/mine"],
    needs: [
      "default secret vault/cert",
      "default secret vault/",
      "default secret clients/client",
      "default secret clients/",
      "default configmap trust/ca",
      "default configmap trust/",
      // Wherever its Services stand.
      "default secret /client",
      "default secret /",
    ],
  });
});

test("one's own namespace needs no grant, wherever the reference stands", () => {
  const tls = {
    frontend: { default: { validation: { caCertificateRefs: [{ name: "ca", namespace: "trust" }, { name: "ca" }] } } },
  };
  expect(referencesOfGateway(aGateway({ spec: { tls } })).needs).toEqual([
    "default configmap trust/ca",
    "default configmap trust/",
  ]);
});

test("a Gateway that says little refers to little", () => {
  expect(referencesOfGateway(aGateway())).toEqual({
    hosts: ["shop.example.com"],
    secrets: [],
    configMaps: [],
    policies: [],
    needs: [],
  });
});

test("a route refers to Gateways, Services, the policies of its filters, and to what others have to grant", () => {
  const policy = (name: string): { type: string; extensionRef: { kind: string; name: string } } => ({
    type: "ExtensionRef",
    extensionRef: { kind: "ngroktrafficpolicy", name },
  });
  const route = aWebRoute({
    parentRefs: [{ name: "edge" }, { name: "edge", namespace: "infra" }, { kind: "Service", group: "", name: "mesh" }],
    rules: [
      aRule({ filters: [policy("a"), { type: "ExtensionRef", extensionRef: { kind: "Other", name: "x" } }] }),
      aRule({
        backendRefs: [
          { name: "shop", port: 80, filters: [policy("b")] },
          { name: "shop", namespace: "team", port: 80 },
          { name: "", port: 80 },
          { kind: "Bucket", name: "shop", port: 80 },
        ],
      }),
    ],
  });
  expect(referencesOfRoute(route)).toEqual({
    gateways: ["default/edge", "infra/edge"],
    services: ["default/shop", "team/shop"],
    policies: ["default/a", "default/b"],
    needs: ["default service team/shop", "default service team/"],
  });
});

test("a TCPRoute refers to its Services", () => {
  expect(referencesOfRoute(aTCPRoute())).toMatchObject({ services: ["default/database"], policies: [], needs: [] });
});
