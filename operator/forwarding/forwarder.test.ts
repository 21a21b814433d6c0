// A pod's bytes on their way to an endpoint and back, over real sockets and TLS, and everything that can be in between.
import { once } from "node:events";
import { createHash, randomBytes, X509Certificate } from "node:crypto";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { createServer, type Server } from "node:net";
import { Duplex } from "node:stream";
import { describe, expect, test } from "vitest";
import { testClock } from "#test/support/clock.ts";
import { come, endOf, exchange, nobody, startForwarding, talking, withEcho } from "#test/support/forwarding.ts";
import { isClass, KnownError } from "#wire/errors.ts";

const digest = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

describe("traffic", () => {
  test("passes both ways, and ends one way after the other, over IPv4 and IPv6", async () => {
    await using world = await withEcho();
    const port = await world.serve();
    const bytes = randomBytes(5_000_000);
    for (const host of ["127.0.0.1", "::1"]) {
      // The echo ends only after our end, so what comes back after it has passed a connection that was half closed.
      expect(digest(await exchange(port, bytes, host))).toBe(digest(bytes));
    }
    expect(world.ingress.journal.count({ kind: "asked", about: "web.shop:80" })).toBe(2);
    await world.ingress.journal.until("both have ended", () => world.ingress.connections().length === 0);
    // Each side sees the end in its own time.
    await expect.poll(() => world.forwarder.connections).toBe(0);
  });

  test("passes on fifty connections at once, each its own", async () => {
    await using world = await withEcho();
    const port = await world.serve();
    const sent = Array.from({ length: 50 }, () => randomBytes(100_000));
    const back = await Promise.all(sent.map(async (bytes) => await exchange(port, bytes)));
    expect(back.map(digest)).toEqual(sent.map(digest));
  });

  test("reaches a pod that waits for the endpoint to speak first, and an answer that comes byte by byte", async () => {
    await using world = await startForwarding({ endpoints: { "web.shop:80": () => Duplex.from(["ready"]) } });
    const port = await world.serve();
    world.ingress.faults.add({ kind: "dribble" });
    const socket = await come(port);
    expect(String((await once(socket, "data"))[0])).toBe("ready");
    socket.destroy();
  });

  test("says which pod asks, and nothing of who cannot be told", async () => {
    const pod = { uid: "u", name: "client", namespace: "apps", annotations: { "ngrok.com/tier": "gold" } };
    await using world = await withEcho({ identify: (address) => (address === "127.0.0.1" ? pod : nobody) });
    const port = await world.serve();
    for (const host of ["127.0.0.1", "::1"]) {
      const socket = await come(port, host);
      await world.ingress.journal.until("it is passed on", () => world.ingress.connections().length === 1);
      expect(world.ingress.connections()[0]?.request).toEqual({
        host: "web.shop",
        port: 80,
        pod: host === "::1" ? nobody : pod,
      });
      socket.end();
      await world.ingress.journal.until("it has ended", () => world.ingress.connections().length === 0);
    }
  });

  test("waits for a slow endpoint without holding what it does not take", async () => {
    await using world = await withEcho();
    const port = await world.serve();
    const socket = await come(port);
    socket.write("begin");
    await once(socket, "data");
    world.ingress.connections()[0]?.slow(1);
    const bytes = randomBytes(2_000_000);
    socket.end(bytes);
    const back: Buffer[] = [];
    for await (const chunk of socket) back.push(chunk as Buffer);
    expect(digest(Buffer.concat(back))).toBe(digest(bytes));
  });
});

