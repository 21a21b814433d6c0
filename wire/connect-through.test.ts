// Connections through a proxy's tunnel, and what a proxy can say instead: never with the password that it was told.
import { createServer } from "node:net";
import { buffer } from "node:stream/consumers";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { connectProxy } from "#test/support/connect-proxy.ts";
import { freePort } from "#test/support/forwarding.ts";
import { edgeAuthority } from "#test/support/ngrok-edge/certificates.ts";
import { tcpEcho } from "#test/support/ngrok-edge/upstreams.ts";
import { connectThrough } from "./connect-through.ts";
import { KnownError } from "./errors.ts";

const { signal } = new AbortController();
const LOGIN = "a user:p@ss:w/rd %";

async function echoed(proxy: string, port: number): Promise<string> {
  const socket = await connectThrough(proxy, { host: "localhost", port }, signal);
  socket.end("there and back");
  return String(await buffer(socket));
}

/** All that a person may come to see of it. */
async function saidOf(connecting: Promise<unknown>): Promise<{ error: KnownError; text: string }> {
  const error: unknown = await connecting.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof KnownError)) throw new Error(`it did not fail as it should: ${String(error)}`);
  return { error, text: `${error.message} ${error.hint} ${String(error.cause)}` };
}

test("bytes pass both ways, and each way ends by itself", async () => {
  await using echo = await tcpEcho();
  await using proxy = await connectProxy();
  expect(await echoed(proxy.url, echo.port)).toBe("there and back");
  expect(proxy.opened).toEqual([`localhost:${echo.port}`]);
});

test("a proxy hears the user and the password of its address, whatever characters they have", async () => {
  await using echo = await tcpEcho();
  await using proxy = await connectProxy({ login: LOGIN });
  expect(await echoed(proxy.url, echo.port)).toBe("there and back");
});

test("a proxy that speaks TLS itself is reached by its name", async () => {
  const authority = await edgeAuthority();
  const before = getCACertificates("default");
  setDefaultCACertificates([authority.cert]);
  onTestFinished(() => setDefaultCACertificates(before));
  await using echo = await tcpEcho();
  await using proxy = await connectProxy({ login: LOGIN, tls: await authority.issue(["localhost"]) });
  expect(await echoed(proxy.url, echo.port)).toBe("there and back");
});

test.for([
  [{ login: "somebody:else" }, "invalid", "ProxyRefused", "extraEnv.HTTPS_PROXY"],
  [{ refuses: 403 }, "invalid", "ProxyRefused", "proxy.noProxy"],
  [{ refuses: 503 }, "transient", "ProxyRefused", "it answers 503"],
] as const)("a proxy with %o is told as it is", async ([options, ofClass, code, says], { expect }) => {
  await using proxy = await connectProxy(options);
  const url = proxy.url.replace(/\/\/(.*@)?/, "//me:hunter2@");
  const { error, text } = await saidOf(connectThrough(url, { host: "edge.test", port: 443 }, signal));
  expect([error.class, error.code]).toEqual([ofClass, code]);
  expect(text).toContain(`the proxy ${url.replace("me:hunter2@", "")}`);
  expect(text).toContain(says);
  expect(text).not.toContain("hunter2");
});

test.for(["proxy:3128", "socks5://me:hunter2@proxy", "http://me:hunter2@", "http://me:hunter2%@proxy", "//"])(
  "%s is no address of a proxy, and not repeated",
  async (proxy, { expect }) => {
    const { error, text } = await saidOf(connectThrough(proxy, { host: "edge.test", port: 443 }, signal));
    expect([error.class, error.code]).toEqual(["invalid", "ProxyAddress"]);
    expect(text).toContain("proxy.httpsProxy");
    expect(text).not.toMatch(/hunter2|socks5/);
  },
);

test("a proxy that is not there, and one that hangs up, are no reason to give up", async () => {
  const nobody = `http://me:hunter2@127.0.0.1:${await freePort()}`;
  const { error, text } = await saidOf(connectThrough(nobody, { host: "edge.test", port: 443 }, signal));
  expect([error.class, error.code]).toEqual(["transient", "ECONNREFUSED"]);
  expect(text).not.toContain("hunter2");
  const rude = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  onTestFinished(() => void rude.close());
  const { port } = await new Promise<{ port: number }>((resolve) => {
    rude.once("listening", () => resolve(rude.address() as { port: number }));
  });
  const hungUp = await saidOf(connectThrough(`http://127.0.0.1:${port}`, { host: "edge.test", port: 443 }, signal));
  expect(hungUp.error.class).toBe("transient");
});

test("who waits no more hears why, and the proxy is left", async () => {
  const left = Promise.withResolvers<void>();
  const deaf = createServer((socket) => socket.on("close", () => left.resolve()).resume()).listen(0, "127.0.0.1");
  onTestFinished(() => void deaf.close());
  await new Promise((resolve) => deaf.once("listening", resolve));
  const stop = new AbortController();
  deaf.once("connection", () => stop.abort(new Error("the term ends")));
  const { port } = deaf.address() as { port: number };
  const connecting = connectThrough(`http://127.0.0.1:${port}`, { host: "edge.test", port: 443 }, stop.signal);
  await expect(connecting).rejects.toThrow("the term ends");
  await left.promise;
});
