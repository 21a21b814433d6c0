// Behind a company's proxy: hook and api-manager reach ngrok through it, as the chart's values say, and the API server
// without it. Both are real processes, with the environment that the chart renders.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ConnectProxy, connectProxy } from "#test/support/connect-proxy.ts";
import { type HookRig, hookRig } from "#test/support/hook-rig.ts";
import { leadingManager, seen } from "#test/support/manager-process.ts";

let rig: HookRig;
let proxy: ConnectProxy;

beforeAll(async () => {
  rig = await hookRig();
  proxy = await connectProxy();
});

afterAll(async () => {
  await rig[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

const ngrok = (): string => new URL(rig.api.url).host;

test("the drain deletes at ngrok through the proxy, and asks the API server directly (F25)", async () => {
  await rig.reset();
  await rig.domains(1);
  const before = proxy.opened.length;
  const { code } = await rig.run("drain", { drainPolicy: "Delete", "proxy.httpProxy": proxy.url });
  expect({ code, remote: rig.api.remote() }).toEqual({ code: 0, remote: 0 });
  const opened = proxy.opened.slice(before);
  expect(opened.length).toBeGreaterThan(0);
  expect(new Set(opened)).toEqual(new Set([ngrok()]));
});

test("what proxy.noProxy names is reached directly", async () => {
  await rig.reset();
  await rig.domains(1);
  const before = proxy.opened.length;
  const values = { drainPolicy: "Delete", "proxy.httpProxy": proxy.url, "proxy.noProxy": "127.0.0.0/8" };
  const { code } = await rig.run("drain", values);
  expect({ code, remote: rig.api.remote() }).toEqual({ code: 0, remote: 0 });
  expect(proxy.opened.slice(before)).toEqual([]);
});

test("the api-manager registers at ngrok through the proxy, and takes its Lease directly", async () => {
  await rig.reset();
  const before = proxy.opened.length;
  await using manager = await leadingManager(rig, [], { HTTP_PROXY: proxy.url });
  await seen(
    () => `a tunnel to ngrok is open; the api-manager said: ${manager.log()}`,
    () => proxy.opened.length > before,
  );
  expect(new Set(proxy.opened.slice(before))).toEqual(new Set([ngrok()]));
});