describe("the listener", () => {
  test("goes to another endpoint and another port while connections go on", async () => {
    await using world = await withEcho();
    const before = await world.serve();
    const held = await come(before);
    held.write("a");
    await once(held, "data");
    const after = await world.serve("ops/web", { endpoint: { host: "db.shop", port: 5432 } });
    expect(after).not.toBe(before);
    await expect(come(before)).rejects.toThrow("ECONNREFUSED");
    expect(String(await exchange(after, "b"))).toBe("b");
    expect(world.ingress.journal.count({ kind: "passed", about: "db.shop:5432" })).toBe(1);
    held.end("c");
    expect(String((await once(held, "data"))[0])).toBe("c");
    expect(await endOf(held)).toBe("end");
  });

  test("that cannot have its new port keeps the old one for what that served, and others go on", async () => {
    await using world = await withEcho();
    const [port, other] = [await world.serve("ops/web"), await world.serve("ops/other")];
    const taken = createServer().listen(0);
    await once(taken, "listening");
    const wished = (taken.address() as { port: number }).port;
    const change = { port: wished, endpoint: { host: "db.shop", port: 5432 } };
    const failure: unknown = await world.serve("ops/web", change).catch((error: unknown) => error);
    if (!isClass(failure, "transient")) throw failure;
    expect([failure.code, failure.message]).toEqual(["EADDRINUSE", expect.stringContaining(`port ${wished}`)]);
    expect(failure.hint).toContain("give the BoundEndpoint another spec.port");
    for (const open of [port, other]) expect(String(await exchange(open, "x"))).toBe("x");
    expect(world.ingress.journal.count({ kind: "passed", about: "web.shop:80" })).toBe(2);
    taken.close();
    await once(taken, "close");
    await world.serve("ops/web", change);
    expect(String(await exchange(wished, "x"))).toBe("x");
    expect(world.ingress.journal.count({ kind: "passed", about: "db.shop:5432" })).toBe(1);
  });

  test("that is removed closes its port at once, and its connections go on until they end", async () => {
    const clock = testClock();
    await using world = await withEcho({ clock });
    const port = await world.serve();
    const held = await talking(port);
    world.forwarder.end("ops/web");
    expect(world.told.at(-1)).toBeUndefined();
    await expect(come(port)).rejects.toThrow("ECONNREFUSED");
    await world.serve("ops/web", { port });
    expect(String(await exchange(port, "it is back"))).toBe("it is back");
    await clock.advance(24 * 3_600_000);
    held.end("in order");
    expect(String((await once(held, "data"))[0])).toBe("in order");
    expect(await endOf(held)).toBe("end");
    await expect.poll(() => world.forwarder.connections).toBe(0);
  });

  test("that is removed has its connections counted, and those closed on which nothing passes", async () => {
    await using world = await withEcho({ limits: { connections: 1, idleMs: 2_000 } });
    const silent = await talking(await world.serve());
    world.forwarder.end("ops/web");
    const next = await world.serve("ops/next");
    expect(await come(next).then(endOf, () => "reset")).toBe("reset");
    await endOf(silent);
    await expect.poll(() => world.forwarder.connections).toBe(0);
    expect(String(await exchange(next, "x"))).toBe("x");
  });

  test("that is removed has no more time than the process, when that stops meanwhile", async () => {
    const clock = testClock();
    await using world = await withEcho({ clock });
    const staying = await talking(await world.serve());
    world.forwarder.end("ops/web");
    const stopped = world.forwarder.stop(2_000);
    await clock.advance(2_000);
    await expect.poll(() => world.forwarder.connections).toBe(0);
    await stopped;
    expect(await endOf(staying)).toBe("reset");
  });

  test("that ends cuts off who waits for ngrok's answer still, and that is no failure of the endpoint", async () => {
    await using world = await withEcho();
    const port = await world.serve();
    world.ingress.faults.add({ kind: "hang" });
    const waiting = await come(port);
    await world.ingress.journal.until("it is asked for", () => world.ingress.journal.count({ kind: "fault" }) === 1);
    await world.forwarder.stop(0);
    expect(await endOf(waiting)).toBe("reset");
    expect(world.forwarder.connections).toBe(0);
    expect(world.lines.filter((line) => line.includes("not reached"))).toEqual([]);
  });

  test("that rests takes no new connections and lets the others go on", async () => {
    await using world = await withEcho();
    const port = await world.serve();
    const held = await come(port);
    held.write("a");
    await once(held, "data");
    world.forwarder.rest("ops/web");
    await expect(come(port)).rejects.toThrow("ECONNREFUSED");
    held.end("b");
    expect(String((await once(held, "data"))[0])).toBe("b");
  });

  test("that cannot accept a connection says so, not each time, and takes the next", async () => {
    const clock = testClock();
    const servers: Server[] = [];
    const heard = (message: unknown): void => void servers.push((message as { server: Server }).server);
    subscribe("tracing:net.server.listen:asyncEnd", heard);
    await using world = await withEcho({ clock });
    const port = await world.serve();
    unsubscribe("tracing:net.server.listen:asyncEnd", heard);
    const fail = (): unknown => servers.at(-1)?.emit("error", new Error("accept EMFILE"));
    const said = (): number => world.lines.filter((line) => line.includes("accept EMFILE")).length;
    expect([fail(), fail(), said()]).toEqual([true, true, 1]);
    expect(String(await exchange(port, "x"))).toBe("x");
    await clock.advance(10_000);
    expect([fail(), said()]).toEqual([true, 2]);
  });

  test("takes no more connections than the process may have", async () => {
    await using world = await withEcho({ limits: { connections: 2 } });
    const port = await world.serve();
    const held = [await talking(port), await talking(port)];
    expect(await come(port).then(endOf, () => "reset")).toBe("reset");
    expect(world.lines.filter((line) => line.includes("no connection more is taken"))).toHaveLength(1);
    expect(await world.measured()).toMatch(/^ngrok_operator_bound_connections 2$/m);
    expect(await world.measured()).toMatch(/^ngrok_operator_bound_connections_total\{result="refused"\} 1$/m);
    for (const socket of held) socket.end();
    await Promise.all(held.map(endOf));
    await expect.poll(() => world.forwarder.connections).toBe(0);
    expect(String(await exchange(port, "again"))).toBe("again");
  });
});

