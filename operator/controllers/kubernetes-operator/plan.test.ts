// What an install says of itself, what is registered for it, and when its certificate is renewed.
import { describe, expect, test } from "vitest";
import type { RemoteOperator } from "#ngrok/operators.ts";
import { aKubernetesOperator } from "#test/support/builders.ts";
import { KnownError } from "#wire/errors.ts";
import type { Options } from "../../runtime/options.ts";
import {
  desiredOperator,
  desiredSpec,
  lookAgainIn,
  newOperator,
  operatorToMake,
  planAnnotation,
  planOperator,
  planOwn,
  planSpec,
  type Reached,
  renewIn,
  showOperator,
} from "./plan.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok" };
const options: Options = {
  version: "0.1.0",
  description: "d",
  region: "",
  features: ["ingress", "bindings"],
  managerName: "m",
  clusterDomain: "svc.cluster.local",
  defaultDomainReclaimPolicy: "Delete",
  drainPolicy: "Delete",
  bindings: { endpointSelectors: ["true"], serviceAnnotations: {}, serviceLabels: {}, ingressEndpoint: "" },
  uninstall: { hook: true, helmSeconds: 300, crdsGo: false, callsPerMinute: undefined },
  metadata: {},
};

test("one that stands in manifests is neither made nor written", () => {
  const given = { ...options, operatorIsGiven: true };
  const theirs = aKubernetesOperator({ spec: { description: "theirs" } });
  expect(operatorToMake(release, options)).toEqual(newOperator(release, options));
  expect(operatorToMake(release, given)).toBeUndefined();
  expect(planOwn(theirs, release, options)).not.toEqual([]);
  expect(planOwn(theirs, release, given)).toEqual([]);
});

describe("planSpec", () => {
  const spec = { ...desiredSpec(release, options), region: "global", metadata: "theirs" };

  test("what is ours and as it should be needs no patch, whatever stands beside it", () => {
    expect(planSpec(spec, desiredSpec(release, options))).toEqual([]);
  });

  test("only what differs is patched", () => {
    expect(planSpec({ ...spec, drain: { policy: "Retain" } }, desiredSpec(release, options))).toEqual([
      { op: "add", path: "/spec/drain", value: { policy: "Delete" } },
    ]);
  });

  test("a region that was given up is the default again", () => {
    const before = { ...spec, ...desiredSpec(release, { ...options, region: "us" }) };
    expect(planSpec(before, desiredSpec(release, options))).toEqual([
      { op: "add", path: "/spec/region", value: "global" },
    ]);
  });

  test("bindings that are switched off go", () => {
    const off = desiredSpec(release, { ...options, features: ["ingress"] });
    expect(planSpec(spec, off)).toEqual([
      { op: "add", path: "/spec/enabledFeatures", value: ["ingress"] },
      { op: "remove", path: "/spec/binding" },
    ]);
  });
});

describe("planAnnotation", () => {
  const named = (gatewayControllerName: string): Options => ({
    ...options,
    routing: { ingressControllerName: "a/b", gatewayControllerName, referenceGrants: true },
  });
  const key = "ngrok.com/gateway-controller-name";
  const at = "/metadata/annotations/ngrok.com~1gateway-controller-name";
  const metadata = { name: "ngrok", namespace: "ops" };

  test("the default name needs no word, any other is written, once", () => {
    expect(planAnnotation(metadata, named("ngrok.com/gateway-controller"))).toEqual([]);
    expect(planAnnotation({ ...metadata, annotations: {} }, named("a/b"))).toEqual([
      { op: "add", path: at, value: "a/b" },
    ]);
    expect(planAnnotation({ ...metadata, annotations: { [key]: "a/b" } }, named("a/b"))).toEqual([]);
    expect(newOperator(release, named("a/b")).metadata.annotations).toEqual({ [key]: "a/b" });
  });

  test("a name that was given up goes", () => {
    expect(planAnnotation({ ...metadata, annotations: { [key]: "a/b" } }, options)).toEqual([
      { op: "remove", path: at },
    ]);
  });
});

