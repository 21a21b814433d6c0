// Our agent with the real SDK behind a company's proxy: the session goes through its tunnel, whatever the SDK can do itself.
import { createHash, randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { connectProxy, type ConnectProxyOptions } from "#test/support/connect-proxy.ts";
import { isUp, startAgent, type TestAgentOptions } from "#test/support/edge-agents.ts";
import { freePort } from "#test/support/forwarding.ts";
import { startNgrokEdge } from "#test/support/ngrok-edge/edge.ts";
import { httpUpstream, tcpEcho } from "#test/support/ngrok-edge/upstreams.ts";
import { dial, exchange, visit } from "#test/support/ngrok-edge/visitors.ts";
import { proxyFrom } from "#wire/proxy-from.ts";

const LOGIN = "agent:hunter2";

/** An edge, a proxy, and an agent whose environment names the proxy. */
async function ground({ NO_PROXY = "", ...options }: ConnectProxyOptions & { NO_PROXY?: string } = {}) {
  const stack = new AsyncDisposableStack();
  const edge = await startNgrokEdge();
  stack.defer(async () => await edge.close());
  const proxy = stack.use(await connectProxy({ login: LOGIN, ...options }));
  const begin = (more: TestAgentOptions = {}) =>
    stack.use(startAgent(edge, { proxy: proxyFrom({ HTTPS_PROXY: proxy.url, NO_PROXY }), ...more }));
  return { edge, proxy, begin, [Symbol.asyncDispose]: async () => await stack.disposeAsync() };
}

test("a session and all that runs through it go through the proxy", async () => {
  await using at = await ground();
  await using upstream = await httpUpstream();
  await using echo = await tcpEcho();
  const agent = at.begin();
  await agent.until("it has a session", () => isUp(agent.agent.state));
  expect(at.proxy.opened).toEqual([at.edge.serverAddr]);
  await agent.open({ url: "https://app.test" }, upstream.url);
  expect((await visit(at.edge, "app.test", { path: "/hello" })).body).toMatchObject({ url: "/hello" });
  const tcp = await agent.open({ url: "tcp://" }, `tcp://127.0.0.1:${echo.port}`);
  const bytes = randomBytes(3_000_000);
  const digest = (text: Buffer): string => createHash("sha256").update(text).digest("hex");
  expect(digest(await exchange(dial(at.edge.tcpPort(tcp.url) ?? 0), bytes))).toBe(digest(bytes));
  expect(at.proxy.opened).toHaveLength(1);
});

test.for(["127.0.0.0/8,localhost", "*"])("what NO_PROXY=%s names is reached directly", async (NO_PROXY, { expect }) => {
  await using at = await ground({ NO_PROXY });
  const agent = at.begin();
  await agent.until("it has a session", () => isUp(agent.agent.state));
  expect(at.proxy.opened).toEqual([]);
});

test("a proxy that cuts its tunnels costs a session, and the next one goes through it again", async () => {
  await using at = await ground();
  await using upstream = await httpUpstream();
  const agent = at.begin();
  await agent.until("it has a session", () => isUp(agent.agent.state));
  const opened = await agent.open({ url: "https://app.test" }, upstream.url);
  at.proxy.cut();
  await agent.until("the loss is told", () => !opened.isOpen);
  await agent.until("there is a session again", () => isUp(agent.agent.state));
  expect(at.proxy.opened).toEqual([at.edge.serverAddr, at.edge.serverAddr]);
  await agent.open({ url: "https://app.test" }, upstream.url);
  expect((await visit(at.edge, "app.test")).status).toBe(200);
});

test("an edge that leaves is told through the proxy as well", async () => {
  await using at = await ground();
  const agent = at.begin();
  await agent.until("it has a session", () => isUp(agent.agent.state));
  at.edge.sessions()[0]?.drop();
  await agent.until("the loss is told", () => agent.told.some((line) => line.includes("was lost")));
  await agent.until("there is a session again", () => isUp(agent.agent.state));
  expect(at.edge.journal.count({ kind: "authenticated" })).toBe(2);
});

test.for<{ what: string; proxy: (url: string) => string; options?: ConnectProxyOptions; says: string }>([
  {
    what: "does not know the user",
    proxy: (url) => url.replace("agent:", "other:"),
    says: "extraEnv.HTTPS_PROXY",
  },
  { what: "lets nobody through", proxy: (url) => url, options: { refuses: 403 }, says: "proxy.noProxy" },
  { what: "has no address of one", proxy: () => "agent:hunter2@proxy:3128", says: "proxy.httpsProxy" },
])(
  "a proxy that $what is told with the remedy, and never the password",
  async ({ proxy, options, says }, { expect }) => {
    await using at = await ground(options);
    const agent = at.begin({ proxy: () => proxy(at.proxy.url) });
    await agent.until("it is down", () => agent.agent.state.is === "down");
    const failure: unknown = await agent.open({ url: "https://app.test" }, "http://127.0.0.1:9").catch(String);
    const said = [...agent.told, String(failure)].join("\n");
    expect(said).toContain(says);
    expect(said).not.toContain("hunter2");
    expect(at.edge.journal.count({ kind: "authenticated" })).toBe(0);
  },
);

test("an agent whose proxy comes later than itself has its session when it does", async () => {
  await using at = await ground();
  const port = await freePort();
  let isThere = false;
  const agent = at.begin({ proxy: () => (isThere ? at.proxy.url : `http://agent:hunter2@127.0.0.1:${port}`) });
  await agent.until("it is down", () => agent.agent.state.is === "down");
  expect(agent.told.join()).toContain("connection refused");
  isThere = true;
  await agent.until("there is a session", () => isUp(agent.agent.state));
});

test("an edge whose certificate is not trusted is refused behind a proxy as well, with the settings to look at", async () => {
  await using at = await ground();
  const agent = at.begin({ extraRoots: [] });
  await agent.until("it is refused", () => agent.agent.state.is === "down");
  expect(agent.told.join()).toContain("rootCAs");
  expect(at.edge.journal.count({ kind: "authenticated" })).toBe(0);
});
