// What a CloudEndpoint asks of ngrok, and how what came of it reads.
import { describe, expect, test } from "vitest";
import { fails, holds } from "#api/conditions.ts";
import type { CloudEndpointSpec } from "#api/cloud-endpoint.ts";
import type { Condition } from "#api/define-kind.ts";
import type { RemoteEndpoint } from "#ngrok/endpoints.ts";
import { aCloudEndpoint } from "#test/support/builders.ts";
import { KnownError } from "#wire/errors.ts";
import type { DomainPart } from "../../endpoint/domain.ts";
import { adoptable, desiredEndpoint, planEndpoint, type PolicyPart, type Reached, showEndpoint } from "./plan.ts";

const spec = { url: "https://web.example.com", description: "d", metadata: "m" };
const remote: RemoteEndpoint = {
  id: "ep_1",
  type: "cloud",
  uri: "",
  url: "https://web.example.com",
  description: "d",
  metadata: "m",
  trafficPolicy: "",
  bindings: ["public"],
  poolingEnabled: false,
};

describe("planEndpoint", () => {
  const policy = '{"on_http_request":[]}';
  const table: readonly [string, Partial<CloudEndpointSpec>, string, Partial<RemoteEndpoint>, object][] = [
    ["nothing differs", {}, "", {}, { is: "none", remote }],
    [
      "the URL differs only in what a default port says",
      { url: "https://WEB.example.com:443" },
      "",
      {},
      { is: "none", remote },
    ],
    ["no binding is named, and it is public", {}, "", {}, { is: "none", remote }],
    [
      "pooling is not said: ngrok's choice stays",
      {},
      "",
      { poolingEnabled: true },
      { is: "none", remote: { ...remote, poolingEnabled: true } },
    ],
    [
      "the policy says the same in another order of words",
      {},
      '{"a":1,"b":"<"}',
      { trafficPolicy: '{"b":"\\u003c","a":1}' },
      { is: "none", remote: { ...remote, trafficPolicy: '{"b":"\\u003c","a":1}' } },
    ],
    ["the policy is new", {}, policy, {}, { is: "update", id: "ep_1", patch: { trafficPolicy: policy } }],
    [
      "the policy is taken off",
      {},
      "",
      { trafficPolicy: policy },
      { is: "update", id: "ep_1", patch: { trafficPolicy: "" } },
    ],
    [
      "the binding differs",
      { bindings: ["internal"] },
      "",
      {},
      { is: "update", id: "ep_1", patch: { bindings: ["internal"] } },
    ],
    [
      "the binding is taken out of the spec: public again",
      {},
      "",
      { bindings: ["internal"] },
      { is: "update", id: "ep_1", patch: { bindings: ["public"] } },
    ],
    [
      "the list of bindings is emptied: public again",
      { bindings: [] },
      "",
      { bindings: ["kubernetes"] },
      { is: "update", id: "ep_1", patch: { bindings: ["public"] } },
    ],
    ["the list of bindings is empty, and it is public", { bindings: [] }, "", {}, { is: "none", remote }],
    [
      "ngrok does not say what the binding is: it is left",
      {},
      "",
      { bindings: [] },
      { is: "none", remote: { ...remote, bindings: [] } },
    ],
    [
      "a host of .internal is internal of itself",
      { url: "https://web.internal" },
      "",
      { url: "https://web.internal", bindings: ["internal"] },
      { is: "none", remote: { ...remote, url: "https://web.internal", bindings: ["internal"] } },
    ],
    [
      "pooling is said",
      { poolingEnabled: true },
      "",
      {},
      { is: "update", id: "ep_1", patch: { poolingEnabled: true } },
    ],
    [
      "the words differ",
      { description: "", metadata: "n" },
      "",
      {},
      { is: "update", id: "ep_1", patch: { description: "", metadata: "n" } },
    ],
    [
      "the URL differs",
      { url: "tls://web.example.com:9000" },
      "",
      {},
      { is: "update", id: "ep_1", patch: { url: "tls://web.example.com:9000" } },
    ],
  ];
  test.for(table)("%s", ([, change, text, there, plan], { expect }) => {
    expect(planEndpoint(desiredEndpoint({ ...spec, ...change }, text), { ...remote, ...there })).toEqual(plan);
  });

  test("nothing is there", () => {
    const desired = desiredEndpoint(spec, policy);
    expect(planEndpoint(desired, undefined)).toEqual({ is: "create", body: desired });
  });

  test("what is made says nothing of what is empty", () => {
    const change = planEndpoint(desiredEndpoint({ ...spec, bindings: [] }, ""), undefined);
    const { url, description, metadata } = spec;
    expect(change).toEqual({ is: "create", body: { url, description, metadata } });
  });
});

test("only one that was left alone is adoptable: of two nothing tells which is meant", () => {
  expect(adoptable(aCloudEndpoint(), [remote])).toBe(remote);
  expect(adoptable(aCloudEndpoint(), [remote, { ...remote, id: "ep_2" }])).toBeUndefined();
  expect(adoptable(aCloudEndpoint(), [])).toBeUndefined();
});

test.for([
  ["by days, another cluster's, is left to that", "2026-01-30T00:00:00Z", false],
  ["by no more than clocks differ may be its own", "2026-02-01T11:30:00Z", true],
  ["not at all may be its own", "2026-02-01T12:00:05Z", true],
] as const)("an endpoint that is older than the object %s", ([, createdAt, isTaken], { expect }) => {
  const endpoint = aCloudEndpoint({ metadata: { creationTimestamp: "2026-02-01T12:00:00Z" } });
  const left = { ...remote, createdAt };
  expect(adoptable(endpoint, [left])).toBe(isTaken ? left : undefined);
});

