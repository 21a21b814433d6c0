// A forwarder behind a company's proxy: TLS to the binding ingress goes through its tunnel, so that only the two of them
// know what is said, and a pod sees no difference.
import { createHash, randomBytes } from "node:crypto";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { connectProxy, type ConnectProxyOptions } from "#test/support/connect-proxy.ts";
import { come, endOf, exchange, freePort, talking, withEcho } from "#test/support/forwarding.ts";
import { edgeAuthority } from "#test/support/ngrok-edge/certificates.ts";
import { proxyFrom } from "#wire/proxy-from.ts";

const LOGIN = "forwarder:hunter2";

/** A forwarder whose environment names the proxy. */
async function ground({ NO_PROXY = "", ...options }: ConnectProxyOptions & { NO_PROXY?: string } = {}) {
  const proxy = await connectProxy({ login: LOGIN, ...options });
  const world = await withEcho({ limits: { tellMs: 0 }, proxy: proxyFrom({ HTTPS_PROXY: proxy.url, NO_PROXY }) });
  const dispose = async (): Promise<void> => {
    await world[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
  };
  return { ...world, proxy, [Symbol.asyncDispose]: dispose };
}

test("bytes pass through the proxy both ways, and each way ends by itself", async () => {
  await using world = await ground();
  const port = await world.serve();
  const bytes = randomBytes(3_000_000);
  const digest = (text: Buffer): string => createHash("sha256").update(text).digest("hex");
  const back = await Promise.all(Array.from({ length: 5 }, async () => await exchange(port, bytes)));
  expect(new Set(back.map(digest))).toEqual(new Set([digest(bytes)]));
  expect(world.proxy.opened).toEqual(Array.from({ length: 5 }, () => `localhost:${world.ingress.port}`));
  await expect.poll(() => world.forwarder.connections).toBe(0);
});

test("a proxy that speaks TLS itself carries the TLS to the ingress", async () => {
  const authority = await edgeAuthority();
  const before = getCACertificates("default");
  setDefaultCACertificates([authority.cert]);
  onTestFinished(() => setDefaultCACertificates(before));
  await using world = await ground({ tls: await authority.issue(["localhost"]) });
  const bytes = randomBytes(1_000_000);
  const back = await exchange(await world.serve(), bytes);
  expect(back.equals(bytes)).toBe(true);
  expect(world.proxy.opened).toHaveLength(1);
});

test("what NO_PROXY names is reached directly", async () => {
  await using world = await ground({ NO_PROXY: "localhost" });
  expect(String(await exchange(await world.serve(), "x"))).toBe("x");
  expect(world.proxy.opened).toEqual([]);
});

test("a proxy that cuts its tunnels resets the pod's connection, so that half is not taken for the whole", async () => {
  await using world = await ground();
  const port = await world.serve();
  const socket = await talking(port);
  world.proxy.cut();
  expect(await endOf(socket)).toBe("reset");
  expect(String(await exchange(port, "again"))).toBe("again");
});

test("a pod that breaks off is let go at the endpoint through the proxy", async () => {
  await using world = await ground();
  const socket = await talking(await world.serve());
  socket.resetAndDestroy();
  await world.ingress.journal.until("it is closed", () => world.ingress.connections().length === 0);
  await expect.poll(() => world.forwarder.connections).toBe(0);
});

test.for<{ what: string; options?: ConnectProxyOptions; proxy?: () => Promise<string> | string; says: string }>([
  { what: "lets nobody through", options: { refuses: 403 }, says: "proxy.noProxy" },
  {
    what: "does not know the user",
    options: { login: "else:where" },
    says: "extraEnv.HTTPS_PROXY",
  },
  {
    what: "is not there",
    proxy: async () => `http://${LOGIN}@127.0.0.1:${await freePort()}`,
    says: "address and port",
  },
  { what: "has no address of one", proxy: () => `${LOGIN}@proxy:3128`, says: "proxy.httpsProxy" },
])("a proxy that $what is told with the remedy, and never the password", async (row, { expect }) => {
  await using proxy = await connectProxy({ login: LOGIN, ...row.options });
  const url = ((await row.proxy?.()) ?? proxy.url).replace("else:where", LOGIN);
  await using world = await withEcho({ limits: { tellMs: 0 }, proxy: () => url });
  const port = await world.serve();
  // Where there is nothing to wait for, it is reset as it comes.
  expect(await come(port).then(endOf, () => "reset")).toBe("reset");
  const { message = "", hint = "" } = world.forwarder.failure("ops/web") ?? {};
  expect(hint).toContain(row.says);
  expect([message, hint, ...world.lines].join("\n")).not.toContain("hunter2");
});
