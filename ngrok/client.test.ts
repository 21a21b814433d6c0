// The client against a stand-in of ngrok over real HTTP: connecting, the key, pages, lookups by key, lost answers.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { describe, test } from "vitest";
import { systemClock } from "#wire/clock.ts";
import { FenceLost } from "#wire/errors.ts";
import { afterUninstall } from "#wire/fence.ts";
import { testClock } from "#test/support/clock.ts";
import { startNgrokApi } from "#test/support/ngrok-api/server.ts";
import { baseOf, connectNgrok, type NgrokOptions } from "./client.ts";

const forever = new AbortController().signal;
const apiKey = "2abcSECRETSECRETSECRET";

function connect(apiUrl: string, overrides: Partial<NgrokOptions> = {}) {
  const fence = afterUninstall(forever);
  return connectNgrok({ apiUrl, apiKey, userAgent: "test", clock: systemClock, fence, signal: forever, ...overrides });
}

describe("the address", () => {
  test("is ngrok's own unless another is given, whose path is kept", ({ expect }) => {
    expect(baseOf()).toEqual({ origin: "https://api.ngrok.com", path: "" });
    expect(baseOf("http://10.0.0.1:8080/to/ngrok/")).toEqual({ origin: "http://10.0.0.1:8080", path: "/to/ngrok" });
  });

  test.for(["", "api.ngrok.com", "localhost:4040", "ftp://x", "https://", "https://u:p@x", "https://x?a=b"])(
    "%s is refused with what it should look like",
    (apiUrl, { expect }) => {
      expect(() => baseOf(apiUrl)).toThrow(
        expect.objectContaining({ class: "invalid", hint: expect.stringContaining("https://api.ngrok.com") }),
      );
    },
  );
});

describe("the key", () => {
  test("is accepted by ngrok, or refused with what to do", async ({ expect }) => {
    await using api = await startNgrokApi({ keys: [apiKey] });
    await using good = connect(api.url, { apiKey: `${apiKey}\n`, fence: undefined });
    await good.verifyKey(forever);
    await using wrong = connect(api.url, { apiKey: "wrongwrong" });
    await expect(wrong.verifyKey(forever)).rejects.toMatchObject({
      class: "invalid",
      hint: expect.stringMatching(/API key is not valid/),
    });
  });

  test.for(["", " \n", "two words", "schlüssel"])("%j cannot be one", (bad, { expect }) => {
    expect(() => connect("http://127.0.0.1:1", { apiKey: bad })).toThrow(
      expect.objectContaining({ class: "invalid", hint: expect.stringContaining("Secret") }),
    );
  });

  test("is not seen in the client", async ({ expect }) => {
    await using ngrok = connect("http://127.0.0.1:1");
    expect(inspect(ngrok, { depth: 10, showHidden: true })).not.toContain("SECRET");
  });
});

test("an address where nobody answers is told with its remedy", async ({ expect }) => {
  await using ngrok = connect("http://127.0.0.1:1", { clock: testClock({ hurry: true }) });
  await expect(ngrok.verifyKey(forever)).rejects.toMatchObject({
    class: "transient",
    message: expect.stringContaining("http://127.0.0.1:1"),
    hint: expect.stringMatching(/./),
  });
});

