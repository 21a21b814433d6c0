// The unmodified SDK at the edge: it connects, authenticates, binds, unbinds, is told to stop, and is lost.
import { describe, expect, test } from "vitest";
import { testClock } from "../clock.ts";
import { startSdk } from "./agent/agent.ts";
import { startNgrokEdge, type NgrokEdge } from "./edge.ts";
import { httpUpstream } from "./upstreams.ts";
import { visit } from "./visitors.ts";

const app = { to: "http://127.0.0.1:9", calls: [["domain", "app.test"]] } as const;

describe("an agent comes", () => {
  test("it connects with its authtoken and says who it is", async () => {
    await using edge = await startNgrokEdge({ authtokens: ["an-authtoken"] });
    await using sdk = startSdk();
    await sdk.connect(edge, [
      ["metadata", "about-me"],
      ["clientInfo", "ngrok-operator", "1.2.3"],
    ]);
    expect(edge.sessions()).toHaveLength(1);
    expect(edge.sessions()[0]?.auth).toMatchObject({
      authtoken: "an-authtoken",
      metadata: "about-me",
      clientType: "ngrok-operator",
      version: "1.2.3",
      heartbeatInterval: 10_000,
      heartbeatTolerance: 15_000,
      handles: { stop: true, restart: true, update: true },
    });
  });

  test("a wrong authtoken is refused with ngrok's code, and the token is in no message", async () => {
    await using edge = await startNgrokEdge({ authtokens: ["another"] });
    await using sdk = startSdk();
    await expect(sdk.connect(edge)).rejects.toMatchObject({
      errorCode: "ERR_NGROK_107",
      message: expect.stringContaining("is invalid"),
    });
    await expect(sdk.connect(edge, [["authtoken", ""]])).rejects.toMatchObject({ errorCode: "ERR_NGROK_4018" });
    expect(edge.sessions()).toEqual([]);
    expect(JSON.stringify(edge.journal.events)).not.toContain("an-authtoken");
  });

  test("an agent that does not trust the edge's authority never gets in", async () => {
    await using edge = await startNgrokEdge();
    await using stranger = await startNgrokEdge();
    await using sdk = startSdk();
    const ca = { bytes: Buffer.from(stranger.ca).toString("base64") };
    await expect(sdk.connect(edge, [["caCert", ca]])).rejects.toThrow("tls handshake error");
    expect(edge.sessions()).toEqual([]);
  });
});

describe("endpoints", () => {
  test("an endpoint is bound with what was wished for it, and unbound once though the SDK asks thrice", async () => {
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    const session = await sdk.connect(edge);
    const policy = '{"on_http_request":[]}';
    const listener = await session.bind({
      to: app.to,
      calls: [
        ["domain", "App.test"],
        ["trafficPolicy", policy],
        ["metadata", "mine"],
        ["binding", "internal"],
        ["poolingEnabled", true],
        ["appProtocol", "http2"],
      ],
    });
    expect(listener.url).toBe("https://app.test");
    expect(edge.endpoints()).toMatchObject([
      {
        id: listener.endpoint,
        url: "https://app.test",
        binding: "internal",
        pooling: true,
        metadata: "mine",
        forwardsProto: "http2",
        forwardsTo: `${app.to}/`,
        trafficPolicy: policy,
      },
    ]);
    await listener.close();
    expect(edge.endpoints()).toEqual([]);
    expect(edge.journal.count({ kind: "unbound" })).toBe(1);
  });

  test("hosts and ports that nobody wished for are the edge's choice", async () => {
    await using edge = await startNgrokEdge({ domain: "tunnels.test" });
    await using sdk = startSdk();
    const session = await sdk.connect(edge);
    expect((await session.bind({ to: app.to })).url).toMatch(/^https:\/\/[0-9a-f]{12}\.tunnels\.test$/);
    expect((await session.bind({ to: app.to, calls: [["scheme", "HTTP"]] })).url).toMatch(/^http:\/\/[0-9a-f]{12}\./);
    const { url } = await session.bind({ proto: "tcp", to: "tcp://127.0.0.1:9" });
    expect(url).toBe(`tcp://tunnels.test:${edge.tcpPort(url)}`);
    expect((await session.bind({ proto: "tls", to: "tcp://127.0.0.1:9" })).url).toMatch(/^tls:\/\/[0-9a-f]{12}\./);
  });

  test("one URL is for two sessions only when both pool", async () => {
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    const [one, other] = [await sdk.connect(edge), await sdk.connect(edge)];
    await one.bind(app);
    await expect(other.bind(app)).rejects.toThrow("error_code: ERR_NGROK_334");
    const pooled = {
      to: app.to,
      calls: [
        ["domain", "pool.test"],
        ["poolingEnabled", true],
      ],
    } as const;
    const [first, second] = [await one.bind(pooled), await other.bind(pooled)];
    expect(second.url).toBe(first.url);
    expect(second.endpoint).not.toBe(first.endpoint);
  });

  test("a policy that is none is refused, and the next bind of the session works", async () => {
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    const session = await sdk.connect(edge);
    const calls = [...app.calls, ["trafficPolicy", "[not an object]"]] as const;
    await expect(session.bind({ to: app.to, calls })).rejects.toThrow("error_code: ERR_NGROK_2201");
    await expect(session.bind(app)).resolves.toMatchObject({ url: "https://app.test" });
  });

  test("whoever runs the edge may refuse places that are not reserved", async () => {
    const message = "Reserve it first.";
    await using edge = await startNgrokEdge({
      mayBind: ({ place }) => (place === "mine.test" ? undefined : { message, code: "ERR_NGROK_18006" }),
    });
    await using sdk = startSdk();
    const session = await sdk.connect(edge);
    await expect(session.bind(app)).rejects.toThrow(`${message} error_code: ERR_NGROK_18006`);
    await session.bind({ to: app.to, calls: [["domain", "mine.test"]] });
  });
});

