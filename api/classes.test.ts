import { describe, expect, test } from "vitest";
import {
  GATEWAY_CONTROLLER,
  INGRESS_CONTROLLER,
  INGRESS_CONTROLLER_LEGACY,
  isOurGateway,
  isOurIngress,
  isOurIngressClass,
  isOurRoute,
  isOurService,
  parentGatewaysOf,
} from "./classes.ts";

function ingressClass(name: string, controller: string, isDefault = false): Parameters<typeof isOurIngressClass>[0] {
  const annotations = { "ingressclass.kubernetes.io/is-default-class": String(isDefault) };
  return { metadata: { name, annotations }, spec: { controller } };
}

function ingress(ingressClassName?: string): Parameters<typeof isOurIngress>[0] {
  return { metadata: { name: "shop", namespace: "default" }, spec: ingressClassName ? { ingressClassName } : {} };
}

describe("an IngressClass", () => {
  test.for([
    [INGRESS_CONTROLLER, INGRESS_CONTROLLER, true],
    [INGRESS_CONTROLLER, INGRESS_CONTROLLER_LEGACY, true],
    [INGRESS_CONTROLLER_LEGACY, INGRESS_CONTROLLER, true],
    ["acme.example/ingress", "acme.example/ingress", true],
    ["acme.example/ingress", INGRESS_CONTROLLER, false],
    [INGRESS_CONTROLLER, "acme.example/ingress", false],
  ] as const)("of an operator named %s with controller %s is ours: %s", ([configured, found, ours], { expect }) => {
    expect(isOurIngressClass(ingressClass("a", found), configured)).toBe(ours);
  });

  test("without a controller is nobody's", () => {
    expect(isOurIngressClass({ metadata: { name: "a" } })).toBe(false);
  });
});

describe("an Ingress", () => {
  const classes = [
    ingressClass("ngrok", INGRESS_CONTROLLER_LEGACY),
    ingressClass("nginx", "k8s.io/ingress-nginx", true),
  ];

  test("is ours when it names a class of ours", () => {
    expect(isOurIngress(ingress("ngrok"), classes)).toBe(true);
    expect(isOurIngress(ingress("nginx"), classes)).toBe(false);
    expect(isOurIngress(ingress("absent"), classes)).toBe(false);
  });

  test("without a class is ours only when a class of ours is the default", () => {
    expect(isOurIngress(ingress(), classes)).toBe(false);
    expect(isOurIngress(ingress(), [ingressClass("ngrok", INGRESS_CONTROLLER, true)])).toBe(true);
  });
});

test.for([
  ["LoadBalancer", "ngrok", true],
  ["LoadBalancer", "metallb", false],
  ["ClusterIP", "ngrok", false],
] as const)("a Service of type %s and class %s is ours: %s", ([type, loadBalancerClass, ours], { expect }) => {
  expect(isOurService({ metadata: { name: "db" }, spec: { type, loadBalancerClass } })).toBe(ours);
});

describe("a Gateway and its routes", () => {
  const classes = [
    { metadata: { name: "ngrok" }, spec: { controllerName: GATEWAY_CONTROLLER } },
    { metadata: { name: "istio" }, spec: { controllerName: "istio.io/gateway-controller" } },
  ];
  const gateway = { metadata: { name: "edge", namespace: "infra" }, spec: { gatewayClassName: "ngrok" } };

  test("a Gateway is ours by its class", () => {
    expect(isOurGateway(gateway, classes)).toBe(true);
    expect(isOurGateway({ ...gateway, spec: { gatewayClassName: "istio" } }, classes)).toBe(false);
    expect(isOurGateway({ metadata: { name: "bare" } }, [{ metadata: { name: "x" } }])).toBe(false);
  });

  test("a route is ours when one of its parents is, in the namespace that it means", () => {
    const metadata = { name: "route", namespace: "shop" };
    const route = (...parentRefs: { name: string; namespace?: string; kind?: string; group?: string }[]) => ({
      metadata,
      spec: { parentRefs },
    });
    expect(isOurRoute(route({ name: "other" }, { name: "edge", namespace: "infra" }), [gateway])).toBe(true);
    expect(isOurRoute(route({ name: "edge" }), [gateway])).toBe(false);
    expect(isOurRoute(route({ name: "edge", namespace: "infra", kind: "Service", group: "" }), [gateway])).toBe(false);
    expect(isOurRoute({ metadata }, [gateway])).toBe(false);
  });

  test("parents carry Gateway API's defaults", () => {
    const route = { metadata: { name: "route", namespace: "shop" }, spec: { parentRefs: [{ name: "edge" }] } };
    expect(parentGatewaysOf(route)).toEqual([{ name: "edge", namespace: "shop" }]);
  });
});
