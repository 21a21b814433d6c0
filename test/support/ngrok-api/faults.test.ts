// Trouble on demand and the ledger that tells what happened, in this process and over the control surface.
import { describe, test } from "vitest";
import { call, make } from "./caller.ts";
import { startNgrokApi } from "./server.ts";

const aPolicy = { description: "a policy" };
const onCreate = { method: "POST", path: /^\/ip_policies$/ };

describe("faults", () => {
  test("429 with Retry-After hits as often as told, and only what matches", async ({ expect }) => {
    await using api = await startNgrokApi();
    const fault = api.faults.add({ kind: "status", status: 429, retryAfter: 7, times: 2, match: onCreate });
    expect((await call(api, "GET", "/ip_policies")).status).toBe(200);
    const first = await call(api, "POST", "/ip_policies", aPolicy);
    expect([first.status, first.body["status_code"], first.headers.get("retry-after")]).toEqual([429, 429, "7"]);
    expect((await call(api, "POST", "/ip_policies", aPolicy)).status).toBe(429);
    expect((await call(api, "POST", "/ip_policies", aPolicy)).status).toBe(201);
    expect(fault.hits).toBe(2);
    expect(api.faults.list()).toEqual([]);
  });

  test("a fault can let some requests pass first, and be taken back", async ({ expect }) => {
    await using api = await startNgrokApi();
    const fault = api.faults.add({ kind: "status", status: 500, skip: 1, times: Number.POSITIVE_INFINITY });
    const statuses: number[] = [];
    for (let i = 0; i < 3; i += 1) statuses.push((await call(api, "GET", "/endpoints")).status);
    expect(statuses).toEqual([200, 500, 500]);
    fault.remove();
    expect((await call(api, "GET", "/endpoints")).status).toBe(200);
  });

  test("a proxy's error page comes as it is", async ({ expect }) => {
    await using api = await startNgrokApi();
    api.faults.add({ kind: "status", status: 502, text: "<html>Bad Gateway</html>" });
    const { status, text, headers } = await call(api, "GET", "/endpoints");
    expect([status, text, headers.get("content-type")]).toEqual([502, "<html>Bad Gateway</html>", "text/html"]);
  });

  test("a hang gives no answer and changes nothing", async ({ expect }) => {
    const patience = new AbortController();
    // The client gives up as soon as the request hangs.
    await using api = await startNgrokApi({ onRequest: () => patience.abort() });
    api.faults.add({ kind: "hang", match: onCreate });
    const hanging = call(api, "POST", "/ip_policies", aPolicy, { signal: patience.signal });
    await expect(hanging).rejects.toThrow(/abort/i);
    expect(api.state()).toMatchObject({ ip_policies: 0 });
    expect(api.ledger.entries()).toMatchObject([{ method: "POST", status: 0, fault: "hang", changed: false }]);
  });

  test("a reset breaks the connection", async ({ expect }) => {
    await using api = await startNgrokApi();
    api.faults.add({ kind: "reset", match: onCreate });
    await expect(call(api, "POST", "/ip_policies", aPolicy)).rejects.toThrow();
    expect(api.remote()).toBe(0);
  });

  test("a lost answer: the object is made, and nobody hears of it", async ({ expect }) => {
    await using api = await startNgrokApi();
    api.faults.add({ kind: "reset", after: "commit", match: onCreate });
    await expect(call(api, "POST", "/ip_policies", aPolicy)).rejects.toThrow();
    const [policy] = api.objects("ip_policies");
    expect(policy).toMatchObject(aPolicy);
    expect(api.ledger.entries()).toMatchObject([{ id: policy?.["id"], status: 0, fault: "reset", changed: true }]);
  });

  test("an error after the change says 500 although it was made", async ({ expect }) => {
    await using api = await startNgrokApi();
    api.faults.add({ kind: "status", status: 500, after: "commit", match: { method: "DELETE" } });
    const id = await make(api, "/ip_policies", aPolicy);
    expect((await call(api, "DELETE", `/ip_policies/${id}`)).status).toBe(500);
    expect(api.remote()).toBe(0);
    expect(api.ledger.entries().at(-1)).toMatchObject({ id, status: 500, changed: true });
  });

  test.for(["GET", "DELETE"])("half of the answer to %s, then the connection closes", async (method, { expect }) => {
    await using api = await startNgrokApi();
    const id = await make(api, "/ip_policies", aPolicy);
    api.faults.add({ kind: "partial", match: { method } });
    await expect(call(api, method, `/ip_policies/${id}`)).rejects.toThrow();
    expect(api.ledger.entries().at(-1)).toMatchObject({ id, status: 0, fault: "partial" });
  });

  test("latencies add up and leave the turn of other faults alone", async ({ expect }) => {
    await using api = await startNgrokApi({ latencyMs: 5 });
    api.faults.add({ kind: "latency", ms: 5 });
    api.faults.add({ kind: "latency", ms: 5, after: "commit" });
    api.faults.add({ kind: "status", status: 503 });
    api.faults.add({ kind: "status", status: 500 });
    expect((await call(api, "GET", "/endpoints")).status).toBe(503);
    expect((await call(api, "GET", "/endpoints")).status).toBe(500);
    // Timers may fire a fraction of a millisecond early, never late by mistake.
    expect(api.ledger.entries()[0]?.ms).toBeGreaterThan(13);
  });

  test("a latency that is taken away lets go of who waits for it", async ({ expect }) => {
    await using api = await startNgrokApi();
    const slow = api.faults.add({ kind: "latency", ms: 3_600_000, times: Infinity });
    const waiting = call(api, "GET", "/endpoints");
    await expect.poll(() => slow.hits).toBe(1);
    slow.remove();
    expect((await waiting).status).toBe(200);
    expect((await call(api, "GET", "/endpoints")).status).toBe(200);
  });
});

