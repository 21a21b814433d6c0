// The connection against a stand-in over real HTTP: logins that rotate, deadlines told to the server, broken configuration.
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { testClock } from "#test/support/clock.ts";
import type { KnownError } from "#wire/errors.ts";
import { connect, type ConnectOptions, type Connection, type WatchEvent } from "./connection.ts";

const { signal } = new AbortController();

// Loading client-node from source takes seconds on a busy machine; no test's time is spent on it.
beforeAll(async () => void (await import("@kubernetes/client-node/dist/config.js")), 60_000);

async function folder(files: Readonly<Record<string, string>>): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "connection-test-"));
  onTestFinished(async () => await rm(path, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(path, name), text);
  return path;
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function config(server: string, user: object = {}) {
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server } }],
    users: [{ name: "u", user }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  };
}

async function connected(options: ConnectOptions): Promise<Connection> {
  const connection = await connect(options);
  onTestFinished(async () => await connection[Symbol.asyncDispose]());
  return connection;
}

async function failureOf(work: Promise<unknown>): Promise<KnownError> {
  try {
    await work;
  } catch (error) {
    return error as KnownError;
  }
  throw new Error("expected a failure");
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

describe("a request", () => {
  test("tells the server when we give up: writes at 4 s or as they say, reads at nothing (F12)", async () => {
    const seen: string[] = [];
    const server = await serve((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      answer(response, 200, {});
    });
    const connection = await connected({ kubeconfig: config(server) });
    await connection.request({ method: "GET", path: "/api/v1/pods", query: { limit: 5, continue: undefined }, signal });
    await connection.request({ method: "POST", path: "/api/v1/pods", body: {}, signal });
    await connection.request({ method: "DELETE", path: "/api/v1/pods/a", signal, timeoutMs: 1_500 });
    await connection.request({ method: "PUT", path: "/api/v1/pods/a", query: { timeout: "2500ms" }, body: {}, signal });
    expect(seen).toEqual([
      "GET /api/v1/pods?limit=5",
      "POST /api/v1/pods?timeout=4s",
      "DELETE /api/v1/pods/a?timeout=750ms",
      "PUT /api/v1/pods/a?timeout=2500ms",
    ]);
  });

  test("keeps the path in front of /api that a proxy wants", async () => {
    const seen: (string | undefined)[] = [];
    const server = await serve((request, response) => {
      seen.push(request.url);
      answer(response, 200, {});
    });
    const connection = await connected({ kubeconfig: config(`${server}/k8s/clusters/c-1/`) });
    await connection.request({ method: "GET", path: "/api/v1/pods", signal });
    expect(seen).toEqual(["/k8s/clusters/c-1/api/v1/pods"]);
    expect(connection.server).toBe(`${server}/k8s/clusters/c-1`);
  });

  test("whose answer is a page for people says that this is no API server", async () => {
    const server = await serve((_request, response) => response.end("<html>hello</html>"));
    const connection = await connected({ kubeconfig: config(server) });
    expect(await failureOf(connection.request({ method: "GET", path: "/api", signal }))).toMatchObject({
      class: "invalid",
      hint: expect.stringContaining("API server") as string,
    });
  });
});

describe("an answer that gets lost", () => {
  /** Fails twice, then answers; which calls came is in the array. */
  async function failing(status: number, wait = false): Promise<{ connection: Connection; seen: string[] }> {
    const seen: string[] = [];
    const server = await serve((request, response) => {
      seen.push(request.method ?? "");
      if (seen.length > 2) answer(response, 200, { kind: "Pod" });
      else if (status === 0) request.socket.resetAndDestroy();
      else {
        if (wait) response.setHeader("retry-after", "1");
        answer(response, status, { kind: "Status", code: status, message: "not now" });
      }
    });
    return { connection: await connected({ kubeconfig: config(server), clock: testClock({ hurry: true }) }), seen };
  }
  const review = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

  test.for([
    ["a reset", 0, "GET", "/api/v1/pods/a"],
    ["a 429", 429, "GET", "/api/v1/pods/a"],
    ["a 503", 503, "POST", review],
  ] as const)("is asked for again after %s: a question changes nothing", async ([, status, method, path]) => {
    const { connection, seen } = await failing(status);
    expect(await connection.request({ method, path, signal })).toEqual({ kind: "Pod" });
    expect(seen).toEqual([method, method, method]);
  });

  test.for(["PATCH", "DELETE", "POST"] as const)(
    "of a %s is given again when the server turned it away with a wait: nothing was carried out",
    async (method) => {
      const { connection, seen } = await failing(429, true);
      expect(await connection.request({ method, path: "/api/v1/pods/a", signal })).toEqual({ kind: "Pod" });
      expect(seen).toEqual([method, method, method]);
    },
  );

  test.for([
    ["a change", "PATCH", 503, false],
    ["a change that is refused without a wait", "PATCH", 429, false],
    ["a renewal of the Lease that is turned away", "PATCH", 429, true],
    ["a renewal of the Lease", "GET", 503, true],
    ["a refusal", "GET", 403, false],
  ] as const)("is left to the caller for %s", async ([, method, status, urgent]) => {
    const { connection, seen } = await failing(status, urgent);
    expect(await failureOf(connection.request({ method, path: "/api/v1/pods/a", signal, urgent }))).toMatchObject({
      status,
    });
    expect(seen).toEqual([method]);
  });
});

describe("a token", () => {
  async function rotating(): Promise<{ path: string; kubeconfig: string; seen: string[] }> {
    const seen: string[] = [];
    const server = await serve((request, response) => {
      seen.push(request.headers.authorization ?? "");
      answer(response, request.headers.authorization === "Bearer old" ? 401 : 200, { kind: "Status", code: 401 });
    });
    const path = await folder({ token: "old" });
    await writeFile(join(path, "config"), JSON.stringify(config(server, { tokenFile: join(path, "token") })));
    return { path, kubeconfig: join(path, "config"), seen };
  }

  test("that was replaced is read again when it is refused, and the call succeeds", async () => {
    const { path, kubeconfig, seen } = await rotating();
    const connection = await connected({ kubeconfig, clock: testClock() });
    await writeFile(join(path, "token"), "new");
    await connection.request({ method: "POST", path: "/api/v1/pods", body: {}, signal });
    expect(seen).toEqual(["Bearer old", "Bearer new"]);
  });

  test("is read again by its age; one that cannot be read just then stays in use", async () => {
    const { path, kubeconfig, seen } = await rotating();
    await writeFile(join(path, "token"), "first");
    const clock = testClock();
    const connection = await connected({ kubeconfig, clock });
    const call = async () => await connection.request({ method: "GET", path: "/api", signal });
    await writeFile(join(path, "token"), "second");
    await clock.advance(29_000);
    await call();
    await clock.advance(2_000);
    await call();
    await rm(join(path, "config"));
    await clock.advance(31_000);
    await call();
    expect(seen).toEqual(["Bearer first", "Bearer second", "Bearer second"]);
  });

  test("that is refused though it is the newest is an error for a person, tried once", async () => {
    let calls = 0;
    const server = await serve((_request, response) => {
      calls += 1;
      answer(response, 401, { kind: "Status", code: 401 });
    });
    const connection = await connected({ kubeconfig: config(server, { token: "s3cr3t" }) });
    const failure = await failureOf(connection.request({ method: "GET", path: "/api", signal }));
    expect(failure).toMatchObject({ class: "invalid", code: "Unauthorized" });
    expect(`${failure.message} ${failure.hint ?? ""}`).not.toContain("s3cr3t");
    expect(calls).toBe(1);
  });
});

describe("a configuration that does not work is one line with its remedy", () => {
  test("no cluster named at all", async () => {
    const failure = await failureOf(connect({ env: {} }));
    expect(failure).toMatchObject({ class: "invalid", message: "no Kubernetes cluster is named" });
    expect(failure.hint).toContain("KUBECONFIG");
  });

  test("a file that is not there, from KUBECONFIG", async () => {
    expect(await failureOf(connect({ env: { KUBECONFIG: "/nowhere/config" } }))).toMatchObject({
      message: "kubeconfig /nowhere/config cannot be read (ENOENT)",
    });
  });

  test("a file that is no YAML names the line, and never what stands there", async () => {
    const path = await folder({ config: 'users:\n- name: u\n  user: {token: "s3cr3t\n' });
    const failure = await failureOf(connect({ kubeconfig: join(path, "config") }));
    expect(failure.message).toMatch(/config is not a kubeconfig \(line \d+\)$/);
    expect(String(failure.stack)).not.toContain("s3cr3t");
    expect(failure.cause).toBeUndefined();
  });

  test("an empty file, a missing context, a cluster without an address", async () => {
    const path = await folder({ empty: "" });
    expect((await failureOf(connect({ kubeconfig: join(path, "empty") }))).message).toContain("is not a kubeconfig");
    const good = config("https://127.0.0.1:1");
    expect(await failureOf(connect({ kubeconfig: { ...good, "current-context": "" } }))).toMatchObject({
      message: "the given kubeconfig names no current-context",
    });
    expect(await failureOf(connect({ kubeconfig: good, context: "y" }))).toMatchObject({
      message: 'the given kubeconfig has no context "y"',
      hint: "It has: x.",
    });
    expect((await failureOf(connect({ kubeconfig: config("nonsense") }))).message).toContain("valid server address");
  });

  test("a pod without its ServiceAccount's token", async () => {
    const env = { KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" };
    expect(await failureOf(connect({ env, serviceAccountDir: "/nowhere" }))).toMatchObject({
      class: "invalid",
      hint: expect.stringContaining("automountServiceAccountToken") as string,
    });
  });
});

describe("a watch", () => {
  async function watching(listener: (response: ServerResponse) => void): Promise<Connection> {
    const server = await serve((_request, response) => listener(response));
    return await connected({ kubeconfig: config(server) });
  }

  async function eventsOf(connection: Connection, silenceMs = 5_000): Promise<WatchEvent[]> {
    const events: WatchEvent[] = [];
    for await (const event of connection.watch({ path: "/api/v1/pods", signal, silenceMs })) events.push(event);
    return events;
  }

  test("is cut into events wherever the network cut it, and a last half line is left to the next watch", async () => {
    const object = { metadata: { name: "ä" } };
    const connection = await watching((response) => {
      const line = JSON.stringify({ type: "ADDED", object });
      const bytes = Buffer.from(`${line}\n${line}\n{"type":"ADD`);
      const send = (at: number): void => {
        if (at >= bytes.length) response.end();
        else response.write(bytes.subarray(at, at + 7), () => send(at + 7));
      };
      send(0);
    });
    expect((await eventsOf(connection)).map((event) => event.object)).toEqual([object, object]);
  });

  test("throws what the server says went wrong", async () => {
    const expired = await watching((response) =>
      response.end(`${JSON.stringify({ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } })}\n`),
    );
    expect(await failureOf(eventsOf(expired))).toMatchObject({ class: "gone", code: "Expired" });
    const refused = await watching((response) => answer(response, 403, { kind: "Status", code: 403, message: "no" }));
    expect(await failureOf(eventsOf(refused))).toMatchObject({ class: "invalid", status: 403 });
  });

  test("that says nothing any more is dead", async () => {
    const connection = await watching((response) => {
      response.write(`${JSON.stringify({ type: "BOOKMARK", object: {} })}\n`);
    });
    expect(await failureOf(eventsOf(connection, 50))).toMatchObject({ class: "transient", code: "Silent" });
  });

  test("that sends what is no event does not repeat it", async () => {
    const connection = await watching((response) => response.end("s3cr3t nonsense\n"));
    const failure = await failureOf(eventsOf(connection));
    expect(failure).toMatchObject({ class: "transient", code: "Unreadable" });
    expect(failure.message).not.toContain("s3cr3t");
  });
});
