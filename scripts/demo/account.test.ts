// The accounts that the demo works with. A real one is shown on the stand-in: pods reach it through the relay, only what the
// demo made is counted and deleted, and a key that does not work is one line.
import { expect, test } from "vitest";
import { startNgrokApi } from "#test/support/ngrok-api/server.ts";
import { checkKey, live, standIn } from "./account.ts";

const here = { provider: "embedded", hostIp: "127.0.0.1" } as const;
const headers = { authorization: "Bearer good", "ngrok-version": "2", "content-type": "application/json" };

test("a key is checked before anything is started", async () => {
  await using api = await startNgrokApi({ keys: ["good"] });
  expect(await checkKey("good", api.url)).toBe("good");
  await expect(checkKey("bad", api.url)).rejects.toThrow(/does not take NGROK_API_KEY \(403\): make a new one/);
  await expect(checkKey(undefined)).rejects.toThrow(/--live needs NGROK_API_KEY: make a key at/);
  await expect(checkKey("good", "http://127.0.0.1:9")).rejects.toThrow(/cannot be reached .*check the network/);
});

test("pods work through the relay; what the demo made is counted and cleaned, the rest of the account is left alone", async () => {
  await using api = await startNgrokApi({ keys: ["good"] });
  await api.add("reserved_domains", { domain: "mine.ngrok.app", metadata: "{}" });
  await using account = await live(here, "good", "demo-x", api.url);
  expect(await account.remote()).toEqual({ endpoints: 0, reserved_domains: 0, ip_policies: 0 });

  for (let at = 0; at < 120; at += 1) {
    const body = JSON.stringify({ domain: `d${at}.ngrok.app`, metadata: '{"owned-by":"me","population":"demo-x"}' });
    const made = await fetch(`${account.url}/reserved_domains`, { method: "POST", headers, body });
    expect(made.status).toBe(201);
  }
  const page = await (await fetch(`${account.url}/reserved_domains?limit=100`, { headers })).text();
  expect(page).toContain(`"next_page_uri":"${account.url}/`);
  expect(await account.remote()).toEqual({ endpoints: 0, reserved_domains: 120, ip_policies: 0 });

  await account.clean();
  expect(api.objects("reserved_domains").map((object) => object["domain"])).toEqual(["mine.ngrok.app"]);
});

test("the stand-in's own endpoint is not counted as the operator's, and it is harm when it goes", async () => {
  await using account = await standIn(here, ["bindings"]);
  expect(account.what).toContain(`its binding ingress at ${account.fronts.ingress?.address}`);
  expect(account.fronts.edge).toBeUndefined();
  const request = { headers: { ...headers, authorization: `Bearer ${account.key}` } };
  const list = async (): Promise<{ id: string; url: string }[]> => {
    const answer = await (await fetch(`${account.url}/endpoints`, request)).json();
    return (answer as { endpoints: { id: string; url: string }[] }).endpoints;
  };
  const [own] = await list();
  expect(own?.url).toBe("http://billing.demo-traffic:80");
  const body = JSON.stringify({ type: "cloud", url: "https://shop.internal" });
  await fetch(`${account.url}/endpoints`, { ...request, method: "POST", body });
  expect(await account.remote()).toMatchObject({ endpoints: 1 });
  expect(account.harm()).toEqual([]);

  await fetch(`${account.url}/endpoints/${own?.id}`, { ...request, method: "DELETE" });
  expect(await account.remote()).toMatchObject({ endpoints: 1 });
  expect(account.harm()).toEqual(["the account's own endpoint http://billing.demo-traffic:80 is gone from ngrok"]);
});
