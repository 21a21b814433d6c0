// Each trouble that the edge can make, as the unmodified SDK meets it.
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { testClock } from "../clock.ts";
import { startSdk } from "./agent/agent.ts";
import { startNgrokEdge } from "./edge.ts";
import { httpUpstream, tcpEcho } from "./upstreams.ts";
import { dial, visit } from "./visitors.ts";

const app = [["domain", "app.test"]] as const;

describe("calls", () => {
  test("a bind that is refused twice works the third time", async () => {
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    const session = await sdk.connect(edge);
    const message = "Too many endpoints.";
    const fault = edge.faults.add({
      on: "bind",
      kind: "refuse",
      message,
      code: "ERR_NGROK_18",
      match: /app\.test/,
      times: 2,
    });
    const bind = async () => await session.bind({ to: "http://127.0.0.1:9", calls: app });
    await session.bind({ to: "http://127.0.0.1:9", calls: [["domain", "other.test"]] });
    for (let i = 0; i < 2; i += 1) await expect(bind()).rejects.toThrow(`${message} error_code: ERR_NGROK_18`);
    expect((await bind()).url).toBe("https://app.test");
    expect(fault.hits).toBe(2);
  });

  test("a connection whose authentication hangs waits until the edge cuts it", async () => {
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    edge.faults.add({ on: "auth", kind: "hang" });
    const connecting = sdk.connect(edge).catch((error: Error) => error.message);
    await edge.journal.until(
      "it beats, which it does before it calls",
      () => edge.journal.count({ kind: "heartbeat" }) > 0,
    );
    expect(edge.sessions()).toEqual([]);
    await edge.goDown();
    expect(await connecting).toContain("failed to connect session");
  });

  test("an answer to a bind that is garbage fails that bind alone", async () => {
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    const session = await sdk.connect(edge);
    edge.faults.add({ on: "bind", kind: "garbage" });
    await expect(session.bind({ to: "http://127.0.0.1:9", calls: app })).rejects.toThrow(
      "failed to deserialize rpc response",
    );
    await expect(session.bind({ to: "http://127.0.0.1:9", calls: app })).resolves.toMatchObject({
      url: "https://app.test",
    });
  });

  test("a bind whose connection drops before its answer fails, and the session comes back without it", async () => {
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    const session = await sdk.connect(edge);
    edge.faults.add({ on: "bind", kind: "drop" });
    await expect(session.bind({ to: "http://127.0.0.1:9", calls: app })).rejects.toThrow(
      "failed to deserialize rpc response",
    );
    await edge.journal.until("it is back", () => edge.journal.count({ kind: "authenticated" }) === 2);
    expect(edge.endpoints()).toEqual([]);
    // The SDK tells nobody when it is done with coming back, and refuses until then.
    const again = async () =>
      await session.bind({ to: "http://127.0.0.1:9", calls: app }).catch((error: Error) => error);
    let bound = await again();
    while (bound instanceof Error) {
      expect(bound.message).toContain("failed to open muxado stream");
      bound = await again();
    }
    expect(bound).toMatchObject({ url: "https://app.test" });
  });

  test("an answer may come late, by the edge's own clock", async () => {
    const clock = testClock();
    await using edge = await startNgrokEdge({ clock });
    await using sdk = startSdk();
    const session = await sdk.connect(edge);
    edge.faults.add({ on: "bind", kind: "latency", ms: 5000 });
    const binding = session.bind({ to: "http://127.0.0.1:9", calls: app });
    await edge.journal.until("the call is there", () => edge.journal.count({ kind: "fault" }) === 1);
    expect(edge.endpoints()).toEqual([]);
    await clock.advance(5000);
    expect((await binding).url).toBe("https://app.test");
  });

  test("beats that are not answered are told to the SDK's user", async () => {
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    edge.faults.add({ on: "heartbeat", kind: "hang", times: Infinity });
    await sdk.connect(edge, [
      ["heartbeatInterval", 1],
      ["heartbeatTolerance", 1],
    ]);
    await sdk.hears("heartbeat");
    expect(sdk.told.find(({ told }) => told === "heartbeat")?.text).toBe("null");
  });
});

