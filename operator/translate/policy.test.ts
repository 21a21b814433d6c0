// Which policies can be read, and that nothing a user wrote is lost.
import { describe, expect, test } from "vitest";
import { nested } from "#test/support/nested.ts";
import { EMPTY_POLICY, joinPolicies, parsePolicy, policyJson, policyWith } from "./policy.ts";

describe("a policy that cannot be read names the place and the remedy", () => {
  test.for([
    ["text", "spec.policy", "is not an object: write phases"],
    [[], "spec.policy", "is not an object: write phases"],
    [
      { inbound: [] },
      "spec.policy.inbound",
      "is not a phase that ngrok knows: write on_http_request, on_http_response, on_tcp_connect or remove it",
    ],
    [{ enabled: true, on_http_request: [] }, "spec.policy.enabled", "is not a phase"],
    [{ on_http_request: {} }, "spec.policy.on_http_request", "is not a list: write a list of rules"],
    [{ on_http_request: ["deny"] }, "spec.policy.on_http_request[0]", "is not an object: write a rule with actions"],
    [
      { on_http_request: [{ name: {}, actions: [] }] },
      "spec.policy.on_http_request[0].name",
      "is neither text nor a number",
    ],
    [
      { on_http_request: [{ expressions: "true", actions: [] }] },
      "spec.policy.on_http_request[0].expressions",
      "is not a list of texts",
    ],
    [
      { on_tcp_connect: [{ actions: [] }, {}] },
      "spec.policy.on_tcp_connect[1].actions",
      "is not a list: write at least one action",
    ],
    [
      { on_http_response: [{ actions: [{ type: "deny" }, {}] }] },
      "spec.policy.on_http_response[0].actions[1].type",
      "is missing: name what the rule is to do",
    ],
  ] as const)("%j", ([policy, field, reason], { expect }) => {
    expect(parsePolicy(policy)).toEqual({ field, reason: expect.stringContaining(reason) });
  });

  test("nested deeper than a walk can go", () => {
    const actions = [{ type: "custom-response", config: nested() }];
    expect(parsePolicy({ on_http_request: [{ actions }] })).toEqual({
      field: "spec.policy",
      reason: expect.stringContaining("is nested more than 100 levels deep"),
    });
  });
});

test("a policy that can be read comes out as it went in, with what we do not know of", () => {
  const policy = {
    on_http_request: [
      {
        name: 7,
        expressions: ["true"],
        actions: [{ type: "deny", config: { status_code: 403 }, future: 1 }],
        future: [2],
      },
      { name: null, expressions: null, actions: [] },
    ],
    on_tcp_connect: [{ actions: [{ type: "deny" }] }],
  };
  const read = parsePolicy(policy);
  expect("policy" in read && policyJson(read.policy)).toEqual(policy);
});

test.for([undefined, null, {}, { on_http_request: null, on_http_response: [] }])(
  "%j is a policy that does nothing",
  (policy, { expect }) => {
    const read = parsePolicy(policy);
    expect(read).toEqual({ policy: EMPTY_POLICY });
    expect("policy" in read && policyJson(read.policy)).toEqual({});
  },
);

test("joined policies keep their order in each phase", () => {
  const rule = (name: string) => ({ name, actions: [] });
  const joined = joinPolicies([
    policyWith("on_http_request", [rule("a")]),
    policyWith("on_tcp_connect", [rule("b")]),
    policyWith("on_http_request", [rule("c")]),
  ]);
  expect(policyJson(joined)).toEqual({ on_http_request: [rule("a"), rule("c")], on_tcp_connect: [rule("b")] });
});
