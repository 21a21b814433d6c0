// The api-manager's command line as the chart gives it, and what follows from it.
import { expect, test } from "vitest";
import { translationOptions } from "../../endpoint/translation-options.ts";
import { parseFlags } from "../../runtime/flags.ts";
import { apiManager, leaseOf, optionsOf, releaseOf } from "./manager.ts";

function flags(...argv: string[]) {
  return parseFlags(apiManager.flags, argv);
}

test("features are registered in one order, whatever is on", () => {
  expect(optionsOf(flags(), "1.0").features).toEqual(["ingress", "gateway"]);
  expect(optionsOf(flags("--enable-feature-bindings", "--enable-feature-ingress=false"), "1.0").features).toEqual([
    "gateway",
    "bindings",
  ]);
});

test("GatewayClasses are known by the name that the flag gives", () => {
  const name = (...argv: string[]) => optionsOf(flags(...argv), "1.0").routing?.gatewayControllerName;
  expect(name()).toBe("ngrok.com/gateway-controller");
  expect(name("--gateway-controller-name=example.com/edge")).toBe("example.com/edge");
  expect(() => flags("--gateway-controller-name=")).toThrow("--gateway-controller-name=: it is empty");
});

/** What the translator is told on this command line. */
function translating(...argv: string[]) {
  const given = flags("--release-name=edge", ...argv);
  return translationOptions(releaseOf(given, "ops"), optionsOf(given, "1.0"));
}

test("the translator is told what the flags say by themselves", () => {
  expect(translating()).toEqual({
    managerNamespace: "ops",
    managerName: "ngrok-ingress-controller-manager",
    clusterDomain: "svc.cluster.local",
    referenceGrants: true,
    ingressControllerName: "ngrok.com/ingress-controller",
    gatewayControllerName: "ngrok.com/gateway-controller",
    stamp: "ops/edge",
    domainReclaimPolicy: "Delete",
  });
});

test.for([
  ["--disable-reference-grants", { referenceGrants: false }],
  ["--disable-reference-grants=false", { referenceGrants: true }],
  ["--default-domain-reclaim-policy=Retain", { domainReclaimPolicy: "Retain" }],
  ["--cluster-domain=svc.k8s.example", { clusterDomain: "svc.k8s.example" }],
  ["--ngrokMetadata=team=shop,env=prod", { ngrokMetadata: { team: "shop", env: "prod" } }],
  ["--ingress-controller-name=example.com/web", { ingressControllerName: "example.com/web" }],
  ["--gateway-controller-name=example.com/edge", { gatewayControllerName: "example.com/edge" }],
  ["--ingress-watch-namespace=shop", { watchNamespace: "shop" }],
  ["--manager-name=mine", { managerName: "mine" }],
] as const)("the translator is told by %s that, and nothing else", ([flag, said], { expect }) => {
  expect(translating(flag)).toEqual({ ...translating(), ...said });
});

test("without rights to the cluster Gateway API is off, since whose a Gateway is stands in its class", () => {
  expect(optionsOf(flags("--rbac-cluster=false"), "1.0").features).toEqual(["ingress"]);
});

test("the KubernetesOperator is made here unless it is given", () => {
  expect(optionsOf(flags(), "1.0").operatorIsGiven).toBeUndefined();
  expect(optionsOf(flags("--kubernetes-operator=given"), "1.0").operatorIsGiven).toBe(true);
  expect(() => flags("--kubernetes-operator=none")).toThrow("neither made nor given");
});

test("policies are what the flags say, and nothing else is taken", () => {
  expect(optionsOf(flags(), "1.0")).toMatchObject({ drainPolicy: "Retain", defaultDomainReclaimPolicy: "Delete" });
  expect(optionsOf(flags("--drain-policy=Delete", "--default-domain-reclaim-policy=Retain"), "1.0")).toMatchObject({
    drainPolicy: "Delete",
    defaultDomainReclaimPolicy: "Retain",
  });
  expect(() => flags("--drain-policy=delete")).toThrow("neither Retain nor Delete");
  expect(() => flags("--default-domain-reclaim-policy=")).toThrow("neither Retain nor Delete");
});

test("the fullname is the release unless it is said", () => {
  expect(releaseOf(flags("--release-name=edge"), "ops")).toEqual({ name: "edge", namespace: "ops", fullname: "edge" });
  expect(
    releaseOf(flags("--release-name=edge", "--fullname=edge-ngrok-operator", "--ingress-watch-namespace=shop"), "ops", {
      NAME_LABEL: "ngrok-operator",
    }),
  ).toEqual({
    name: "edge",
    namespace: "ops",
    fullname: "edge-ngrok-operator",
    nameLabel: "ngrok-operator",
    watchNamespace: "shop",
  });
});

test("an empty Lease name is refused, and one that the hook would not take", () => {
  const release = releaseOf(flags("--release-name=edge"), "ops");
  expect(() => flags("--election-id=")).toThrow("--election-id=: it is empty");
  expect(leaseOf(flags(), release)).toBe("edge-leader");
  expect(leaseOf(flags("--election-id=edge-leader"), release)).toBe("edge-leader");
  expect(() => leaseOf(flags("--election-id=mine"), release)).toThrow("the Lease of release edge is edge-leader");
});

test("what an uninstall will be told is in the pod's environment, and outside of a pod the chart's defaults", () => {
  const env = {
    DRAIN_HOOK: "false",
    HELM_TIMEOUT: "1200",
    CRDS_GO: "true",
    NGROK_CALLS_PER_MINUTE: "120",
    HOOK_POD: '{"priorityClassName":"high","resources":{"limits":{"cpu":2}}}',
  };
  expect(optionsOf(flags(), "1.0", env).uninstall).toEqual({
    hook: false,
    helmSeconds: 1_200,
    crdsGo: true,
    callsPerMinute: 120,
    pod: { containers: [{ limits: { cpu: 2 } }], priorityClassName: "high", secured: {} },
  });
  expect(optionsOf(flags(), "1.0").uninstall).toEqual({
    hook: true,
    helmSeconds: 300,
    crdsGo: false,
    callsPerMinute: undefined,
  });
});
