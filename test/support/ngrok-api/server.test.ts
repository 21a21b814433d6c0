// The wire of the stand-in, as any client of ngrok's API meets it.
import { describe, test } from "vitest";
import { call, make } from "./caller.ts";
import { startNgrokApi } from "./server.ts";

const anEndpoint = { type: "cloud", url: "https://app.example.com" };

describe("an object's life", () => {
  test("it is created with an id of its kind, read, changed, deleted, and then gone", async ({ expect }) => {
    await using api = await startNgrokApi();
    const created = await call(api, "POST", "/endpoints", { ...anEndpoint, description: "mine", metadata: "{}" });
    expect(created.status).toBe(201);
    expect(created.headers.get("content-type")).toBe("application/json");
    const id = String(created.body["id"]);
    expect(id).toMatch(/^ep_[0-9A-Za-z]{27}$/);
    expect(created.body).toMatchObject({
      url: anEndpoint.url,
      bindings: ["public"],
      pooling_enabled: false,
      port: 443,
    });

    const patched = await call(api, "PATCH", `/endpoints/${id}`, { description: "ours" });
    expect(patched).toMatchObject({ status: 200, body: { id, description: "ours", metadata: "{}" } });
    expect((await call(api, "GET", `/endpoints/${id}`)).body).toEqual(patched.body);

    const deleted = await call(api, "DELETE", `/endpoints/${id}`);
    expect([deleted.status, deleted.text]).toEqual([204, ""]);
    const again = await call(api, "DELETE", `/endpoints/${id}`);
    expect(again).toMatchObject({ status: 404, body: { error_code: "ERR_NGROK_222", status_code: 404 } });
    expect(again.body["details"]).toMatchObject({ operation_id: expect.stringMatching(/^op_[0-9A-Za-z]{27}$/) });
  });

  test.for([
    ["/kubernetes_operators", "k8sop", { deployment: { name: "op", namespace: "ngrok" } }],
    ["/reserved_domains", "rd", { domain: "a.example.com" }],
    ["/ip_policies", "ipp", {}],
    ["/reserved_addrs", "ra", {}],
  ] as const)("ids of %s begin with %s_", async ([path, prefix, body], { expect }) => {
    await using api = await startNgrokApi();
    expect(await make(api, path, body)).toMatch(new RegExp(`^${prefix}_[0-9A-Za-z]{27}$`));
    expect(api.state()[path.slice(1)]).toBe(1);
  });
});

describe("pages", () => {
  test("lists go newest first by next_page_uri until it is null, whatever is deleted meanwhile", async ({ expect }) => {
    await using api = await startNgrokApi();
    const made: string[] = [];
    for (let i = 0; i < 250; i += 1) made.push(await api.add("reserved_domains", { domain: `d${i}.example.com` }));
    const seen: string[] = [];
    const sizes: number[] = [];
    for (let next: unknown = "/reserved_domains"; typeof next === "string";) {
      const { status, body } = await call(api, "GET", next);
      expect(status).toBe(200);
      const page = (body["reserved_domains"] as { id: string }[]).map(({ id }) => id);
      sizes.push(page.length);
      seen.push(...page);
      next = body["next_page_uri"];
      if (typeof next === "string") expect(next.startsWith(`${api.url}/reserved_domains?before_id=`)).toBe(true);
      // The object that the next page is counted from goes away between the calls.
      await call(api, "DELETE", `/reserved_domains/${page.at(-1)}`);
    }
    expect(sizes).toEqual([100, 100, 50]);
    expect(seen).toEqual(made.toReversed());
  });

  test("limit is obeyed from 1 to 100 and refused elsewhere, as are parameters that nobody knows", async ({
    expect,
  }) => {
    await using api = await startNgrokApi();
    const keys = await call(api, "GET", "/api_keys?limit=1");
    expect(keys).toMatchObject({ status: 200, body: { keys: [{ token: null }], next_page_uri: null } });
    for (const query of ["limit=0", "limit=101", "limit=many", "page=2"]) {
      expect((await call(api, "GET", `/endpoints?${query}`)).status).toBe(400);
    }
  });
});