test("a creation that never left is not ambiguous", async ({ expect }) => {
  await using ngrok = connect("http://127.0.0.1:1", { clock: testClock({ hurry: true }) });
  const create = ngrok.ipPolicies.change({ is: "create", body: {} }, forever);
  await expect(create).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

describe("the right to write", () => {
  test("is asked as bytes leave, and given to the same client later", async ({ expect }) => {
    await using api = await startNgrokApi();
    await using reader = connect(api.url, { fence: undefined });
    const create = { is: "create", body: { description: "a" } } as const;
    await expect(reader.ipPolicies.change(create, forever)).rejects.toThrow(FenceLost);
    const lost = { signal: forever, assertMayWrite: () => throwLost() };
    await expect(reader.under(lost).ipPolicies.change(create, forever)).rejects.toThrow(FenceLost);
    expect(api.ledger.total).toBe(0);
    expect((await reader.under(afterUninstall(forever)).ipPolicies.change(create, forever)).description).toBe("a");
  });
});

describe("the end of the client", () => {
  test("ends calls in flight", async ({ expect }) => {
    await using api = await startNgrokApi();
    api.faults.add({ kind: "hang" });
    const life = new AbortController();
    await using ngrok = connect(api.url, { signal: life.signal });
    const hanging = ngrok.verifyKey(forever);
    setImmediate(() => life.abort(new Error("the end")));
    await expect(hanging).rejects.toThrow();
  });
});

describe("a lookup by key", () => {
  const metadata = '{"owned-by":"ngrok-operator"}';
  const body = (n: number) => ({ type: "cloud", url: `https://h${n}.internal`, metadata, bindings: ["internal"] });

  test("reads all pages, and two thousand at once read them once", async ({ expect }) => {
    await using api = await startNgrokApi();
    for (let n = 0; n < 250; n += 1) await api.add("/endpoints", body(n));
    await using ngrok = connect(api.url);
    const found = await Promise.all(
      Array.from({ length: 2_000 }, (_, n) =>
        ngrok.endpoints.matching({ url: `https://h${n}.internal`, metadata }, forever),
      ),
    );
    expect(found.filter((same) => same.length === 1)).toHaveLength(250);
    expect(found[7]?.[0]?.url).toBe("https://h7.internal");
    expect(api.count("GET", "/endpoints")).toBe(3);
  });

  test("sees what was made before it was asked, each time", async ({ expect }) => {
    await using api = await startNgrokApi();
    await using ngrok = connect(api.url);
    for (let n = 0; n < 3; n += 1) {
      expect(await ngrok.endpoints.matching({ url: body(n).url, metadata }, forever)).toEqual([]);
      await api.add("/endpoints", body(n));
      expect(await ngrok.endpoints.matching({ url: body(n).url, metadata }, forever)).toHaveLength(1);
    }
  });

  test("content with an earlier instant costs one list, and still knows what we made since", async ({ expect }) => {
    await using api = await startNgrokApi();
    await using ngrok = connect(api.url);
    const old = await api.add("/endpoints", body(0));
    const asOf = systemClock.now();
    const ask = async (n: number) => await ngrok.endpoints.matching({ url: body(n).url, metadata, asOf }, forever);
    expect(await ask(0)).toMatchObject([{ id: old }]);
    for (let n = 1; n < 20; n += 1) {
      expect(await ask(n)).toEqual([]);
      const made = { url: body(n).url, metadata, bindings: ["internal"] };
      const { id } = await ngrok.endpoints.change({ is: "create", body: made }, forever);
      expect(await ask(n)).toMatchObject([{ id }]);
      await ngrok.endpoints.remove(id, forever);
      expect(await ask(n)).toEqual([]);
    }
    const lists = api.ledger.entries().filter(({ method, path }) => method === "GET" && path === "/endpoints");
    expect(lists).toHaveLength(1);
  });

  test("finds a creation whose answer was lost, however old a list would do", async ({ expect }) => {
    await using api = await startNgrokApi();
    await using ngrok = connect(api.url);
    const asOf = systemClock.now();
    const made = { url: body(1).url, metadata, bindings: ["internal"] };
    expect(await ngrok.endpoints.matching({ ...made, asOf }, forever)).toEqual([]);
    api.faults.add({ kind: "reset", after: "commit", match: { method: "POST" } });
    await expect(ngrok.endpoints.change({ is: "create", body: made }, forever)).rejects.toMatchObject({
      class: "transient",
      code: "Ambiguous",
    });
    expect(await ngrok.endpoints.matching({ ...made, asOf }, forever)).toHaveLength(1);
    expect(api.count("POST", "/endpoints")).toBe(1);
  });

  test("fails when a page does, and never answers with half a list", async ({ expect }) => {
    await using api = await startNgrokApi();
    for (let n = 0; n < 150; n += 1) await api.add("/endpoints", body(n));
    api.faults.add({ kind: "status", status: 500, skip: 1, times: Number.POSITIVE_INFINITY });
    await using ngrok = connect(api.url, { clock: testClock({ hurry: true }) });
    const lookup = ngrok.endpoints.matching({ url: "https://other.internal", metadata }, forever);
    await expect(lookup).rejects.toMatchObject({ class: "transient", status: 500 });
  });
});

describe("a list that goes on at another place", () => {
  test("is read there only by its query: the key goes nowhere else", async ({ expect }) => {
    const asked: string[] = [];
    const next = ["https://api.ngrok.com/ip_policies?before_id=ipp_1&limit=1", "https://evil.example.com/steal?a=b"];
    const server = createServer((request, response) => {
      const uri = next[asked.length];
      asked.push(request.url ?? "");
      response.end(JSON.stringify({ ip_policies: [{ id: `ipp_${asked.length}` }], next_page_uri: uri }));
    });
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    await using ngrok = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}/base`);
    const lookup = ngrok.ipPolicies.matching({ description: "d", metadata: "m" }, forever);
    await expect(lookup).rejects.toThrow(/goes on at another place/);
    expect(asked).toEqual(["/base/ip_policies?limit=100", "/base/ip_policies?before_id=ipp_1&limit=1"]);
    server.closeAllConnections();
    server.close();
  });
});

function throwLost(): never {
  throw new FenceLost("another leads");
}
