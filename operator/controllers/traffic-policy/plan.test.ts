// Which traffic policies can be read.
import { test } from "vitest";
import { nested } from "#test/support/nested.ts";
import { judge, showVerdict } from "./plan.ts";

test.for([
  [undefined, "True TrafficPolicyValid"],
  [{}, "True TrafficPolicyValid"],
  [{ on_http_request: [] }, "True TrafficPolicyValid"],
  [{ on_http_request: {} }, "False TrafficPolicyParseFailed"],
  [[], "False TrafficPolicyParseFailed"],
  ["text", "False TrafficPolicyParseFailed"],
  [{ enabled: true, on_http_request: [] }, "True EnabledFieldDeprecated"],
  [{ enabled: "yes" }, "False TrafficPolicyParseFailed"],
  [{ inbound: [], enabled: true }, "True LegacyPolicyFormat"],
  [{ inbound: "x" }, "False TrafficPolicyParseFailed"],
] as const)("%j is %s", ([policy, said], { expect }) => {
  const { findings } = showVerdict(judge(policy));
  expect(findings.map(({ type, status, reason }) => `${type} ${status} ${reason}`)).toEqual([
    `Valid ${said}`,
    `Ready ${said}`,
  ]);
});

test("one that is nested too deeply to be walked over is told so", ({ expect }) => {
  const { findings } = showVerdict(judge({ on_http_request: [nested()] }));
  expect(findings.map(({ status, reason, message }) => `${status} ${reason} ${message}`)).toEqual(
    Array(2).fill(
      expect.stringMatching(/^False TrafficPolicyParseFailed spec.policy is nested more than 100 levels deep/),
    ),
  );
});