describe("connections", () => {
  test("what hangs goes on where it stood once it thaws", async () => {
    await using upstream = await httpUpstream();
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    await (await sdk.connect(edge)).bind({ to: upstream.url, calls: app });
    const [session] = edge.sessions();
    session?.freeze();
    const flying = visit(edge, "app.test");
    await once(upstream.server, "request");
    const order: string[] = [];
    void flying.then(() => order.push("answered"));
    for (let i = 0; i < 50; i += 1) await new Promise((resolve) => setImmediate(resolve));
    order.push("thawed");
    session?.thaw();
    expect((await flying).status).toBe(200);
    expect(order).toEqual(["thawed", "answered"]);
  });

  test("an agent that the edge has forgotten believes in its session, and nobody reaches it", async () => {
    await using upstream = await httpUpstream();
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    await (await sdk.connect(edge)).bind({ to: upstream.url, calls: app });
    edge.sessions()[0]?.forget();
    expect(edge.sessions()).toEqual([]);
    expect((await visit(edge, "app.test")).status).toBe(404);
    expect(sdk.told.filter(({ told }) => told === "disconnected")).toEqual([]);
    expect(edge.journal.count({ kind: "connected" })).toBe(1);
  });

  test("a visitor in flight gets an end when the agent is dropped", async () => {
    await using upstream = await httpUpstream(() => {});
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    await (await sdk.connect(edge)).bind({ to: upstream.url, calls: app });
    const flying = visit(edge, "app.test");
    await once(upstream.server, "request");
    edge.sessions()[0]?.drop();
    const reply = await flying;
    expect([reply.status, reply.headers["ngrok-error-code"]]).toEqual([502, "ERR_NGROK_3004"]);
  });

  test("with a slow window an upstream sends no more than one window until credit comes", async () => {
    const bytes = randomBytes(2_000_000);
    await using upstream = await httpUpstream((_, response) => void response.end(bytes));
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    await (await sdk.connect(edge)).bind({ to: upstream.url, calls: app });
    edge.sessions()[0]?.slowWindow(Infinity);
    const socket = dial(edge.httpPort);
    socket.write("GET / HTTP/1.1\r\nhost: app.test\r\n\r\n");
    let got = 0;
    // One window, less the head and what is a rest of a credit step.
    while (got < 250_000) got += ((await once(socket, "data"))[0] as Buffer).length;
    for (let i = 0; i < 50; i += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(got).toBeLessThan(270_000);
    socket.destroy();
  });

  test.for(["refuse", "hang", "garbage"] as const)("a visitor meets '%s', the next is served", async (kind) => {
    await using upstream = await tcpEcho();
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    const { url } = await (await sdk.connect(edge)).bind({ proto: "tcp", to: upstream.url });
    edge.faults.add(kind === "refuse" ? { on: "proxy", kind, message: "no" } : { on: "proxy", kind });
    const unlucky = dial(edge.tcpPort(url) ?? 0);
    unlucky.on("error", () => {});
    unlucky.write("hello");
    const ended = kind === "hang" ? undefined : once(unlucky.resume(), "end").catch(() => "reset");
    await ended;
    const lucky = dial(edge.tcpPort(url) ?? 0);
    lucky.write("hello");
    expect(String((await once(lucky, "data"))[0])).toBe("hello");
    expect(unlucky.bytesRead).toBe(0);
    for (const socket of [unlucky, lucky]) socket.destroy();
  });

  test("a visitor may reach the agent late, by the edge's own clock", async () => {
    const clock = testClock();
    await using upstream = await httpUpstream();
    await using edge = await startNgrokEdge({ clock });
    await using sdk = startSdk();
    await (await sdk.connect(edge)).bind({ to: upstream.url, calls: app });
    edge.faults.add({ on: "proxy", kind: "latency", ms: 3000 });
    const flying = visit(edge, "app.test");
    await edge.journal.until("it is at the edge", () => edge.journal.count({ kind: "proxied" }) === 1);
    await clock.advance(2999);
    expect(edge.journal.count({ kind: "request" })).toBe(0);
    await clock.advance(1);
    expect((await flying).status).toBe(200);
  });

  test.for([
    // The agent answers this one with GOAWAY, and yet keeps its connection.
    { kind: "frame", status: 404 },
    { kind: "bytes", status: 502 },
  ] as const)("a garbage $kind leaves the agent deaf but connected", async ({ kind, status }, { expect }) => {
    await using upstream = await httpUpstream();
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    await (await sdk.connect(edge)).bind({ to: upstream.url, calls: app });
    const [session] = edge.sessions();
    session?.garbage(kind);
    if (kind === "frame") await edge.journal.until("it says goodbye", () => edge.journal.count({ kind: "lost" }) === 1);
    const flying = visit(edge, "app.test");
    if (kind === "bytes")
      await edge.journal.until("somebody is on the way", () => edge.journal.count({ kind: "proxied" }) === 1);
    else await flying;
    expect(edge.journal.count({ kind: "authenticated" })).toBe(1);
    session?.drop();
    expect((await flying).status).toBe(status);
    await edge.journal.until("it is bound again", () => edge.journal.count({ kind: "bound" }) === 2);
    expect((await visit(edge, "app.test")).status).toBe(200);
  });

  test("an agent that talks garbage is told so and cut, and the edge lives", async () => {
    await using edge = await startNgrokEdge();
    const { connect } = await import("node:tls");
    const socket = connect({ port: edge.port, host: "127.0.0.1", servername: "localhost", ca: edge.ca });
    await once(socket, "secureConnect");
    socket.write("this is no frame of muxado");
    const goAway = (await once(socket, "data"))[0] as Buffer;
    expect(goAway.readUInt8(3) >> 4).toBe(3);
    socket.destroy();
    await using sdk = startSdk();
    await sdk.connect(edge);
  });
});
