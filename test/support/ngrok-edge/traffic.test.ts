// What visitors send to the edge reaches the upstream behind the unmodified SDK, and what it answers comes back.
import { Agent } from "node:http";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { startSdk } from "./agent/agent.ts";
import { edgeAuthority } from "./certificates.ts";
import { startNgrokEdge } from "./edge.ts";
import { http2Upstream, httpUpstream, tcpEcho, tlsEcho } from "./upstreams.ts";
import { dial, dialTls, exchange, visit, visitHttp2 } from "./visitors.ts";

describe("HTTP", () => {
  test("a request and its answer pass, with what the edge adds about the visitor", async () => {
    await using upstream = await httpUpstream();
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    const { endpoint } = await (await sdk.connect(edge)).bind({ to: upstream.url, calls: [["domain", "app.test"]] });
    const body = randomBytes(1_000_000);
    const reply = await visit(edge, "app.test", { path: "/hello?a=1", body });
    expect(reply).toMatchObject({
      status: 200,
      body: {
        method: "POST",
        url: "/hello?a=1",
        bytes: body.length,
        headers: {
          host: "app.test",
          "x-forwarded-for": "127.0.0.1",
          "x-forwarded-host": "app.test",
          "x-forwarded-proto": "https",
        },
      },
    });
    expect(edge.journal.count({ kind: "request", endpoint, status: 200 })).toBe(1);
  });

  test("a host that nobody has bound is offline, and an upstream that is not there is the agent's 502", async () => {
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    const session = await sdk.connect(edge);
    const offline = await visit(edge, "nobody.test");
    expect([offline.status, offline.headers["ngrok-error-code"]]).toEqual([404, "ERR_NGROK_3200"]);
    await session.bind({ to: "http://127.0.0.1:9", calls: [["domain", "app.test"]] });
    const broken = await visit(edge, "app.test");
    expect(broken.status).toBe(502);
    expect(broken.text).toContain("failed to dial backend");
  });

  test("a thousand requests over fifty connections use fifty streams", { timeout: 60_000 }, async () => {
    await using upstream = await httpUpstream();
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    await (await sdk.connect(edge)).bind({ to: upstream.url, calls: [["domain", "app.test"]] });
    const agent = new Agent({ keepAlive: true, maxSockets: 50 });
    try {
      const replies = await Promise.all(
        Array.from({ length: 1000 }, (_, n) => visit(edge, "app.test", { path: `/${n}`, agent })),
      );
      expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 1000 }, () => 200));
      expect(replies.map(({ body }) => body["url"])).toEqual(Array.from({ length: 1000 }, (_, n) => `/${n}`));
      expect(edge.journal.count({ kind: "proxied" })).toBe(50);
    } finally {
      agent.destroy();
    }
  });

  test("requests of one URL are shared by the endpoints of its pool", async () => {
    await using one = await httpUpstream((_, response) => void response.end("one"));
    await using other = await httpUpstream((_, response) => void response.end("other"));
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    const calls = [
      ["domain", "app.test"],
      ["poolingEnabled", true],
    ] as const;
    for (const { url: to } of [one, other]) await (await sdk.connect(edge)).bind({ to, calls });
    await edge.journal.until("both have heard", () => edge.journal.count({ kind: "heard" }) === 2);
    const texts = [];
    for (let i = 0; i < 4; i += 1) texts.push((await visit(edge, "app.test")).text);
    expect(texts.toSorted()).toEqual(["one", "one", "other", "other"]);
  });

  test("an answer of eight megabytes comes whole though the visitor reads it late", async () => {
    const bytes = randomBytes(8_000_000);
    await using upstream = await httpUpstream(
      (_, response) => void response.setHeader("content-length", bytes.length).end(bytes),
    );
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    await (await sdk.connect(edge)).bind({ to: upstream.url, calls: [["domain", "app.test"]] });
    const socket = dial(edge.httpPort);
    socket.write("GET / HTTP/1.1\r\nhost: app.test\r\nconnection: close\r\n\r\n");
    // The answer begins; nothing more is read until its whole way back is full.
    await once(socket, "readable");
    const all = Buffer.concat(await Array.fromAsync(socket));
    expect(all.subarray(all.indexOf("\r\n\r\n") + 4).equals(bytes)).toBe(true);
  });

  test("a connection that is upgraded carries bytes both ways", async () => {
    await using upstream = await httpUpstream();
    upstream.server.on("upgrade", (_request, socket, head) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n");
      socket.write(head);
      socket.pipe(socket);
    });
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    await (await sdk.connect(edge)).bind({ to: upstream.url, calls: [["domain", "app.test"]] });
    const socket = dial(edge.httpPort);
    socket.write("GET / HTTP/1.1\r\nhost: app.test\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n");
    expect((await exchange(socket, Buffer.from("ping"))).toString()).toMatch(/^HTTP\/1\.1 101 [\s\S]*\r\n\r\nping$/);
  });
});

