// What a pod and a person hear when an endpoint is not reached, over real sockets and TLS.
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import { testClock } from "#test/support/clock.ts";
import { come, endOf, exchange, freePort, nobody, talking, withEcho } from "#test/support/forwarding.ts";
import { KnownError } from "#wire/errors.ts";

describe("an endpoint that is not reached", () => {
  /** The failure, and how the pod's connection ended. */
  async function failing(world: Awaited<ReturnType<typeof withEcho>>, port: number) {
    const end = await endOf(await come(port));
    return { end, failure: world.forwarder.failure("ops/web") };
  }

  test("resets the pod's connection and says why: refused, garbage, too long, cut, ended", async () => {
    await using world = await withEcho({ limits: { tellMs: 0 } });
    const port = await world.serve();
    const { faults } = world.ingress;
    faults.add({ kind: "refuse", code: "ERR_NGROK_20005", message: "not for you" });
    const refused = await failing(world, port);
    expect(refused.end).toBe("reset");
    expect(refused.failure?.message).toBe("binding upgrade failure: [ERR_NGROK_20005]: not for you");
    expect(refused.failure?.hint).toContain("account");
    expect(world.told).toEqual(["ops/web"]);
    for (const [kind, code] of [
      ["garbage", "UnreadableAnswer"],
      ["cut", "CutOff"],
      ["oversized", "UnreadableAnswer"],
      ["end", "CutOff"],
    ] as const) {
      faults.add({ kind });
      const { end, failure } = await failing(world, port);
      expect([kind, end, failure?.code]).toEqual([kind, "reset", code]);
      expect(failure?.hint).toContain("status.bindingsIngressEndpoint");
    }
    expect(String(await exchange(port, "well again"))).toBe("well again");
    expect(world.forwarder.failure("ops/web")).toBeUndefined();
    expect(world.told).toHaveLength(6);
  });

  test("is given up when the ingress does not answer in time, or not at all", async () => {
    const clock = testClock();
    await using world = await withEcho({ clock });
    const port = await world.serve();
    world.ingress.faults.add({ kind: "hang" });
    const socket = await come(port);
    await world.ingress.journal.until("it hangs", () => world.ingress.journal.count({ kind: "fault" }) === 1);
    const ended = endOf(socket);
    await clock.advance(30_000);
    expect(await ended).toBe("reset");
    expect(world.forwarder.failure("ops/web")?.code).toBe("Timeout");
    // A server that takes connections and never speaks TLS.
    const deaf = createServer().listen(0);
    const connected = once(deaf, "connection");
    await once(deaf, "listening");
    await world.serve("ops/web", { ingress: { host: "127.0.0.1", port: (deaf.address() as { port: number }).port } });
    const other = await world.serve("ops/web", {
      ingress: { host: "127.0.0.1", port: (deaf.address() as { port: number }).port },
    });
    const waiting = await come(other);
    await connected;
    const over = endOf(waiting);
    await clock.advance(15_000);
    expect(await over).toBe("reset");
    deaf.close();
  });

  test("is one whose ingress is not there, cannot be found, or is somebody else", async () => {
    await using world = await withEcho({ limits: { tellMs: 0 } });
    const at = async (host: string, port: number): Promise<KnownError | undefined> => {
      const own = await world.serve("ops/web", { ingress: { host, port } });
      return (await failing(world, own)).failure;
    };
    expect((await at("127.0.0.1", await freePort()))?.code).toBe("ECONNREFUSED");
    expect(["ENOTFOUND", "EAI_AGAIN"]).toContain((await at("ingress.invalid", 443))?.code);
    const plain = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n")).listen(0);
    await once(plain, "listening");
    expect((await at("127.0.0.1", (plain.address() as { port: number }).port))?.class).toBe("invalid");
    plain.close();
  });

  test("is told once while it fails in the same way, and not more often than may be", async () => {
    const clock = testClock();
    await using world = await withEcho({ clock, limits: { tellMs: 10_000 } });
    const port = await world.serve();
    world.ingress.faults.add({ kind: "garbage", times: 3 });
    for (let n = 0; n < 3; n += 1) await failing(world, port);
    expect(world.told).toEqual(["ops/web"]);
    expect(String(await exchange(port, "x"))).toBe("x");
    expect(world.told).toHaveLength(1);
    await clock.advance(10_000);
    expect(world.told).toHaveLength(2);
    // What has come and gone in between is not told.
    world.ingress.faults.add({ kind: "garbage" });
    await failing(world, port);
    expect(String(await exchange(port, "x"))).toBe("x");
    await clock.advance(10_000);
    expect(world.told).toHaveLength(2);
  });
});

test("a pod whose request is longer than can be said is told of by its name, and is no fault of the endpoint that serves the others", async () => {
  const annotations = { "ngrok.com/notes": "x".repeat(70_000) };
  const pod = { uid: "u", name: "wordy", namespace: "apps", annotations };
  await using world = await withEcho({ identify: (address) => (address === "::1" ? pod : nobody) });
  const port = await world.serve();
  for (let n = 0; n < 3; n += 1) expect(await endOf(await come(port, "::1"))).toBe("reset");
  expect(String(await exchange(port, "x"))).toBe("x");
  expect(world.forwarder.failure("ops/web")).toBeUndefined();
  expect(world.told).toEqual([]);
  const said = world.lines.filter((line) => line.includes("a pod is not served"));
  expect(said).toEqual([expect.stringMatching(/Shorten the annotations of Pod apps\/wordy/)]);
});

test("a forwarder that is full says so no more often than a failure, where places come free and are taken again", async () => {
  const clock = testClock();
  await using world = await withEcho({ clock, limits: { connections: 1 } });
  const port = await world.serve();
  const said = (): number => world.lines.filter((line) => line.includes("no connection more is taken")).length;
  const refuseOne = async (): Promise<void> => {
    const held = await talking(port);
    await come(port).then(endOf, () => "reset");
    held.end();
    await endOf(held);
    await expect.poll(() => world.forwarder.connections).toBe(0);
  };
  for (let n = 0; n < 3; n += 1) await refuseOne();
  expect(said()).toBe(1);
  await clock.advance(10_000);
  await refuseOne();
  expect(said()).toBe(2);
});