describe("the certificate", () => {
  test("is another one for the next connection, while those that stand go on", async () => {
    await using world = await withEcho();
    const port = await world.serve();
    const held = await come(port);
    held.write("a");
    await once(held, "data");
    const renewed = await world.pair();
    world.forwarder.present(renewed);
    expect(String(await exchange(port, "b"))).toBe("b");
    held.end("c");
    expect(String((await once(held, "data"))[0])).toBe("c");
    const shown = world.ingress.journal.events.flatMap((event) => (event.kind === "asked" ? [event.certificate] : []));
    expect(shown[1]).toBe(new X509Certificate(renewed.cert).serialNumber);
    expect(shown[0]).not.toBe(shown[1]);
  });

  test("whose key has the label of older operators works", async () => {
    await using world = await withEcho();
    const port = await world.serve();
    const { cert, key } = await world.pair();
    world.forwarder.present({ cert, key: key.replaceAll("EC PRIVATE KEY", "OPENSSH PRIVATE KEY") });
    expect(String(await exchange(port, "x"))).toBe("x");
    const [shown] = world.ingress.journal.events.flatMap((event) =>
      event.kind === "asked" ? [event.certificate] : [],
    );
    expect(shown).toBe(new X509Certificate(cert).serialNumber);
  });

  test("that is no pair is refused with its remedy, and the one before stays", async () => {
    await using world = await withEcho();
    const port = await world.serve();
    const [one, other] = [await world.pair(), await world.pair()];
    for (const broken of [
      { cert: one.cert, key: other.key },
      { cert: "none", key: one.key },
      { cert: "", key: "" },
    ]) {
      expect(() => world.forwarder.present(broken)).toThrow(KnownError);
    }
    expect(String(await exchange(port, "x"))).toBe("x");
  });

  test("that the other side does not trust is told as such: ours at ngrok, theirs here", async () => {
    await using world = await withEcho({ limits: { tellMs: 0 } });
    await using other = await withEcho();
    const port = await world.serve();
    world.forwarder.present(await other.pair());
    expect(await endOf(await come(port))).toBe("reset");
    expect(world.forwarder.failure("ops/web")?.hint).toContain("may not accept this install's certificate");
    await world.serve("ops/web", { port, ingress: { host: "localhost", port: other.ingress.port } });
    expect(await endOf(await come(port))).toBe("reset");
    expect(world.forwarder.failure("ops/web")).toMatchObject({
      class: "invalid",
      hint: expect.stringContaining("CA certificate"),
    });
  });
});

describe("a connection that stands", () => {
  test("is reset when the endpoint's side breaks, so that half is not taken for the whole", async () => {
    await using world = await withEcho();
    const socket = await talking(await world.serve());
    world.ingress.connections()[0]?.drop();
    expect(await endOf(socket)).toBe("reset");
  });

  test("is let go at the endpoint when the pod breaks off", async () => {
    await using world = await withEcho();
    const socket = await talking(await world.serve());
    socket.resetAndDestroy();
    await world.ingress.journal.until("it is closed", () => world.ingress.connections().length === 0);
    await expect.poll(() => world.forwarder.connections).toBe(0);
  });

  test("on which nothing passes any more is closed, though the other side has never said so", async () => {
    await using world = await withEcho({ limits: { idleMs: 2_000 } });
    const socket = await talking(await world.serve());
    world.ingress.connections()[0]?.freeze();
    socket.write("y");
    await endOf(socket);
    await expect.poll(() => world.forwarder.connections).toBe(0);
  });
});
