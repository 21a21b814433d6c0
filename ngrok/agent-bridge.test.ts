// What the SDK cannot do, done by a bridge of ours behind the real SDK: TLS that ends at the agent, certificates of ours for
// the upstream, and the PROXY protocol's header around both.
import { subscribe } from "node:diagnostics_channel";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { createServer as tlsServer, type TLSSocket } from "node:tls";
import { connect as dialTcp, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { expect, test } from "vitest";
import { agentAtEdge, aSpec } from "#test/support/edge-agents.ts";
import { edgeAuthority } from "#test/support/ngrok-edge/certificates.ts";
import { httpUpstream, tcpEcho, tlsEcho } from "#test/support/ngrok-edge/upstreams.ts";
import { dial, dialTls, exchange, visit } from "#test/support/ngrok-edge/visitors.ts";
import { connect } from "node:tls";
import { startBridge } from "./agent-bridge.ts";
import { lengthOf } from "./agent-proxy-header.ts";

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** What a visitor with TLS says first. */
async function clientHello(): Promise<Buffer> {
  await using nobody = await tcpEcho();
  const said = Promise.withResolvers<Buffer>();
  nobody.server.once("connection", (socket: Socket) => socket.once("data", said.resolve));
  const visitor = connect({ host: "127.0.0.1", port: nobody.port, servername: "db.test" });
  visitor.on("error", () => visitor.destroy());
  return await said.promise;
}

/** Short for a test, and more than a handshake takes. */
const HANDSHAKE_MS = 500;

test("TLS of a tls endpoint ends at the agent, and its half-closed end passes", async () => {
  await using world = await agentAtEdge();
  await using upstream = await tcpEcho();
  const authority = await edgeAuthority();
  const own = await authority.issue(["db.test"]);
  await world.at.open({ url: "tls://db.test", termination: own }, upstream.url);
  const socket = dialTls(world.edge, "db.test", authority.cert);
  expect((await exchange(socket, Buffer.from("hello"))).toString()).toBe("hello");
});

test.for([
  { mode: "require", required: true, shows: "none", passes: false },
  { mode: "require", required: true, shows: "right", passes: true },
  { mode: "require", required: true, shows: "wrong", passes: false },
  { mode: "request", required: false, shows: "none", passes: true },
  { mode: "request", required: false, shows: "wrong", passes: false },
] as const)(
  "with mutual TLS in mode $mode a visitor with a certificate that is $shows passes: $passes",
  async ({ required, shows, passes }, { expect }) => {
    await using world = await agentAtEdge();
    await using upstream = await tcpEcho();
    const [authority, trusted, other] = await Promise.all([edgeAuthority(), edgeAuthority(), edgeAuthority()]);
    const own = await authority.issue(["db.test"]);
    const clientCAs = trusted.cert;
    await world.at.open({ url: "tls://db.test", termination: { ...own, clientCAs, required } }, upstream.url);
    const certificates = {
      none: {},
      right: await trusted.issue(["me"], "clientAuth"),
      wrong: await other.issue(["me"], "clientAuth"),
    };
    const socket = connect({
      host: "127.0.0.1",
      port: world.edge.tlsPort,
      servername: "db.test",
      ca: authority.cert,
      ...certificates[shows],
    });
    const got = await exchange(socket, Buffer.from("hello")).then(String, () => "cut");
    expect(got === "hello").toBe(passes);
  },
);

test.for([
  { what: "that are no PEM", clientCAs: "garbage", says: "it holds no PEM certificate" },
  {
    what: "of which one is broken",
    clientCAs: "-----BEGIN CERTIFICATE-----\nZ2FyYmFnZQ==\n-----END CERTIFICATE-----\n",
    says: "ca.crt cannot be used",
  },
])(
  "authorities of visitors $what are refused with the remedy, as they would cut every visitor",
  async (row, { expect }) => {
    await using world = await agentAtEdge();
    const authority = await edgeAuthority();
    const own = await authority.issue(["db.test"]);
    // A good one before does not make up for it.
    const clientCAs = row.what === "that are no PEM" ? row.clientCAs : authority.cert + row.clientCAs;
    const opening = world.at.open({ url: "tls://db.test", termination: { ...own, clientCAs } }, "tcp://127.0.0.1:1");
    await expect(opening).rejects.toMatchObject({
      class: "invalid",
      message: expect.stringContaining(row.says) as string,
      hint: expect.stringContaining("clientCAsRef") as string,
    });
  },
);

test("an upstream with TLS and a certificate of its own making is reached by the SDK itself, as Services have them", async () => {
  await using world = await agentAtEdge();
  const { cert, key } = await (await edgeAuthority()).issue(["somebody.else"]);
  await using upstream = await tlsEcho({ cert, key });
  const { url } = await world.at.open({ url: "tcp://" }, upstream.url);
  const visitor = dial(world.edge.tcpPort(url) ?? 0);
  expect(String(await exchange(visitor, Buffer.from("hello")))).toBe("hello");
});

test("an upstream with TLS is shown our certificate, and hears the visitor's address before it", async () => {
  await using world = await agentAtEdge();
  const [authority, ours] = await Promise.all([edgeAuthority(), edgeAuthority()]);
  const client = await ours.issue(["operator"], "clientAuth");
  const seen: string[] = [];
  const options = { ...(await authority.issue(["web"])), ca: ours.cert, requestCert: true, rejectUnauthorized: true };
  const inner = tlsServer(options, (socket: TLSSocket) => {
    seen.push(String(socket.getPeerCertificate().subjectaltname));
    socket.on("error", () => socket.destroy());
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"));
  });
  const outer = createServer((raw) => {
    raw.once("data", (chunk: Buffer) => {
      const length = lengthOf(chunk);
      if (typeof length !== "number") return void raw.destroy();
      seen.push(chunk.subarray(0, length).toString().split(" ", 2).join(" "));
      raw.pause();
      raw.unshift(chunk.subarray(length));
      inner.emit("connection", raw);
    });
  });
  const port = await listening(outer);
  try {
    const upstream = { url: "", proxyProtocol: "1" as const, certificates: [client] };
    await world.at.open({ url: "https://app.test", upstream: { ...upstream, url: `https://127.0.0.1:${port}` } }, "");
    expect(await visit(world.edge, "app.test")).toMatchObject({ status: 200, text: "ok" });
    expect(seen).toEqual(["PROXY TCP4", "DNS:operator"]);
  } finally {
    outer.close();
  }
});

test("a bridge is not found by its port: each is somewhere else on the loopback, for whoever else names an upstream there", async () => {
  await using upstream = await tcpEcho();
  const certificates = [await (await edgeAuthority()).issue(["operator"], "clientAuth")];
  const spec = aSpec({ url: "tls://db.test", upstream: { url: "", certificates } }, `tls://127.0.0.1:${upstream.port}`);
  const to = { proto: "tls", host: "127.0.0.1", port: upstream.port } as const;
  const bridges = await Promise.all([1, 2, 3, 4].map(async () => await startBridge(spec, to, () => {})));
  expect(new Set(bridges.map(({ host }) => host)).size).toBe(bridges.length);
  for (const { host, port } of bridges) {
    expect(host).toMatch(/^127(\.\d+){3}$/);
    await once(dialTcp({ host, port }), "connect");
    const tried = once(dialTcp({ host: "127.9.9.9", port }), "connect");
    await expect(tried).rejects.toMatchObject({ code: "ECONNREFUSED" });
  }
  for (const bridge of bridges) bridge.close();
});

test("what runs through a bridge goes on when its endpoint is closed", async () => {
  await using world = await agentAtEdge();
  const answer = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  await using upstream = await httpUpstream((_request, response) => {
    asked.resolve();
    void answer.promise.then(() => response.end("late"));
  });
  const authority = await edgeAuthority();
  const opened = await world.at.open(
    { url: "tls://db.test", termination: await authority.issue(["db.test"]) },
    `tcp://127.0.0.1:${upstream.port}`,
  );
  const socket = dialTls(world.edge, "db.test", authority.cert);
  socket.write("GET / HTTP/1.1\r\nhost: db.test\r\nconnection: close\r\n\r\n");
  await asked.promise;
  await opened.close();
  answer.resolve();
  expect(String(await socket.toArray())).toContain("late");
});

test.for<{ what: string; bytes: Buffer; length: ReturnType<typeof lengthOf> }>([
  { what: "a whole line of version 1", bytes: Buffer.from("PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET"), length: 32 },
  { what: "half a line", bytes: Buffer.from("PROXY TCP4 1.2"), length: undefined },
  { what: "half the mark", bytes: Buffer.from("PRO"), length: undefined },
  { what: "a line that does not end", bytes: Buffer.from(`PROXY ${"1".repeat(120)}`), length: "none" },
  { what: "version 2", bytes: Buffer.from("0d0a0d0a000d0a515549540a2111000c", "hex"), length: 28 },
  { what: "another protocol", bytes: Buffer.from("GET / HTTP/1.1"), length: "none" },
])("the header that begins with $what is $length bytes long", ({ bytes, length }, { expect }) => {
  expect(lengthOf(bytes)).toBe(length);
});

test("a bridge that has no file left for visitors says so each time, and takes the next ones in", async () => {
  const servers: Server[] = [];
  subscribe("tracing:net.server.listen:asyncStart", (said) => servers.push((said as { server: Server }).server));
  const authority = await edgeAuthority();
  const own = await authority.issue(["db.test"]);
  await using upstream = await tcpEcho();
  const told: string[] = [];
  const { hostname: host, port } = new URL(upstream.url);
  const spec = aSpec({ url: "tls://db.test", termination: own }, upstream.url);
  const bridge = await startBridge(spec, { proto: "tcp", host, port: Number(port) }, (why) => told.push(why));
  const server = servers.find((one) => (one.address() as AddressInfo).port === bridge.port);
  // As the kernel's answer to accept(2) comes.
  for (let n = 0; n < 2; n += 1) server?.emit("error", new Error("accept EMFILE"));
  expect(told).toEqual(Array.from({ length: 2 }, () => "a visitor was not taken in: accept EMFILE"));
  const visitor = connect({ host: bridge.host, port: bridge.port, servername: "db.test", ca: authority.cert });
  expect((await exchange(visitor, Buffer.from("hello"))).toString()).toBe("hello");
  bridge.close();
});

test.for([
  { what: "says hello and ends", says: true, ends: true },
  { what: "ends without a word", says: false, ends: true },
  { what: "says hello and then nothing", says: true, ends: false, handshakeMs: HANDSHAKE_MS },
] as const)("a visitor who $what before TLS has begun is let go", async ({ says, ends, ...given }, { expect }) => {
  await using upstream = await tcpEcho();
  const termination = await (await edgeAuthority()).issue(["db.test"]);
  const spec = aSpec({ url: "tls://db.test", termination }, upstream.url);
  const to = { proto: "tcp", host: "127.0.0.1", port: upstream.port } as const;
  const bridge = await startBridge(spec, to, () => {}, "handshakeMs" in given ? given : {});
  const visitor = dialTcp({ host: bridge.host, port: bridge.port, allowHalfOpen: true });
  if (says) visitor.write(await clientHello());
  if (ends) visitor.end();
  const cut = once(visitor, "end");
  visitor.resume();
  await cut;
  visitor.destroy();
  bridge.close();
  expect(visitor.readableEnded).toBe(true);
});

test("a visitor of an upstream that is there and never begins with TLS is let go, and so is the upstream", async () => {
  const left = Promise.withResolvers<void>();
  const mute = createServer((socket) => void socket.on("close", left.resolve).resume());
  const port = await listening(mute);
  const certificates = [await (await edgeAuthority()).issue(["operator"], "clientAuth")];
  const url = `tls://127.0.0.1:${port}`;
  const spec = aSpec({ url: "tls://db.test", upstream: { url, certificates } }, url);
  const bridge = await startBridge(spec, { proto: "tls", host: "127.0.0.1", port }, () => {}, {
    handshakeMs: HANDSHAKE_MS,
  });
  const visitor = dialTcp({ host: bridge.host, port: bridge.port });
  expect(await visitor.toArray()).toEqual([]);
  await left.promise;
  bridge.close();
  mute.close();
});

/** A visitor of an upstream that takes everything and ends nothing; how many connections the bridge has with that. */
async function beforeHanging(limits: Parameters<typeof startBridge>[3]) {
  const open = new Set<Socket>();
  const hanging = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket.resume());
    socket.on("error", () => socket.destroy()).on("close", () => open.delete(socket));
  });
  const port = await listening(hanging);
  const termination = await (await edgeAuthority()).issue(["db.test"]);
  const spec = aSpec({ url: "tls://db.test", termination }, `tcp://127.0.0.1:${port}`);
  const bridge = await startBridge(spec, { proto: "tcp", host: "127.0.0.1", port }, () => {}, limits);
  const visitor = connect({ host: bridge.host, port: bridge.port, rejectUnauthorized: false });
  await once(visitor.resume(), "secureConnect");
  visitor.write("hello");
  await expect.poll(() => open.size).toBe(1);
  bridge.close();
  hanging.close();
  /** What is closed on the bridge's side answers with a reset. */
  const connections = (): number => {
    for (const socket of open) socket.write("there?");
    return open.size;
  };
  return { visitor, connections };
}

test("an upstream that never closes does not keep a visitor's connection for ever", async () => {
  const { visitor, connections } = await beforeHanging({ endedMs: 300 });
  visitor.end();
  await once(visitor, "close");
  await expect.poll(connections).toBe(0);
});

test("a connection over which nothing passes is closed, and one that is used is not", async () => {
  // A machine may be late with a word by as much as lies between the two times.
  const { visitor, connections } = await beforeHanging({ idleMs: 3_000, endedMs: 1 });
  for (let n = 0; n < 8; n += 1) {
    await setTimeout(400);
    visitor.write("hello");
  }
  expect([visitor.destroyed, connections()]).toEqual([false, 1]);
  await once(visitor, "close");
  await expect.poll(connections).toBe(0);
});
