// The wire against real servers on loopback: every way in which there is no answer, and the fence at the instant of sending.
import { describe, expect, test } from "vitest";
import { clientOf, failureOf, get, latch, serve } from "#test/support/http-ground.ts";
import { systemClock } from "./clock.ts";
import { FenceLost, KnownError } from "./errors.ts";
import type { Fence, SentOutcome } from "./fence.ts";
import { http } from "./http.ts";

describe("an answer", () => {
  test("comes back whole, whatever its status", async () => {
    const { origin } = await serve((request, response) => {
      response.writeHead(418, { "x-path": request.url }).end(`method ${request.method}`);
    });
    const client = await clientOf(origin);
    const answer = await client.send(get("/a?b=c", { method: "DELETE" }));
    expect(answer).toMatchObject({ status: 418, text: "method DELETE", retryAfterMs: undefined });
    expect(answer.headers["x-path"]).toBe("/a?b=c");
  });

  test("carries Retry-After in seconds, and as a date measured against the server's own clock", async () => {
    const { origin } = await serve((request, response) => {
      if (request.url === "/seconds") response.writeHead(429, { "retry-after": "7" }).end();
      else {
        // The server's clock is an hour behind ours: only the difference of its two headers may count.
        const date = new Date(Date.now() - 3_600_000);
        response
          .writeHead(503, { date: date.toUTCString(), "retry-after": new Date(date.getTime() + 20_000).toUTCString() })
          .end();
      }
    });
    const client = await clientOf(origin);
    expect((await client.send(get("/seconds"))).retryAfterMs).toBe(7_000);
    expect((await client.send(get("/date"))).retryAfterMs).toBe(20_000);
  });

  test("larger than its bound is refused, not held in memory", async () => {
    const { origin } = await serve((_request, response) => response.end("x".repeat(5_000)));
    const client = await clientOf(origin);
    const failure = await failureOf(client.send(get("/big", { maxBytes: 1_000 })));
    expect(failure).toMatchObject({ class: "invalid", code: "AnswerTooLarge" });
    expect((await client.send(get("/big", { maxBytes: 5_000 }))).text).toHaveLength(5_000);
  });
});

describe("no answer", () => {
  test("within the deadline is transient and names server and time (W26)", async () => {
    const { origin } = await serve(() => undefined);
    const client = await clientOf(origin);
    const failure = await failureOf(client.send(get("/", { timeoutMs: 30 })));
    expect(failure).toMatchObject({ class: "transient", message: `no answer from ${origin} within 30 ms` });
  });

  test("in the middle of a body counts as none", async () => {
    const { origin } = await serve((_request, response) => {
      response.writeHead(200, { "content-length": "100" }).write("half");
      setImmediate(() => response.destroy());
    });
    const client = await clientOf(origin);
    expect(await failureOf(client.send(get("/")))).toMatchObject({ class: "transient" });
  });

  test("because nobody listens says so with a hint", async () => {
    const { origin, server } = await serve(() => undefined);
    await new Promise((resolve) => server.close(resolve));
    const failure = await failureOf((await clientOf(origin)).send(get("/")));
    expect(failure).toMatchObject({
      class: "transient",
      code: "ECONNREFUSED",
      message: `${origin}: connection refused`,
    });
    expect((failure as KnownError).hint).toContain("port");
  });

  test("because the server speaks no TLS is a matter for a person", async () => {
    const { origin } = await serve((_request, response) => response.end());
    const client = await clientOf(origin.replace("http:", "https:"));
    expect(await failureOf(client.send(get("/")))).toMatchObject({ class: "invalid" });
  });

  test("because the caller gave up carries the caller's reason, and a queued call is never sent", async () => {
    const paths: string[] = [];
    const first = latch();
    const seen = latch();
    const { origin } = await serve((request, response) => {
      paths.push(request.url ?? "");
      seen.open();
      void first.opened.then(() => response.end());
    });
    const client = await clientOf(origin, { connections: 1 });
    const slow = client.send(get("/slow"));
    await seen.opened;
    const giveUp = new AbortController();
    const queued = client.send(get("/queued", { signal: giveUp.signal }));
    giveUp.abort(new Error("no longer wanted"));
    expect((await failureOf(queued)).message).toBe("no longer wanted");
    first.open();
    await slow;
    await client.send(get("/after"));
    expect(paths).toEqual(["/slow", "/after"]);
  });

  test("from a name that is no URL is refused at once", async () => {
    expect(await failureOf(http({ origin: "localhost" }))).toMatchObject({ class: "invalid" });
  });
});

