// An answer without an end, against real servers on loopback: how it comes, breaks off, and is told of to metrics.
import { describe, expect, test } from "vitest";
import { clientOf, failureOf, get, latch, serve } from "#test/support/http-ground.ts";
import { systemClock } from "./clock.ts";

describe("a stream", () => {
  test("gives what comes as it comes, past the deadline of its head, and ends with the server", async () => {
    const second = latch();
    const { origin } = await serve((_request, response) => {
      response.write("one");
      void second.opened.then(() => response.end("two"));
    });
    const client = await clientOf(origin);
    const stream = await client.stream(get("/", { timeoutMs: 2_000 }));
    const got: string[] = [];
    for await (const chunk of stream.chunks) {
      got.push(chunk.toString());
      if (got.length === 1) await systemClock.sleep(2_100);
      second.open();
    }
    expect(got.join("")).toBe("onetwo");
  });

  test("whose connection breaks throws; whose reader leaves is closed", async () => {
    const closed = latch();
    const { origin } = await serve((request, response) => {
      response.write("one");
      if (request.url === "/break") setImmediate(() => response.destroy());
      else response.on("close", closed.open);
    });
    const client = await clientOf(origin);
    const broken = await client.stream(get("/break"));
    const reading = async () => {
      for await (const chunk of broken.chunks) expect(chunk.toString()).toBe("one");
    };
    expect(await failureOf(reading())).toMatchObject({ class: "transient" });
    const left = await client.stream(get("/left"));
    for await (const _chunk of left.chunks) break;
    await closed.opened;
  });

  test("is told of to metrics as its head comes or does not, once, whatever becomes of it", async () => {
    const { origin } = await serve((request, response) => {
      if (request.url === "/reset") request.socket.destroy();
      else if (request.url === "/refused") response.writeHead(403).end();
      else response.write("one");
    });
    const calls: unknown[] = [];
    const client = await clientOf(origin, {
      clock: { ...systemClock, now: () => 0 },
      observe: (call) => calls.push(call),
    });
    (await client.stream(get("/refused"))).close();
    await failureOf(client.stream(get("/reset")));
    const { chunks } = await client.stream(get("/left"));
    for await (const _chunk of chunks) break;
    expect(calls).toEqual([
      { method: "GET", status: 403, ms: 0 },
      { method: "GET", status: undefined, ms: 0 },
      { method: "GET", status: 200, ms: 0 },
    ]);
  });
});
