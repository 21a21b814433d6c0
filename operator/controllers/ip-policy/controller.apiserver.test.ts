// IPPolicies and their rules on a real API server and ngrok's wire.
import { expect, test } from "vitest";
import { IPPolicy } from "#api/ip-policy.ts";
import { anIPPolicy } from "#test/support/builders.ts";
import { condition, isReady, startWorld, type World } from "#test/support/world.ts";
import { ipPolicyController } from "./controller.ts";

const controllers = [ipPolicyController];
const policy = anIPPolicy();

function rules(world: World): string[] {
  return world.api
    .objects("ip_policy_rules")
    .map(({ action, cidr }) => `${String(action)} ${String(cidr)}`)
    .toSorted();
}

test("a policy is made with its rules", async () => {
  await using world = await startWorld({ controllers });
  await world.create(IPPolicy, policy);
  const ready = await world.until(IPPolicy, "office", isReady);
  expect(ready.status?.id).toMatch(/^ipp_/);
  expect(rules(world)).toEqual(["allow 203.0.113.0/24", "deny 2001:db8::/32"]);
  await world.quiet();
  expect(world.api.count("GET", "/ip_policy_rules")).toBe(0);
});

test("a changed action denies before it allows", async () => {
  await using world = await startWorld({ controllers });
  const created = await world.create(IPPolicy, policy);
  await world.until(IPPolicy, "office", isReady);
  const after = [
    { cidr: "203.0.113.0/24", action: "deny" },
    { cidr: "2001:db8::/32", action: "allow" },
    { cidr: "198.51.100.0/24", action: "deny" },
  ];
  world.api.ledger.clear();
  const replace = [{ op: "replace" as const, path: "/spec/rules", value: after }];
  await world.write.patch(
    IPPolicy,
    { name: "office", namespace: world.namespace },
    created.metadata.uid ?? "",
    replace,
    AbortSignal.timeout(60_000),
  );
  await world.until(IPPolicy, "office", (one) => one.status?.observedGeneration === 2);
  expect(rules(world)).toEqual(["allow 2001:db8::/32", "deny 198.51.100.0/24", "deny 203.0.113.0/24"]);
  const steps = world.api.ledger
    .entries()
    .filter(({ path, method }) => path.startsWith("/ip_policy_rules") && method !== "GET");
  expect(steps.map(({ method }) => method)).toEqual(["POST", "DELETE", "POST", "DELETE", "POST"]);
});

test("a policy that cannot be made says so in its status, and becomes Ready once it can", async () => {
  await using world = await startWorld({ controllers });
  const match = { method: "POST", path: /^\/ip_policies$/ };
  const refusal = world.api.faults.add({ kind: "status", status: 503, match, times: Infinity });
  await world.create(IPPolicy, policy);
  const failing = await world.until(IPPolicy, "office", (one) => condition(one, "IPPolicyCreated") !== undefined);
  expect(condition(failing, "Ready")).toBe("False IPPolicyCreationFailed");
  refusal.remove();
  await world.until(IPPolicy, "office", isReady);
  expect(world.api.objects("ip_policies")).toHaveLength(1);
});

test("a rule that ngrok refuses leaves the policy and names the reason", async () => {
  await using world = await startWorld({ controllers });
  world.api.faults.add({
    kind: "status",
    status: 400,
    code: 1406,
    match: { method: "POST", path: /^\/ip_policy_rules$/ },
    times: Infinity,
  });
  await world.create(IPPolicy, policy);
  const refused = await world.until(IPPolicy, "office", (one) => condition(one, "Ready") !== undefined);
  expect(condition(refused, "IPPolicyCreated")).toBe("True IPPolicyCreated");
  expect(condition(refused, "Ready")).toBe("False IPPolicyInvalidCIDR");
  expect(refused.status?.id).toMatch(/^ipp_/);
});

test("a crash before the status leaves no double, and another's policy of the same words is not taken", async () => {
  await using world = await startWorld({ controllers, start: false });
  const { description, metadata } = policy.spec;
  const other = await world.api.add("ip_policies", { description, metadata });
  await world.api.add("ip_policy_rules", { ip_policy_id: other, cidr: "192.0.2.0/24", action: "allow" });
  const first = world.start({
    intercept: (request) =>
      request.path.endsWith("/status") ? Promise.reject(new Error("the process is gone")) : undefined,
  });
  await world.create(IPPolicy, policy);
  await expect.poll(() => world.api.objects("ip_policy_rules").length).toBe(3);
  await first.stop();

  world.start();

  const ready = await world.until(IPPolicy, "office", isReady);
  expect(ready.status?.id).not.toBe(other);
  expect(world.api.objects("ip_policies")).toHaveLength(2);
});

test("a policy that is gone at ngrok is made anew, and looked for when the answer to that is lost", async () => {
  await using world = await startWorld({ controllers });
  await world.create(IPPolicy, policy);
  const before = await world.until(IPPolicy, "office", isReady);
  await world.manager.stop();
  world.api.reset();
  world.api.faults.add({ kind: "reset", after: "commit", match: { method: "POST", path: /^\/ip_policies$/ } });

  world.start();

  const after = await world.until(IPPolicy, "office", (one) => isReady(one) && one.status?.id !== before.status?.id);
  expect(world.api.objects("ip_policies")).toMatchObject([{ id: after.status?.id }]);
  expect(rules(world)).toEqual(["allow 203.0.113.0/24", "deny 2001:db8::/32"]);
});

test("what an older release left in the status goes, and the policy it made is taken over", async () => {
  await using world = await startWorld({ controllers, start: false });
  const { description, metadata } = policy.spec;
  const id = await world.api.add("ip_policies", { description, metadata });
  const created = await world.create(IPPolicy, policy);
  const at = "2025-01-01T00:00:00Z";
  const conditions = [{ type: "RulesConfigured", status: "True", reason: "Old", message: "", lastTransitionTime: at }];
  const path = `/apis/ingress.k8s.ngrok.com/v1alpha1/namespaces/${world.namespace}/ippolicies/office/status`;
  const { signal } = new AbortController();
  await world.connection.request({ method: "PUT", path, body: { ...created, status: { id, conditions } }, signal });

  world.start();

  const ready = await world.until(
    IPPolicy,
    "office",
    (one) => isReady(one) && condition(one, "RulesConfigured") === undefined,
  );
  expect(ready.status?.id).toBe(id);
  expect(world.api.objects("ip_policies")).toHaveLength(1);
  await world.quiet();
  expect(world.manager.writes.filter((write) => write.endsWith("/status"))).toHaveLength(2);
});

test("deletion takes the policy and its rules away", async () => {
  await using world = await startWorld({ controllers });
  await world.create(IPPolicy, policy);
  await world.until(IPPolicy, "office", isReady);
  await world.remove(IPPolicy, "office");
  await world.gone(IPPolicy, "office");
  expect(world.api.objects("ip_policies")).toEqual([]);
  expect(rules(world)).toEqual([]);
});
