// The order in which the rules of an IP policy change, and that no source gets in by the way.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RemoteIPPolicyRule } from "#ngrok/ip-policies.ts";
import { KnownError } from "#wire/errors.ts";
import { type Desired, type DesiredRule, mayBeOurs, planRules, type RuleStep, showPolicy } from "./plan.ts";

function rule(action: "allow" | "deny", cidr: string, description = ""): DesiredRule {
  return { action, cidr, description, metadata: "" };
}

function remote(action: "allow" | "deny", cidr: string, description = ""): RemoteIPPolicyRule {
  return { id: `${action} ${cidr}`, policyId: "ipp_1", action, cidr, description, metadata: "" };
}

function desired(...rules: DesiredRule[]): Desired {
  return { policy: { description: "", metadata: "" }, rules };
}

function words(phases: readonly (readonly RuleStep[])[]): string[][] {
  return phases.map((phase) =>
    phase.map((step) =>
      step.is === "create" ? `create ${step.body.action} ${step.body.cidr}` : `${step.is} ${step.id}`,
    ),
  );
}

describe("planRules", () => {
  test("new denies, allow to deny, deny to allow, new allows, what goes, words: in this order", () => {
    const wanted = desired(
      rule("allow", "e"),
      rule("allow", "c"),
      rule("deny", "a"),
      rule("deny", "b"),
      rule("allow", "f", "new"),
    );
    const there = [remote("allow", "b"), remote("deny", "c"), remote("allow", "d"), remote("allow", "f")];
    expect(words(planRules("ipp_1", wanted, there))).toEqual([
      ["create deny a"],
      ["remove allow b", "create deny b"],
      ["remove deny c", "create allow c"],
      ["create allow e"],
      ["remove allow d"],
      ["update allow f"],
    ]);
  });

  test("nothing to do is no phase at all", () => {
    expect(planRules("ipp_1", desired(rule("allow", "a")), [remote("allow", "a")])).toEqual([]);
  });

  test("a CIDR named twice with both actions is denied, whichever comes first", () => {
    const both = [rule("allow", "a"), rule("deny", "a")];
    for (const rules of [both, both.toReversed()]) {
      expect(words(planRules("ipp_1", desired(...rules), []))).toEqual([["create deny a"]]);
    }
  });

  test("what an interrupted run left double goes", () => {
    const there = [remote("deny", "a"), remote("allow", "a")];
    expect(words(planRules("ipp_1", desired(rule("deny", "a")), there))).toEqual([["remove allow a"]]);
  });

  const cidrs = ["a", "b", "c"];
  const anAction = fc.constantFrom("allow" as const, "deny" as const);
  const aSet = fc.uniqueArray(fc.tuple(anAction, fc.constantFrom(...cidrs)), { selector: ([, cidr]) => cidr });

  test("wherever it stops, no CIDR is allowed that neither the old nor the new rules allow", () => {
    fc.assert(
      fc.property(aSet, aSet, (before, after) => {
        const there = before.map(([action, cidr]) => remote(action, cidr));
        const wanted = desired(...after.map(([action, cidr]) => rule(action, cidr)));
        const mayAllow = new Set(
          [...before, ...after].filter(([action]) => action === "allow").map(([, cidr]) => cidr),
        );
        const rules = new Map(there.map(({ id, action, cidr }) => [id, { action, cidr }]));
        for (const step of planRules("ipp_1", wanted, there).flat()) {
          if (step.is === "remove") rules.delete(step.id);
          if (step.is === "create") rules.set(`${step.body.action} ${step.body.cidr}`, step.body);
          const allowed = [...rules.values()].filter(({ action }) => action === "allow").map(({ cidr }) => cidr);
          expect(allowed.filter((cidr) => !mayAllow.has(cidr))).toEqual([]);
        }
        expect([...rules.keys()].toSorted()).toEqual(after.map(([action, cidr]) => `${action} ${cidr}`).toSorted());
      }),
    );
  });
});

describe("mayBeOurs", () => {
  test("a policy without rules, or with some of ours", () => {
    expect(mayBeOurs([], desired(rule("allow", "a")))).toBe(true);
    expect(mayBeOurs([remote("allow", "a")], desired(rule("allow", "a"), rule("deny", "b")))).toBe(true);
  });
  test("not one with a rule that we do not want", () => {
    expect(mayBeOurs([remote("deny", "a")], desired(rule("allow", "a")))).toBe(false);
  });
});

test("a failure keeps the id, unless another policy may have been made since", () => {
  const error = new KnownError("transient", "no answer", { code: "Timeout" });
  const after = (mayBeThere: boolean) =>
    showPolicy({ status: { id: "ipp_1" } }, { is: "no policy", error, mayBeThere });
  expect(after(false).fields).toEqual({ id: "ipp_1" });
  expect(after(true).fields).toEqual({});
  expect(after(true).findings[0]).toMatchObject({ type: "IPPolicyCreated", status: "Unknown" });
});
