// Which traffic policy an endpoint means, in all the spellings that there are.
import { describe, expect, test } from "vitest";
import { anNgrokTrafficPolicy } from "#test/support/builders.ts";
import { nested } from "#test/support/nested.ts";
import { Cache } from "../runtime/cache.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { KnownError } from "#wire/errors.ts";
import { blamesPolicy, type PolicySource, policySource, policyText, samePolicy } from "./traffic-policy.ts";

const inline = { on_http_request: [] };
const old = { on_tcp_connect: [] };

describe("policySource", () => {
  const table: readonly [string, Parameters<typeof policySource>[0], Partial<PolicySource>][] = [
    ["nothing", {}, { is: "none" }],
    ["an empty object is nothing", { trafficPolicy: {} }, { is: "none" }],
    ["inline", { trafficPolicy: { inline } }, { is: "inline", policy: inline }],
    ["a reference", { trafficPolicy: { targetRef: { name: "p" } } }, { is: "named", name: "p" }],
    ["both is a mistake", { trafficPolicy: { inline, targetRef: { name: "p" } } }, { is: "invalid" }],
    ["the nested old form", { trafficPolicy: { policy: old } }, { is: "inline", policy: old }],
    ["inline beats the nested old form", { trafficPolicy: { inline, policy: old } }, { is: "inline", policy: inline }],
    ["the old name", { trafficPolicyName: "p" }, { is: "named", name: "p" }],
    [
      "an empty object does not beat the old name",
      { trafficPolicy: {}, trafficPolicyName: "p" },
      { is: "named", name: "p" },
    ],
    [
      "a reference beats the old name",
      { trafficPolicy: { targetRef: { name: "q" } }, trafficPolicyName: "p" },
      { is: "named", name: "q" },
    ],
  ];
  test.for(table)("%s", ([, spec, source], { expect }) => expect(policySource(spec)).toMatchObject(source));

  test("only the old forms are said to be old", () => {
    expect(policySource({ trafficPolicyName: "p" })).toHaveProperty("deprecated");
    expect(policySource({ trafficPolicy: { policy: old } })).toHaveProperty("deprecated");
    expect(policySource({ trafficPolicy: { inline } })).not.toHaveProperty("deprecated");
  });
});

test("a named policy is read from its namespace, and a missing one is said", () => {
  const cache = new Cache();
  cache.add(NgrokTrafficPolicy).put(anNgrokTrafficPolicy({ metadata: { name: "p" }, spec: { policy: inline } }));
  expect(policyText({ is: "named", name: "p" }, "default", cache)).toEqual({
    is: "text",
    text: JSON.stringify(inline),
  });
  expect(policyText({ is: "named", name: "p" }, "other", cache)).toMatchObject({
    is: "missing",
    problem: expect.stringContaining("namespace other"),
  });
});

test("policies are the same when they say the same", () => {
  expect(samePolicy('{"a":[1,2],"b":{"c":1,"d":2}}', '{"b":{"d":2,"c":1},"a":[1,2]}')).toBe(true);
  expect(samePolicy('{"a":[1,2]}', '{"a":[2,1]}')).toBe(false);
  expect(samePolicy("", "{}")).toBe(false);
});

describe("blamesPolicy", () => {
  test.for([
    ["ERR_NGROK_2201: no", undefined],
    ["no", "ERR_NGROK_2201"],
    [
      "cannot open https://web.test: The traffic policy is invalid: it is no object. (ERR_NGROK_2299)",
      "ERR_NGROK_2299",
    ],
    ["Policy: unknown action", undefined],
    ["your account has no such TrafficPolicy action", undefined],
    ["the field traffic_policy is too long", undefined],
  ] as const)("%s (%s) is about the policy", ([message, code], { expect }) => {
    expect(blamesPolicy(new KnownError("transient", message, { ...(code && { code }) }))).toBe(true);
  });

  test.for([
    "cannot open https://policy.example.com: it is taken",
    "cannot open https://my-policy.test: it is taken",
    "cannot open http://policy:80: no answer",
    "cannot open https://web.test/policy: no answer",
    "the endpoint 'policy-web' is in the way",
    "too many policymakers",
  ])("%s only quotes a name", (message, { expect }) => {
    expect(blamesPolicy(new KnownError("transient", message))).toBe(false);
  });
});

describe("a policy that is nested too deeply to be walked over is refused, by the object and the field that hold it", () => {
  test.for([
    [{ trafficPolicy: { inline: nested() } }, "spec.trafficPolicy.inline is nested more than 100 levels deep"],
    [{ trafficPolicy: { policy: nested() } }, "spec.trafficPolicy.policy is nested more than 100 levels deep"],
    [
      { trafficPolicyName: "p" },
      "NgrokTrafficPolicy p cannot be used, since its spec.policy is nested more than 100 levels deep",
    ],
  ] as const)("%#", ([spec, problem], { expect }) => {
    const cache = new Cache();
    const named = anNgrokTrafficPolicy({ metadata: { name: "p" } });
    cache.add(NgrokTrafficPolicy).put({ ...named, spec: { policy: nested() } });
    expect(policyText(policySource(spec), "default", cache)).toEqual({
      is: "invalid",
      problem: expect.stringContaining(problem),
    });
  });
});