describe("the ledger", () => {
  test("counts by method, collection and status; keeps the newest entries, oldest first", async ({ expect }) => {
    await using api = await startNgrokApi({ ledgerLimit: 3 });
    const id = await make(api, "/ip_policies", aPolicy);
    await call(api, "DELETE", `/ip_policies/${id}`);
    await call(api, "DELETE", `/ip_policies/${id}`);
    await call(api, "GET", "/endpoints?limit=5");
    expect(api.count("DELETE", "/ip_policies")).toBe(2);
    expect(api.count("DELETE", "/ip_policies", 204)).toBe(1);
    expect(api.count("DELETE", "/endpoints")).toBe(0);
    expect(api.count()).toBe(4);
    const entries = api.ledger.entries();
    expect(entries.map(({ method, status }) => `${method} ${status}`)).toEqual(["DELETE 204", "DELETE 404", "GET 200"]);
    expect(entries.at(-1)).toMatchObject({ path: "/endpoints", query: "limit=5", changed: false });
    expect(entries.map(({ at }) => at)).toEqual(entries.map(({ at }) => at).toSorted((a, b) => a - b));
    api.reset();
    expect([api.count(), api.ledger.entries().length]).toEqual([0, 0]);
  });
});

describe("the control surface", () => {
  test("another process plans a fault, reads ledger and state, and resets", async ({ expect }) => {
    await using api = await startNgrokApi();
    const fault = { kind: "status", status: 503, times: "always", match: { method: "POST", path: "^/ip_policies$" } };
    const planned = await call(api, "POST", "/__control/faults", fault);
    expect(planned).toMatchObject({ status: 200, body: { id: 1 } });
    expect((await call(api, "POST", "/ip_policies", aPolicy)).status).toBe(503);
    await call(api, "DELETE", "/__control/faults/1");
    await make(api, "/ip_policies", aPolicy);
    const state = await call(api, "GET", "/__control/state");
    expect(state.body).toMatchObject({ collections: { ip_policies: 1 }, remote: 1, requests: 2 });
    const ledger = await call(api, "GET", "/__control/ledger?method=POST&limit=1");
    expect(ledger.body).toMatchObject({
      counts: { "POST /ip_policies": { 201: 1, 503: 1 } },
      entries: [{ status: 201 }],
    });
    await call(api, "POST", "/__control/reset");
    expect((await call(api, "GET", "/__control/state")).body).toMatchObject({ remote: 0, requests: 0 });
  });

  test("it adds objects and takes rights away", async ({ expect }) => {
    await using api = await startNgrokApi({ keys: ["a-key"] });
    await call(api, "POST", "/__control/objects/reserved_domains", { domain: "by-hand.example.com" });
    expect(api.objects("reserved_domains")).toMatchObject([{ domain: "by-hand.example.com" }]);
    await call(api, "PUT", "/__control/keys", { key: "a-key", rights: "none" });
    expect((await call(api, "GET", "/endpoints")).status).toBe(403);
  });

  test.for([
    ["POST", "/__control/faults", { kind: "earthquake" }, 400],
    ["POST", "/__control/faults", { kind: "hang", tiems: 2 }, 400],
    ["POST", "/__control/faults", { kind: "latency" }, 400],
    ["POST", "/__control/faults", { kind: "hang", match: { path: "(" } }, 400],
    ["PUT", "/__control/keys", { key: "k", rights: "some" }, 400],
    ["GET", "/__control/objects/nothing", undefined, 400],
    ["GET", "/__control/nothing", undefined, 404],
  ] as const)("%s %s %j is refused with a reason", async ([method, path, body, status], { expect }) => {
    await using api = await startNgrokApi();
    const refused = await call(api, method, path, body);
    expect(refused.status).toBe(status);
    expect(refused.body["error"]).toEqual(expect.any(String));
    expect(api.count()).toBe(0);
  });
});