describe("HTTP/2", () => {
  test("a visitor's HTTP/2 reaches an upstream of HTTP/1.1", async () => {
    await using upstream = await httpUpstream();
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    await (await sdk.connect(edge)).bind({ to: upstream.url, calls: [["domain", "app.test"]] });
    const reply = await visitHttp2(edge, "app.test", { path: "/two", body: "some bytes" });
    expect(reply).toMatchObject({ status: 200, body: { method: "POST", url: "/two", bytes: 10 } });
    expect(reply.body["headers"]).toMatchObject({ host: "app.test", "x-forwarded-proto": "https" });
  });

  test("an endpoint of HTTP/2 is spoken to in it, trailers included, whatever the visitor speaks", async () => {
    await using upstream = await http2Upstream();
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    const calls = [
      ["domain", "app.test"],
      ["appProtocol", "http2"],
    ] as const;
    await (await sdk.connect(edge)).bind({ to: upstream.url, calls });
    const two = await visitHttp2(edge, "app.test", { path: "/grpc", body: "some bytes" });
    expect(two).toMatchObject({ status: 200, body: { http: 2, path: "/grpc", bytes: 10 } });
    expect(two.trailers["grpc-status"]).toBe("0");
    expect(await visit(edge, "app.test", { path: "/one" })).toMatchObject({
      status: 200,
      body: { http: 2, path: "/one" },
    });
  });
});

