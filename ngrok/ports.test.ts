// Each port's objects, made, changed, emptied, found and removed at a stand-in of ngrok.
import { describe, test } from "vitest";
import { systemClock } from "#wire/clock.ts";
import { afterUninstall } from "#wire/fence.ts";
import { startNgrokApi } from "#test/support/ngrok-api/server.ts";
import { connectNgrok } from "./client.ts";

const forever = new AbortController().signal;

async function start() {
  const api = await startNgrokApi();
  const fence = afterUninstall(forever);
  const options = { apiUrl: api.url, apiKey: "key", userAgent: "test", clock: systemClock, fence, signal: forever };
  const ngrok = connectNgrok(options);
  return {
    api,
    ngrok,
    async [Symbol.asyncDispose]() {
      await ngrok[Symbol.asyncDispose]();
      await api.close();
    },
  };
}

describe("a domain", () => {
  test("is reserved, found by id and by host, changed, emptied and removed", async ({ expect }) => {
    await using world = await start();
    const { domains } = world.ngrok;
    const body = { domain: "a.example.com", description: "d", metadata: "m", resolvesTo: [{ value: "eu" }] };
    const made = await domains.change({ is: "create", body }, forever);
    expect(made).toMatchObject({ ...body, id: expect.stringMatching(/^rd_/) });
    expect(made.cnameTarget).toMatch(/./);
    expect(await domains.find({ id: made.id }, forever)).toEqual(made);
    expect(await domains.find({ host: "A.example.com" }, forever)).toEqual(made);
    expect(await domains.find({ id: "rd_gone", host: "a.example.com" }, forever)).toEqual(made);
    expect(await domains.find({ id: "rd_gone" }, forever)).toBeUndefined();
    expect(await domains.find({ id: "", host: "b.example.com" }, forever)).toBeUndefined();
    const patch = { description: "", resolvesTo: [] };
    const after = await domains.change({ is: "update", id: made.id, patch }, forever);
    expect([after.description, after.metadata, after.resolvesTo]).toEqual(["", "m", []]);
    expect(await domains.change({ is: "none", remote: after }, forever)).toBe(after);
    expect(await domains.remove(made.id, forever)).toBe("deleted");
    expect(await domains.remove(made.id, forever)).toBe("gone");
  });

  test("shows its certificate, or why there is none", async ({ expect }) => {
    await using world = await start();
    const { api, ngrok } = world;
    const id = await api.add("/reserved_domains", { domain: "a.example.com" });
    const made = await ngrok.domains.find({ id }, forever);
    expect(made?.certificate?.id).toMatch(/./);
    expect(made?.certificateManagementPolicy).toMatchObject({ authority: expect.stringMatching(/./) });
    const job = { error_code: "ERR_NGROK_1", msg: "no CNAME", started_at: "2026-01-01T00:00:00Z", retries_at: null };
    api.edit("/reserved_domains", id, {
      certificate: null,
      certificate_management_status: { renews_at: null, provisioning_job: job },
    });
    expect(await ngrok.domains.find({ id }, forever)).toMatchObject({
      certificate: undefined,
      certificateManagementStatus: {
        provisioningJob: { errorCode: "ERR_NGROK_1", message: "no CNAME", startedAt: "2026-01-01T00:00:00Z" },
      },
    });
  });
});

