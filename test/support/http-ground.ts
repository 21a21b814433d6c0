// Real servers on loopback, and clients of the wire against them; both end with the test.
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { http, type Http, type HttpOptions, type HttpRequest } from "#wire/http.ts";

const never = new AbortController().signal;

export function get(path: string, more: Partial<HttpRequest> = {}): HttpRequest {
  return { method: "GET", path, signal: never, timeoutMs: 30_000, ...more };
}

export async function serve(listener: RequestListener): Promise<{ origin: string; server: Server }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

export async function clientOf(origin: string, more: Partial<HttpOptions> = {}): Promise<Http> {
  const client = await http({ origin, ...more });
  onTestFinished(async () => await client[Symbol.asyncDispose]());
  return client;
}

export async function failureOf(call: Promise<unknown>): Promise<Error> {
  try {
    await call;
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected the call to fail");
}

/** A latch: the server waits for it, the test opens it. */
export function latch(): { opened: Promise<void>; open: () => void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}