describe("planOperator", () => {
  const operator = aKubernetesOperator({
    metadata: { name: "ngrok", namespace: "ops" },
    spec: { ...desiredSpec(release, options), region: "global", metadata: "" },
  });
  const desired = desiredOperator(operator, "uid-1", undefined);
  const remote: RemoteOperator = {
    id: "k8sop_1",
    uri: "",
    description: "d",
    metadata: '{"namespace.uid":"uid-1"}',
    enabledFeatures: ["bindings", "ingress"],
    region: "global",
    deployment: { name: "ngrok", namespace: "ops", version: "0.1.0" },
    binding: { endpointSelectors: ["true"] },
  };

  test("the same in another order is the same", () => {
    expect(planOperator(desired, remote)).toEqual({ is: "none", remote });
  });

  test("a new version and new selectors are told", () => {
    const old = {
      ...remote,
      deployment: { ...remote.deployment, version: "0.0.9" },
      binding: { endpointSelectors: ["false"] },
    };
    expect(planOperator(desired, old)).toEqual({
      is: "update",
      id: "k8sop_1",
      patch: { deployment: { name: "ngrok", version: "0.1.0" }, binding: { endpointSelectors: ["true"] } },
    });
  });

  test("a request for a certificate is sent even when all else is the same", () => {
    const asking = desiredOperator(operator, "uid-1", "CSR");
    expect(planOperator(asking, remote)).toMatchObject({
      is: "update",
      patch: { binding: { endpointSelectors: ["true"], csr: "CSR" } },
    });
  });

  test("without the namespace's UID the metadata is the user's alone", () => {
    expect(desiredOperator(operator, undefined, undefined).metadata).toBe("");
  });
});

describe("renewIn", () => {
  const now = new Date("2026-01-01T00:00:00Z");
  const day = 86_400_000;
  const at = (days: number): string => new Date(now.getTime() + days * day).toISOString();
  test.for([
    [{ notBefore: at(0), notAfter: at(90) }, 60 * day],
    [{ notBefore: at(-61), notAfter: at(29) }, 0],
    [{ notBefore: at(0), notAfter: at(6) }, 4 * day],
    [{ notAfter: at(40) }, 10 * day],
    [{}, undefined],
    [undefined, undefined],
  ] as const)("%j: %s ms", ([cert, ms], { expect }) => expect(renewIn(cert, now)).toBe(ms));

  const minute = 1 / 1440;
  const second = minute / 60;
  test.for<[string, Parameters<typeof renewIn>[0], number]>([
    ["a good one is looked at each ten minutes", { notBefore: at(0), notAfter: at(90) }, 10 * minute],
    ["one of a minute when two thirds are over", { notBefore: at(0), notAfter: at(minute) }, 41 * second],
    ["not at once, though", { notBefore: at(-39 * second), notAfter: at(21 * second) }, 7 * second],
    ["one that is due as it is signed waits ten minutes", { notBefore: at(-70), notAfter: at(20) }, 10 * minute],
    ["one that has ended as it is signed does too", { notBefore: at(-190), notAfter: at(-100) }, 10 * minute],
    ["so does one of which nothing is known", undefined, 10 * minute],
  ])("%s", ([, cert, days], { expect }) => expect(Math.round(lookAgainIn(cert, now))).toBe(Math.round(days * day)));
});

describe("showOperator", () => {
  const error = new KnownError("invalid", "ERR_NGROK_206: refused", { status: 401, code: "ERR_NGROK_206" });
  const registered = {
    id: "k8sop_1",
    conditions: [
      { type: "Registered", status: "True" as const, reason: "Registered", message: "", lastTransitionTime: "" },
    ],
  };
  test.for<[string, object | undefined, Reached, string[]]>([
    [
      "never registered",
      undefined,
      { is: "failed", error, isAbsent: false },
      ["Registered False RegistrationFailed", "Ready False RegistrationFailed"],
    ],
    [
      "registered before",
      registered,
      { is: "failed", error, isAbsent: false },
      ["Registered True Registered", "Ready False ConfigurationFailed"],
    ],
    [
      "registered before, and ngrok has it no more",
      registered,
      { is: "failed", error, isAbsent: true },
      ["Registered False RegistrationFailed", "Ready False RegistrationFailed"],
    ],
    [
      "misconfigured from the start",
      undefined,
      { is: "misconfigured", problem: "p" },
      ["Registered False Pending", "Ready False ConfigurationFailed"],
    ],
  ])("%s", ([, status, reached, said], { expect }) => {
    const { findings } = showOperator(aKubernetesOperator(status === undefined ? {} : { status }), reached);
    expect(findings.map((one) => `${one.type} ${one.status} ${one.reason}`)).toEqual(said);
  });

  test("a registration that ngrok has no more is not shown", () => {
    const status = { ...registered, uri: "https://api.ngrok.com/k8sop_1", enabledFeatures: "ingress" };
    const { fields } = showOperator(aKubernetesOperator({ status }), { is: "failed", error, isAbsent: true });
    expect(fields).toEqual({ enabledFeatures: "ingress" });
  });

  test("a failure keeps the id, and what the drain wrote is not ours to say", () => {
    const status = { ...registered, drain: { drainedResources: 0, failedResources: 0, totalResources: 0 } };
    expect(showOperator(aKubernetesOperator({ status }), { is: "failed", error, isAbsent: false }).fields).toEqual({
      id: "k8sop_1",
    });
  });
});