describe("who may come in", () => {
  test("no key is 401, a wrong one 403 and quoted back in full, as ngrok does it", async ({ expect }) => {
    await using api = await startNgrokApi({ keys: ["good"] });
    const code = async (key: string | null) => {
      const { status, body } = await call(api, "GET", "/endpoints", undefined, { key });
      return [status, body["error_code"]];
    };
    expect(await code("good")).toEqual([200, undefined]);
    expect(await code(null)).toEqual([401, "ERR_NGROK_200"]);
    expect(await code("bad")).toEqual([403, "ERR_NGROK_202"]);
    expect((await call(api, "GET", "/endpoints", undefined, { key: "bad" })).body["msg"]).toContain("'bad'");
    api.keys.revoke("good");
    expect(await code("good")).toEqual([403, "ERR_NGROK_202"]);
  });

  test("the status for a wrong key can be 401", async ({ expect }) => {
    await using api = await startNgrokApi({ keys: ["good"], wrongKeyStatus: 401 });
    expect((await call(api, "GET", "/endpoints", undefined, { key: "bad" })).status).toBe(401);
  });

  test("a key that may not delete gets 403 for DELETE alone, until it may", async ({ expect }) => {
    await using api = await startNgrokApi({ keys: { "a-key": "no-delete" } });
    const id = await make(api, "/ip_policies", {});
    expect((await call(api, "DELETE", `/ip_policies/${id}`)).status).toBe(403);
    expect(api.remote()).toBe(1);
    api.keys.allow("a-key", "all");
    expect((await call(api, "DELETE", `/ip_policies/${id}`)).status).toBe(204);
    api.keys.allow("a-key", "read");
    expect((await call(api, "POST", "/ip_policies", {})).status).toBe(403);
  });

  test("a request must name version 2 of the API", async ({ expect }) => {
    await using api = await startNgrokApi();
    for (const version of [null, "1"]) {
      const headers = { "ngrok-version": version };
      expect((await call(api, "GET", "/endpoints", undefined, { headers })).status).toBe(400);
    }
  });

  test("above the rate it answers 429 and says when to come again", async ({ expect }) => {
    let now = 1000;
    await using api = await startNgrokApi({ rate: 2, now: () => now });
    await call(api, "GET", "/endpoints");
    now += 20_000;
    await call(api, "GET", "/endpoints");
    const refused = await call(api, "GET", "/endpoints");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "40"]);
    now += 40_000;
    expect((await call(api, "GET", "/endpoints")).status).toBe(200);
  });
});

describe("bad requests", () => {
  test.for([
    ["GET", "/nowhere"],
    ["GET", "/endpoints/"],
    ["GET", "/endpoints/ep_1/more"],
    ["PUT", "/endpoints"],
    ["DELETE", "/api_keys/ak_1"],
    ["GET", "/kubernetes_operators/k8sop_1/other/deep"],
  ] as const)("%s %s is a path that is not there", async ([method, path], { expect }) => {
    await using api = await startNgrokApi();
    const { status, body } = await call(api, method, path);
    expect(status).toBe(404);
    expect(body).toEqual({ status_code: 404, msg: "Not Found", details: { path } });
  });

  test.for([
    ["/endpoints", { ...anEndpoint, color: "red" }, "color"],
    ["/kubernetes_operators", { deployment: { name: "a", namespace: "b", colour: "red" } }, "deployment.colour"],
    [
      "/reserved_domains",
      { domain: "a.example.com", resolves_to: [{ value: "eu", weight: 1 }] },
      "resolves_to[0].weight",
    ],
    ["/ip_policy_rules", { rule: "x" }, "rule"],
    ["/reserved_addrs", { addr: "1.tcp.ngrok.io:1" }, "addr"],
  ] as const)("POST %s refuses a field that it does not know", async ([path, body, field], { expect }) => {
    await using api = await startNgrokApi();
    const refused = await call(api, "POST", path, body);
    expect(refused).toMatchObject({ status: 400, body: { error_code: "ERR_NGROK_214", status_code: 400 } });
    expect(refused.body["msg"]).toContain(`'${field}'`);
    expect(api.remote()).toBe(0);
  });

  test("a field of the wrong type, broken JSON, a form and a body on DELETE are refused", async ({ expect }) => {
    await using api = await startNgrokApi();
    const code = async (method: string, path: string, body: unknown, type = "application/json") =>
      (await call(api, method, path, body, { headers: { "content-type": type } })).body["error_code"];
    expect(await code("POST", "/endpoints", { ...anEndpoint, pooling_enabled: "yes" })).toBe("ERR_NGROK_215");
    expect(await code("POST", "/endpoints", "{")).toBe("ERR_NGROK_212");
    expect(await code("POST", "/endpoints", "url=x", "application/x-www-form-urlencoded")).toBe("ERR_NGROK_210");
    expect(await code("DELETE", "/endpoints/ep_1", {})).toBe("ERR_NGROK_211");
    expect(await code("POST", "/ip_policies", { metadata: "x".repeat(4097) })).toBe("ERR_NGROK_100");
    expect((await call(api, "POST", "/ip_policies", { metadata: "x".repeat(2_000_000) })).status).toBe(413);
  });
});