describe("the fence", () => {
  function fence(): Fence & { open: boolean; lost: AbortController; outcomes: Promise<SentOutcome>[] } {
    const lost = new AbortController();
    const outcomes: Promise<SentOutcome>[] = [];
    return {
      open: true,
      lost,
      outcomes,
      signal: lost.signal,
      assertMayWrite() {
        if (!this.open) throw new FenceLost("the token is lost");
      },
      sent: (outcome) => void outcomes.push(outcome),
    };
  }

  test("is asked when the bytes leave, not when the call was queued (F12)", async () => {
    const paths: string[] = [];
    const gate = latch();
    const seen = latch();
    const { origin } = await serve((request, response) => {
      paths.push(request.url ?? "");
      seen.open();
      void gate.opened.then(() => response.end());
    });
    const client = await clientOf(origin, { connections: 1 });
    const token = fence();
    const slow = client.send(get("/slow", { method: "PATCH", body: "{}", fence: token }));
    await seen.opened;
    const queued = client.send(get("/queued", { method: "PATCH", body: "{}", fence: token }));
    const refused = failureOf(queued);
    token.open = false;
    gate.open();
    await slow;
    expect(await refused).toBeInstanceOf(FenceLost);
    await client.send(get("/after"));
    expect(paths).toEqual(["/slow", "/after"]);
  });

  test("that is lost ends calls in flight, and reports them as perhaps done", async () => {
    const seen = latch();
    const { origin } = await serve((request, response) => {
      if (request.url === "/answered") response.end();
      else seen.open();
    });
    const client = await clientOf(origin);
    const token = fence();
    await client.send(get("/answered", { method: "POST", body: "{}", fence: token }));
    const hanging = failureOf(client.send(get("/hanging", { method: "POST", body: "{}", fence: token })));
    await seen.opened;
    token.lost.abort(new FenceLost("the token is lost"));
    expect(await hanging).toBeInstanceOf(FenceLost);
    expect(await Promise.all(token.outcomes)).toEqual(["answered", "unknown"]);
  });
});

describe("the pool", () => {
  test("never has more connections than it may, and urgent calls pass the crowd", async () => {
    const sockets = new Set<unknown>();
    const gate = latch();
    let waiting = 0;
    const full = latch();
    const { origin } = await serve((request, response) => {
      if (request.url === "/urgent") {
        response.end("passed");
        return;
      }
      sockets.add(request.socket);
      waiting += 1;
      if (waiting === 2) full.open();
      void gate.opened.then(() => response.end());
    });
    const client = await clientOf(origin, { connections: 2 });
    const crowd = Array.from({ length: 20 }, async () => await client.send(get("/crowd")));
    await full.opened;
    expect((await client.send(get("/urgent", { urgent: true }))).text).toBe("passed");
    expect(waiting).toBe(2);
    gate.open();
    await Promise.all(crowd);
    expect(sockets.size).toBe(2);
  });

  test("tells metrics of each call, answered or not", async () => {
    const { origin } = await serve((request, response) => {
      if (request.url === "/reset") request.socket.destroy();
      else response.writeHead(201).end();
    });
    const calls: unknown[] = [];
    const client = await clientOf(origin, {
      clock: { ...systemClock, now: () => 0 },
      observe: (call) => calls.push(call),
    });
    await client.send(get("/"));
    await failureOf(client.send(get("/reset")));
    expect(calls).toEqual([
      { method: "GET", status: 201, ms: 0 },
      { method: "GET", status: undefined, ms: 0 },
    ]);
  });
});

test("certificates that cannot be read are an error at once, which names what to look at", async () => {
  const opening = http({ origin: "https://127.0.0.1:1", tls: { ca: "no PEM", cert: "no PEM", key: "no PEM" } });
  await expect(opening).rejects.toMatchObject({ class: "invalid", hint: expect.stringContaining("PEM") });
});

test("a deletion with a body leaves its connection open for the next one", async () => {
  const { origin, server } = await serve((_request, response) => response.end("gone"));
  let opened = 0;
  server.on("connection", () => (opened += 1));
  const client = await clientOf(origin, { connections: 1 });
  for (let n = 0; n < 5; n += 1) await client.send(get("/", { method: "DELETE", body: "{}" }));
  expect(opened).toBe(1);
});