describe("commands of ngrok", () => {
  test("stop, restart and update reach the SDK's handlers", async () => {
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    await sdk.connect(edge);
    const [session] = edge.sessions();
    expect([await session?.stop(), await session?.restart(), await session?.update("9.9")]).toEqual([{}, {}, {}]);
    await sdk.hears("update");
    expect(
      sdk.told.map(({ told, text }) => `${told} ${text}`.trim()).filter((said) => !said.startsWith("heart")),
    ).toEqual(["stop", "restart", "update 9.9"]);
  });

  test("an endpoint that ngrok stops is unbound, and its listener ends with ngrok's words", async () => {
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    const listener = await (await sdk.connect(edge)).bind(app);
    await edge.sessions()[0]?.stopEndpoint(listener.endpoint, { message: "stopped by ngrok", code: "ERR_NGROK_9" });
    await sdk.hears("listenerEnded");
    expect(sdk.told.find(({ told }) => told === "listenerEnded")?.text).toContain("stopped by ngrok");
    await edge.journal.until("it is unbound", () => edge.endpoints().length === 0);
  });
});

describe("an agent goes", () => {
  test("an agent whose process ends leaves no endpoint", async () => {
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    await (await sdk.connect(edge)).bind(app);
    await sdk.kill();
    await edge.journal.until("the agent is lost", () => edge.sessions().length === 0);
    expect(edge.endpoints()).toEqual([]);
  });

  test("a session that closes says nothing, so that its heart alone tells; one that beats is kept", async () => {
    const clock = testClock();
    await using edge = await startNgrokEdge({ clock });
    await using sdk = startSdk();
    const session = await sdk.connect(edge);
    await session.bind(app);
    await clock.advance(24_000);
    expect(edge.sessions()).toHaveLength(1);
    await session.close();
    await clock.advance(2000);
    await edge.journal.until("the agent is lost", () => edge.sessions().length === 0);
    expect(edge.endpoints()).toEqual([]);
    expect(edge.journal.events.at(-1)).toMatchObject({ kind: "lost", why: "its heart stopped" });
  });

  test.for<readonly [string, (edge: NgrokEdge) => unknown]>([
    ["dropped", (edge) => edge.sessions()[0]?.drop()],
    ["sent away", (edge) => edge.sessions()[0]?.goAway()],
    ["left by an edge that restarts", async (edge) => await edge.goDown().then(async () => await edge.comeBack())],
  ])("an agent that was %s comes back as who it was and binds all again", async ([, leave]) => {
    await using upstream = await httpUpstream();
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    const session = await sdk.connect(edge);
    const web = await session.bind({ to: upstream.url, calls: app.calls });
    const random = await session.bind({ to: upstream.url });
    const tcp = await session.bind({ proto: "tcp", to: `tcp://127.0.0.1:${upstream.port}` });
    const urls = () =>
      edge
        .endpoints()
        .map(({ id, url }) => `${id} ${url}`)
        .toSorted();
    const [before, id] = [urls(), edge.sessions()[0]?.id];
    await leave(edge);
    expect(edge.endpoints()).toEqual([]);
    await edge.journal.until("all three are bound again", () => edge.journal.count({ kind: "bound" }) === 6);
    expect(urls()).toEqual(before);
    expect(edge.sessions().map((one) => one.id)).toEqual([id]);
    expect((await visit(edge, "app.test")).status).toBe(200);
    expect((await visit(edge, new URL(random.url).host)).status).toBe(200);
    expect(edge.tcpPort(tcp.url)).toBe(Number(new URL(tcp.url).port));
    await web.close();
    expect(urls()).toHaveLength(2);
  });
});

test("an edge whose port is taken says so and holds no other", async () => {
  await using edge = await startNgrokEdge();
  await expect(startNgrokEdge({ tlsPort: edge.tlsPort })).rejects.toThrow("EADDRINUSE");
});