describe("a cloud endpoint", () => {
  const trafficPolicy = '{"on_http_request":[{"actions":[{"type":"deny"}]}]}';
  const body = { url: "https://a.internal", description: "d", metadata: "m", trafficPolicy, bindings: ["internal"] };

  test("is made, found, changed, emptied and removed", async ({ expect }) => {
    await using world = await start();
    const { endpoints } = world.ngrok;
    const made = await endpoints.change({ is: "create", body: { ...body, poolingEnabled: true } }, forever);
    expect(made).toMatchObject({ ...body, poolingEnabled: true, type: "cloud" });
    expect(await endpoints.find({ id: made.id }, forever)).toEqual(made);
    const patch = { trafficPolicy: "", description: "", poolingEnabled: false };
    const after = await endpoints.change({ is: "update", id: made.id, patch }, forever);
    expect(after).toMatchObject({ trafficPolicy: "", description: "", poolingEnabled: false, metadata: "m" });
    expect(await endpoints.remove(made.id, forever)).toBe("deleted");
    expect(await endpoints.find({ id: made.id }, forever)).toBeUndefined();
  });

  test("is matched by URL however it is written, and by exactly its metadata", async ({ expect }) => {
    await using world = await start();
    const { endpoints } = world.ngrok;
    const { id } = await endpoints.change({ is: "create", body }, forever);
    const ids = async (url: string, metadata: string) =>
      (await endpoints.matching({ url, metadata }, forever)).map((remote) => remote.id);
    expect(await ids("https://a.internal", "m")).toEqual([id]);
    expect(await ids("HTTPS://A.internal:443/", "m")).toEqual([id]);
    expect(await ids("https://a.internal:8443", "m")).toEqual([]);
    expect(await ids("http://a.internal", "m")).toEqual([]);
    expect(await ids("https://a.internal", "M")).toEqual([]);
  });
});

describe("an IP policy", () => {
  test("is made with its rules, which are told from others' and changed one by one", async ({ expect }) => {
    await using world = await start();
    const { ipPolicies } = world.ngrok;
    const body = { description: "d", metadata: "m" };
    const policy = await ipPolicies.change({ is: "create", body }, forever);
    const other = await ipPolicies.change({ is: "create", body: { description: "other" } }, forever);
    const add = async (policyId: string, cidr: string, action: "allow" | "deny") =>
      await ipPolicies.changeRule({ is: "create", body: { policyId, cidr, action, description: "r" } }, forever);
    const rule = await add(policy.id, "10.0.0.0/8", "allow");
    await add(other.id, "10.0.0.0/8", "deny");
    await add(policy.id, "2001:db8::/32", "deny");
    expect(rule).toMatchObject({ policyId: policy.id, cidr: "10.0.0.0/8", action: "allow", description: "r" });
    const rules = await ipPolicies.rules({ policyId: policy.id }, forever);
    expect(rules.map(({ cidr, action }) => `${action} ${cidr}`).toSorted()).toEqual([
      "allow 10.0.0.0/8",
      "deny 2001:db8::/32",
    ]);
    const patch = { description: "", metadata: "rule" };
    expect(await ipPolicies.changeRule({ is: "update", id: rule.id, patch }, forever)).toMatchObject(patch);
    expect(await ipPolicies.removeRule(rule.id, forever)).toBe("deleted");
    expect(await ipPolicies.rules({ policyId: policy.id }, forever)).toHaveLength(1);
    expect(await ipPolicies.matching(body, forever)).toEqual([policy]);
    expect(await ipPolicies.find({ id: policy.id }, forever)).toEqual(policy);
    expect(await ipPolicies.remove(policy.id, forever)).toBe("deleted");
    expect(await ipPolicies.rules({ policyId: policy.id }, forever)).toEqual([]);
  });

  test("whose rule ngrok does not understand gets ngrok's code", async ({ expect }) => {
    await using world = await start();
    const { ipPolicies } = world.ngrok;
    const { id } = await ipPolicies.change({ is: "create", body: {} }, forever);
    const body = { policyId: id, cidr: "10.0.0.0/99", action: "allow" } as const;
    await expect(ipPolicies.changeRule({ is: "create", body }, forever)).rejects.toMatchObject({
      class: "invalid",
      code: "ERR_NGROK_1406",
    });
  });

  test("rules of many policies are read in one list", async ({ expect }) => {
    await using world = await start();
    const { api, ngrok } = world;
    const ids = await Promise.all(Array.from({ length: 50 }, () => api.add("/ip_policies", {})));
    await Promise.all(ids.map((id) => ngrok.ipPolicies.rules({ policyId: id }, forever)));
    expect(api.count("GET", "/ip_policy_rules")).toBe(1);
  });
});