describe("showEndpoint", () => {
  const domainReady: DomainPart = {
    finding: holds("DomainReady", "DomainActive", "Domain ready for use"),
    ref: { name: "web-example-com", namespace: "default" },
    untried: false,
  };
  const domainWaits: DomainPart = {
    ...domainReady,
    finding: fails("DomainReady", "ProvisioningError", "Certificate provisioning in progress"),
  };
  const there: Reached = { is: "there", remote: { id: "ep_1", url: "https://web.example.com" } };
  const refused: Reached = {
    is: "failed",
    error: new KnownError("invalid", "ERR_NGROK_334: in use", { status: 400, code: "ERR_NGROK_334" }),
    isAbsent: false,
    mayBeThere: false,
  };
  const lost: Reached = {
    is: "failed",
    isAbsent: false,
    mayBeThere: true,
    error: new KnownError("transient", "lost", { code: "Ambiguous" }),
  };
  const badPolicy: Reached = {
    is: "failed",
    error: new KnownError("invalid", "ERR_NGROK_2201: bad", { status: 400, code: "ERR_NGROK_2201" }),
    isAbsent: false,
    mayBeThere: false,
  };
  const none: PolicyPart = { is: "none" };
  const wanted: PolicyPart = { is: "wanted" };

  const table: readonly [string, DomainPart, PolicyPart, Reached, Record<string, string>][] = [
    [
      "all is there",
      domainReady,
      none,
      there,
      {
        DomainReady: "True DomainActive",
        CloudEndpointCreated: "True CloudEndpointCreated",
        Ready: "True CloudEndpointActive",
      },
    ],
    [
      "the policy was accepted with it",
      domainReady,
      wanted,
      there,
      {
        DomainReady: "True DomainActive",
        TrafficPolicyApplied: "True TrafficPolicyApplied",
        CloudEndpointCreated: "True CloudEndpointCreated",
        Ready: "True CloudEndpointActive",
      },
    ],
    [
      "the domain is not ready: its reason is the endpoint's",
      domainWaits,
      none,
      there,
      {
        DomainReady: "False ProvisioningError",
        CloudEndpointCreated: "True CloudEndpointCreated",
        Ready: "False ProvisioningError",
      },
    ],
    [
      "refused",
      domainReady,
      none,
      refused,
      {
        DomainReady: "True DomainActive",
        CloudEndpointCreated: "False CloudEndpointCreationFailed",
        Ready: "False CloudEndpointCreationFailed",
      },
    ],
    [
      "the answer was lost: nobody knows",
      domainReady,
      none,
      lost,
      {
        DomainReady: "True DomainActive",
        CloudEndpointCreated: "Unknown CloudEndpointCreationFailed",
        Ready: "False CloudEndpointCreationFailed",
      },
    ],
    [
      "the policy was refused",
      domainReady,
      wanted,
      badPolicy,
      {
        DomainReady: "True DomainActive",
        TrafficPolicyApplied: "False TrafficPolicyError",
        CloudEndpointCreated: "False CloudEndpointCreationFailed",
        Ready: "False TrafficPolicyError",
      },
    ],
    [
      "refused for another reason than the policy: that reason is the endpoint's",
      domainReady,
      wanted,
      refused,
      {
        DomainReady: "True DomainActive",
        TrafficPolicyApplied: "False Pending",
        CloudEndpointCreated: "False CloudEndpointCreationFailed",
        Ready: "False CloudEndpointCreationFailed",
      },
    ],
    [
      "the policy is missing",
      domainReady,
      { is: "broken", problem: "not there" },
      { is: "pending" },
      {
        DomainReady: "True DomainActive",
        TrafficPolicyApplied: "False TrafficPolicyError",
        CloudEndpointCreated: "False Pending",
        Ready: "False TrafficPolicyError",
      },
    ],
  ];
  test.for(table)("%s", ([, domain, policy, reached, conditions], { expect }) => {
    const { findings } = showEndpoint({}, domain, policy, reached);
    expect(Object.fromEntries(findings.map(({ type, status, reason }) => [type, `${status} ${reason}`]))).toEqual(
      conditions,
    );
  });

  test("a policy that is in force stays so when a change fails, and one that was refused is not blamed again", () => {
    const at = { message: "said before", lastTransitionTime: "2026-01-01T00:00:00Z" };
    const applied = { type: "TrafficPolicyApplied", status: "True", reason: "TrafficPolicyApplied", ...at } as const;
    const after = (before: Condition, reached: Reached) =>
      showEndpoint({ status: { id: "ep_1", conditions: [before] } }, domainReady, wanted, reached).findings.map(
        ({ type, status, reason }) => `${type} ${status} ${reason}`,
      );
    expect(after(applied, refused)).toContain("TrafficPolicyApplied True TrafficPolicyApplied");
    expect(after(applied, refused)).toContain("Ready False CloudEndpointCreationFailed");
    expect(after(applied, badPolicy)).toContain("TrafficPolicyApplied False TrafficPolicyError");
    const blamed = { ...applied, status: "False", reason: "TrafficPolicyError" } as const;
    expect(after(blamed, refused)).toContain("TrafficPolicyApplied False Pending");
  });
});
