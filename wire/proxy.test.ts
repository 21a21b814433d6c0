// Calls through an HTTP proxy: the server is reached by a tunnel, and the fence is asked no earlier than without one.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { inspect } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { connectProxy } from "#test/support/connect-proxy.ts";
import { FenceLost } from "./errors.ts";
import { http } from "./http.ts";

const { signal } = new AbortController();

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("a call goes through the proxy's tunnel, a lost fence stops it there too", async () => {
  const reached: string[] = [];
  const origin = await listening(
    createServer((request, response) => {
      reached.push(request.url ?? "");
      response.end("reached");
    }),
  );
  await using proxy = await connectProxy();
  const client = await http({ origin, proxy: proxy.url });
  onTestFinished(async () => await client[Symbol.asyncDispose]());
  const call = { method: "GET", signal, timeoutMs: 30_000 } as const;
  expect((await client.send({ ...call, path: "/one" })).text).toBe("reached");
  expect(proxy.opened).toEqual([new URL(origin).host]);
  const fence = {
    signal,
    assertMayWrite() {
      throw new FenceLost("lost");
    },
  };
  await expect(client.send({ ...call, path: "/two", fence })).rejects.toBeInstanceOf(FenceLost);
  expect(reached).toEqual(["/one"]);
});

test("a proxy that is not there is told as what it is", async () => {
  const client = await http({ origin: "https://127.0.0.1:1", proxy: "http://127.0.0.1:1" });
  onTestFinished(async () => await client[Symbol.asyncDispose]());
  await expect(client.send({ method: "GET", path: "/", signal, timeoutMs: 30_000 })).rejects.toMatchObject({
    class: "transient",
  });
});

test("a proxy whose address is none is told with the names of the values, and not repeated", async () => {
  const failure: unknown = await http({ origin: "https://api.test", proxy: "me:hunter2@proxy:3128" }).catch(
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ class: "invalid", code: "ProxyAddress" });
  expect((failure as Error & { hint?: string }).hint).toContain("proxy.httpsProxy");
  expect(inspect(failure)).not.toContain("hunter2");
});