describe("TCP and TLS", () => {
  test("five megabytes go to a tcp endpoint and come back, and so does the end", async () => {
    await using upstream = await tcpEcho();
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    const { url } = await (await sdk.connect(edge)).bind({ proto: "tcp", to: upstream.url });
    const bytes = randomBytes(5_000_000);
    const back = await exchange(dial(edge.tcpPort(url) ?? 0), bytes);
    expect(back.equals(bytes)).toBe(true);
  });

  test("a tcp endpoint is found under the port that was wished, and nowhere once it is gone", async () => {
    await using upstream = await tcpEcho();
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    const session = await sdk.connect(edge);
    const free = await session.bind({ proto: "tcp", to: upstream.url });
    const port = edge.tcpPort(free.url);
    await free.close();
    const wished = `1.tcp.ngrok.test:${port}`;
    const bound = await session.bind({ proto: "tcp", to: upstream.url, calls: [["remoteAddr", wished]] });
    expect([bound.url, edge.tcpPort(bound.url)]).toEqual([`tcp://${wished}`, port]);
    await bound.close();
    // The edge hears of it a moment later; until then it breaks off who comes.
    const refusal = async (): Promise<unknown> => (await once(dial(port ?? 0), "error"))[0];
    await expect.poll(refusal).toMatchObject({ code: "ECONNREFUSED" });
  });

  test.for([
    ["1", (bytes: Buffer) => bytes.toString(), /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\nhello$/],
    ["2", (bytes: Buffer) => bytes.toString("hex"), /^0d0a0d0a000d0a515549540a2111000c7f0000017f000001.{8}68656c6c6f$/],
  ] as const)(
    "an endpoint with PROXY protocol %s learns where its visitor came from",
    async ([version, told, expected]) => {
      await using upstream = await tcpEcho();
      await using edge = await startNgrokEdge();
      await using sdk = startSdk();
      const session = await sdk.connect(edge);
      const { url } = await session.bind({ proto: "tcp", to: upstream.url, calls: [["proxyProto", version]] });
      expect(told(await exchange(dial(edge.tcpPort(url) ?? 0), Buffer.from("hello")))).toMatch(expected);
    },
  );

  test("a tls endpoint gets its visitor's TLS as it is, by the name that is asked for", async () => {
    const authority = await edgeAuthority();
    await using upstream = await tlsEcho(await authority.issue(["db.test"]));
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    await (
      await sdk.connect(edge)
    ).bind({ proto: "tls", to: `tcp://127.0.0.1:${upstream.port}`, calls: [["domain", "db.test"]] });
    const socket = dialTls(edge, "db.test", authority.cert);
    await once(socket, "secureConnect");
    socket.write("hello");
    expect(String((await once(socket, "data"))[0])).toBe("hello");
    socket.destroy();
  });

  test("a tls endpoint that asks for it has its TLS ended at the edge, with its own certificate", async () => {
    const authority = await edgeAuthority();
    const { cert, key } = await authority.issue(["db.test"]);
    await using upstream = await tcpEcho();
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    const bytes = (pem: string) => ({ bytes: Buffer.from(pem).toString("base64") });
    const calls = [
      ["domain", "db.test"],
      ["termination", bytes(cert), bytes(key)],
    ] as const;
    await (await sdk.connect(edge)).bind({ proto: "tls", to: upstream.url, calls });
    const back = await exchange(dialTls(edge, "db.test", authority.cert), Buffer.from("hello"));
    expect(back.toString()).toBe("hello");
  });

  test("requests in flight go on when their endpoint is unbound, and new ones find the next", async () => {
    const waiting: (() => void)[] = [];
    await using slow = await httpUpstream((_, response) => void waiting.push(() => response.end("old")));
    await using next = await httpUpstream((_, response) => void response.end("new"));
    await using edge = await startNgrokEdge();
    await using sdk = startSdk();
    const session = await sdk.connect(edge);
    const calls = [
      ["domain", "app.test"],
      ["poolingEnabled", true],
    ] as const;
    const old = await session.bind({ to: slow.url, calls });
    const flying = visit(edge, "app.test");
    await edge.journal.until("it is under way", () => edge.journal.count({ kind: "proxied" }) === 1);
    await once(slow.server, "request");
    await session.bind({ to: next.url, calls });
    await old.close();
    expect((await visit(edge, "app.test")).text).toBe("new");
    for (const answer of waiting) answer();
    expect((await flying).text).toBe("old");
  });
});

test("while an endpoint is replaced twenty times under load, the new one before the old, no request fails", async () => {
  await using upstream = await httpUpstream();
  await using edge = await startNgrokEdge();
  await using sdk = startSdk();
  const session = await sdk.connect(edge);
  const bind = async () =>
    await session.bind({
      to: upstream.url,
      calls: [
        ["domain", "app.test"],
        ["poolingEnabled", true],
      ],
    });
  let current = await bind();
  let replacing = true;
  const load = Array.from({ length: 10 }, async () => {
    const seen = [];
    while (replacing) seen.push((await visit(edge, "app.test")).status);
    return seen;
  });
  for (let i = 0; i < 20; i += 1) {
    const next = await bind();
    await current.close();
    current = next;
  }
  replacing = false;
  const statuses = (await Promise.all(load)).flat();
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(edge.journal.count({ kind: "unbound" })).toBe(20);
});