describe("a registration", () => {
  const deployment = { name: "ngrok-operator", namespace: "ngrok", version: "0.1.0" };

  test("is made with its certificate, matched by release, changed, emptied and removed", async ({ expect }) => {
    await using world = await start();
    const { operators } = world.ngrok;
    const { csr } = await operators.keyAndRequest();
    const binding = { endpointSelectors: ["true"], csr };
    const body = {
      description: "d",
      metadata: "m",
      enabledFeatures: ["bindings"],
      region: "global",
      deployment,
      binding,
    };
    const made = await operators.change({ is: "create", body }, forever);
    expect(made).toMatchObject({ description: "d", enabledFeatures: ["bindings"], region: "global", deployment });
    expect(made.binding?.cert?.cert).toContain("BEGIN CERTIFICATE");
    expect(Date.parse(made.binding?.cert?.notAfter ?? "")).toBeGreaterThan(Date.now());
    expect(made.binding?.ingressEndpoint).toMatch(/:443$/);
    expect(await operators.matching({ name: "ngrok-operator", namespace: "ngrok" }, forever)).toEqual([made]);
    expect(await operators.matching({ name: "ngrok-operator", namespace: "other" }, forever)).toEqual([]);
    const patch = { enabledFeatures: [], deployment: { name: "ngrok-operator", version: "0.2.0" } };
    const after = await operators.change({ is: "update", id: made.id, patch }, forever);
    expect(after).toMatchObject({ enabledFeatures: [], deployment: { ...deployment, version: "0.2.0" } });
    expect(await operators.remove(made.id, forever)).toBe("deleted");
    expect(await operators.find({ id: made.id }, forever)).toBeUndefined();
  });

  test("lists the endpoints that are bound to it, also beside entries that are none", async ({ expect }) => {
    await using world = await start();
    const { api, ngrok } = world;
    const binding = { endpoint_selectors: ["true"] };
    const id = await api.add("/kubernetes_operators", { deployment, binding, enabled_features: ["bindings"] });
    const endpoint = await api.add("/endpoints", { type: "cloud", url: "http://svc.ns:80", bindings: ["kubernetes"] });
    const bound = [];
    for await (const page of ngrok.operators.boundEndpoints(id, forever)) bound.push(...page);
    expect(bound).toMatchObject([{ id: endpoint, proto: "http", publicUrl: expect.stringContaining("svc.ns") }]);
    const nobodys = async () => {
      for await (const page of ngrok.operators.boundEndpoints("k8sop_gone", forever)) bound.push(...page);
    };
    await expect(nobodys()).rejects.toMatchObject({ class: "gone" });
    const text = JSON.stringify({ endpoints: [null, { public_url: "http://a.b" }, { id: "ep_1", proto: 7 }] });
    api.faults.add({ kind: "status", status: 200, text, match: { path: /bound_endpoints/ } });
    for await (const page of ngrok.operators.boundEndpoints(id, forever)) bound.push(...page);
    const none = { id: "", uri: "", proto: "", publicUrl: "" };
    expect(bound.slice(1)).toEqual([none, { ...none, publicUrl: "http://a.b" }, { ...none, id: "ep_1" }]);
  });
});

describe("a reserved address", () => {
  test("is picked by ngrok, found by id, address and metadata, changed and removed", async ({ expect }) => {
    await using world = await start();
    const { addresses } = world.ngrok;
    const made = await addresses.change({ is: "create", body: { description: "d", metadata: "svc" } }, forever);
    expect(made.addr).toMatch(/^[^:]+:\d+$/);
    expect(await addresses.find({ id: made.id }, forever)).toEqual(made);
    expect(await addresses.find({ addr: made.addr }, forever)).toEqual(made);
    expect(await addresses.matching({ metadata: "svc" }, forever)).toEqual([made]);
    expect(await addresses.matching({ metadata: "other" }, forever)).toEqual([]);
    const after = await addresses.change({ is: "update", id: made.id, patch: { description: "" } }, forever);
    expect([after.description, after.metadata]).toEqual(["", "svc"]);
    expect(await addresses.remove(made.id, forever)).toBe("deleted");
  });
});

test.for(["", "../kubernetes_operators/k8sop_1", "..", "a/b", "a?b"])(
  "an id like %j reaches nothing",
  async (id, { expect }) => {
    await using world = await start();
    const { api, ngrok } = world;
    await expect(ngrok.endpoints.remove(id, forever)).rejects.toMatchObject({ class: "invalid" });
    await expect(ngrok.endpoints.find({ id }, forever)).rejects.toMatchObject({ class: "invalid" });
    expect(api.ledger.total).toBe(0);
  },
);
