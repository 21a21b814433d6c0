// Our agent with the real SDK at a stand-in of ngrok's edge: what it opens carries traffic, and no trouble of one endpoint or
// one session is more than that.
import { describe, expect, test } from "vitest";
import { aSpec, type TestAgent, isUp, startAgent } from "#test/support/edge-agents.ts";
import { testClock } from "#test/support/clock.ts";
import { type NgrokEdge, type NgrokEdgeOptions, startNgrokEdge } from "#test/support/ngrok-edge/edge.ts";
import { httpUpstream, type Upstream } from "#test/support/ngrok-edge/upstreams.ts";
import { visit } from "#test/support/ngrok-edge/visitors.ts";
import { KnownError } from "#wire/errors.ts";
import type { AgentSpec } from "./agent-port.ts";

interface Ground extends AsyncDisposable {
  readonly edge: NgrokEdge;
  readonly upstream: Upstream;
  readonly test: TestAgent;
}

async function ground(options: NgrokEdgeOptions = {}): Promise<Ground> {
  const edge = await startNgrokEdge(options);
  const upstream = await httpUpstream();
  const agent = startAgent(edge);
  await agent.until("it has a session", () => isUp(agent.agent.state));
  return {
    edge,
    upstream,
    test: agent,
    async [Symbol.asyncDispose]() {
      await agent[Symbol.asyncDispose]();
      await edge.close();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

async function failure(opening: Promise<unknown>): Promise<KnownError> {
  const error: unknown = await opening.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof KnownError) return error;
  throw new Error(`it did not fail as it should: ${String(error)}`);
}

const app = { url: "https://app.test" };

describe("an endpoint", () => {
  test("carries requests from when it is open to when it is closed", async () => {
    await using at = await ground();
    const opened = await at.test.open(
      { ...app, metadata: '{"a":"b"}', trafficPolicy: '{"on_http_request":[]}' },
      at.upstream.url,
    );
    expect(opened).toMatchObject({ url: "https://app.test", isOpen: true });
    expect((await visit(at.edge, "app.test", { path: "/hello" })).body).toMatchObject({ url: "/hello" });
    expect(at.edge.endpoints()).toMatchObject([
      { metadata: '{"a":"b"}', trafficPolicy: '{"on_http_request":[]}', pooling: true },
    ]);

    await opened.close();
    await opened.close();
    expect(opened.isOpen).toBe(false);
    expect(at.edge.endpoints()).toEqual([]);
  });

  test.for<{ url: string; spec?: Partial<AgentSpec>; upstream?: Partial<AgentSpec["upstream"]>; bound: object }>([
    {
      url: "https://app.test",
      bound: { proto: "https", place: "app.test", proxyProto: 0, forwardsProto: "", binding: "public" },
    },
    { url: "http://app.test", upstream: { protocol: "http1" }, bound: { proto: "http", forwardsProto: "http1" } },
    { url: "https://app.test", upstream: { protocol: "http2" }, bound: { forwardsProto: "http2" } },
    { url: "https://app.test", upstream: { proxyProtocol: "1" }, bound: { proxyProto: 1 } },
    {
      url: "tls://app.test",
      upstream: { proxyProtocol: "2" },
      bound: { proto: "tls", place: "app.test", proxyProto: 2 },
    },
    { url: "tcp://app.test:5432", upstream: { proxyProtocol: "2" }, bound: { proto: "tcp", proxyProto: 2 } },
    { url: "https://app.internal", spec: { bindings: ["internal"] }, bound: { binding: "internal" } },
  ])("at $url is bound as $bound", async ({ url, spec, upstream = {}, bound }, { expect }) => {
    await using at = await ground();
    const to = { url: at.upstream.url, certificates: [], ...upstream };
    await at.test.open({ url, ...spec, upstream: to }, at.upstream.url);
    expect(at.edge.endpoints()).toMatchObject([{ ...bound, pooling: true }]);
  });

  test("has a listener for each of its bindings, and none when one of them is refused", async () => {
    await using at = await ground();
    const bindings = ["internal", "public"] as const;
    const opened = await at.test.open({ ...app, bindings }, at.upstream.url);
    expect(at.edge.endpoints()).toHaveLength(2);
    await opened.close();
    at.edge.faults.add({ on: "bind", kind: "refuse", message: "Not this one.", skip: 1 });
    expect((await failure(at.test.open({ ...app, bindings }, at.upstream.url))).message).toContain("Not this one.");
    expect(at.edge.endpoints()).toEqual([]);
  });

  test.for<{ what: string; spec: Partial<AgentSpec>; to?: string; says: string }>([
    { what: "a scheme that ngrok has not", spec: { url: "ftp://app.test" }, says: "spec.url" },
    { what: "an upstream with a path", spec: {}, to: "http://web/path", says: "spec.upstream.url" },
    { what: "a binding that there is not", spec: { bindings: ["loud" as "public"] }, says: "spec.bindings" },
    {
      what: "a version of the PROXY protocol that there is not",
      spec: { upstream: { url: "http://127.0.0.1:9", proxyProtocol: "3" as "2", certificates: [] } },
      says: "spec.upstream.proxyProtocolVersion",
    },
    {
      what: "a certificate that is none",
      spec: { url: "tls://app.test", termination: { cert: "no", key: "no" } },
      says: "spec.tlsTermination",
    },
  ])("with $what is refused with its field, and does not end the process", async ({ spec, to, says }, { expect }) => {
    await using at = await ground();
    const error = await failure(at.test.open({ ...app, ...spec }, to ?? at.upstream.url));
    expect([error.class, error.code]).toEqual(["invalid", "Configuration"]);
    expect(error.message).toContain(says);
    await expect(at.test.open(app, at.upstream.url)).resolves.toMatchObject({ isOpen: true });
  });

  test("whose upstream DNS does not know is not opened, and says so", async () => {
    await using at = await ground();
    const error = await failure(at.test.open(app, "http://nobody.invalid:80"));
    expect([error.class, error.code]).toEqual(["transient", "Configuration"]);
    expect(error.message).toContain("nobody.invalid");
  });

  test("whose policy ngrok refuses is refused for good, with the code and what to do", async () => {
    await using at = await ground();
    const error = await failure(at.test.open({ ...app, trafficPolicy: "[]" }, at.upstream.url));
    expect([error.class, error.code]).toEqual(["invalid", "ERR_NGROK_2201"]);
    expect(error.hint).toContain("traffic policy");
  });

  test("that the edge answers with garbage fails alone, and says where to look", async () => {
    await using at = await ground();
    const before = await at.test.open({ url: "https://before.test" }, at.upstream.url);
    at.edge.faults.add({ on: "bind", kind: "garbage" });
    const error = await failure(at.test.open(app, at.upstream.url));
    expect([error.class, error.hint]).toEqual(["transient", expect.stringContaining("check serverAddr")]);
    expect(before.isOpen).toBe(true);
    await expect(at.test.open(app, at.upstream.url)).resolves.toMatchObject({ isOpen: true });
  });

  test("whose host ngrok chooses has the one again that it had, unless ngrok does not give it", async () => {
    await using at = await ground();
    const { signal } = new AbortController();
    const anywhere = aSpec({ url: "https://" }, at.upstream.url);
    const open = async (had?: string) => await at.test.agent.open(anywhere, signal, had);
    const first = await open();
    const second = await open(first.url);
    await first.close();
    expect(second.url).toBe(first.url);
    expect((await visit(at.edge, new URL(first.url).host)).status).toBe(200);
    at.edge.faults.add({ on: "bind", kind: "refuse", message: "It is another's.", code: "ERR_NGROK_320" });
    const other = await open(first.url);
    expect(other.url).toMatch(/^https:\/\/.+/);
    expect(other.url).not.toBe(first.url);
    at.edge.faults.add({ on: "bind", kind: "refuse", message: "Never.", code: "ERR_NGROK_2201", times: 2 });
    expect((await failure(open(first.url))).code).toBe("ERR_NGROK_2201");
    expect(at.edge.endpoints().map(({ url }) => url)).toEqual([first.url, other.url]);
  });

  test("that ngrok stops is not open any more, and who opened it is told so: all others have nothing to do", async () => {
    await using at = await ground();
    const { agent } = at.test;
    const told: string[] = [];
    const heard = Promise.withResolvers<unknown>();
    const ended = () => heard.resolve(told.push("the endpoint"));
    const other = await at.test.open({ url: "https://other.test" }, at.upstream.url);
    const opened = await agent.open(aSpec(app, at.upstream.url), new AbortController().signal, undefined, ended);
    agent.onChange(() => told.push("the session"));
    const endpoint = at.edge.endpoints().find(({ url }) => url === app.url);
    await endpoint?.session.stopEndpoint(endpoint.id, { message: "stopped" });
    await heard.promise;
    expect([told, opened.isOpen, other.isOpen, isUp(agent.state)]).toEqual([["the endpoint"], false, true, true]);
  });
});

describe("the session", () => {
  test("with a wrong authtoken is refused with the remedy, and without the token", async () => {
    await using edge = await startNgrokEdge({ authtokens: ["right"] });
    await using at = startAgent(edge, { authtoken: "wrong-secret" });
    await at.until("it is refused", () => at.agent.state.is === "down");
    expect(at.told.join()).toContain("ERR_NGROK_107");
    expect(at.told.join()).toContain("credentials.authtoken");
    expect(at.told.join()).not.toContain("wrong-secret");
    expect((await failure(at.open(app, "http://127.0.0.1:9"))).message).toContain("ERR_NGROK_107");
  });

  test("with an edge whose certificate is not trusted says which settings to look at", async () => {
    await using edge = await startNgrokEdge();
    await using at = startAgent(edge, { extraRoots: [] });
    await at.until("it is refused", () => at.agent.state.is === "down");
    expect(at.told.join()).toContain("rootCAs");
  });

  test("that is lost is followed by a new one in a moment, on which everything can be opened again", async () => {
    await using at = await ground();
    const before = await at.test.open(app, at.upstream.url);
    at.edge.sessions()[0]?.drop();
    await at.test.until("the loss is told", () => !before.isOpen);
    await at.test.until("there is a session again", () => isUp(at.test.agent.state));
    await before.close();
    expect((await at.test.open(app, at.upstream.url)).isOpen).toBe(true);
    expect((await visit(at.edge, "app.test")).status).toBe(200);
  });

  test("comes back after an edge was down for longer than the SDK would try", async () => {
    await using at = await ground();
    await at.edge.goDown();
    await at.test.until(
      "three tries have failed",
      () => at.test.told.filter((line) => line.startsWith("down")).length >= 2,
    );
    await at.edge.comeBack();
    await at.test.until("there is a session again", () => isUp(at.test.agent.state));
    expect(at.edge.journal.count({ kind: "authenticated" })).toBe(2);
  });

  test("whose heart is not answered is left for a new one, and its requests go on meanwhile", async () => {
    await using edge = await startNgrokEdge();
    await using upstream = await httpUpstream();
    await using at = startAgent(edge, { heartbeat: { interval: 1, tolerance: 3 } });
    await at.until("it has a session", () => isUp(at.agent.state));
    const opened = await at.open(app, upstream.url);
    edge.faults.add({ on: "heartbeat", kind: "hang", times: 2 });
    await at.until("it is told", () => !opened.isOpen);
    expect(at.told.at(-1)).toContain("heartbeat");
    expect((await visit(edge, "app.test")).status).toBe(200);
    await at.until("there is another", () => isUp(at.agent.state));
    expect(edge.journal.count({ kind: "authenticated" })).toBe(2);
  });

  test.for(["stop", "restart"] as const)(
    "ends on the command to %s: not alive, nothing is opened, then it goes",
    async (command, { expect }) => {
      await using at = await ground();
      await at.test.open(app, at.upstream.url);
      expect(await at.edge.sessions()[0]?.[command]()).toEqual({});
      await at.test.until("it has heard", () => at.test.agent.state.is === "stopped");
      expect(at.test.agent.dead).toContain(command);
      expect((await failure(at.test.open({ url: "https://b.test" }, at.upstream.url))).message).toContain(
        "shutting down",
      );
      expect((await visit(at.edge, "app.test")).status).toBe(200);
      await at.edge.journal.until("its endpoint is gone", () => at.edge.endpoints().length === 0);
      expect(at.edge.journal.count({ kind: "authenticated" })).toBe(1);
    },
  );

  test("does not update itself, and says that it cannot", async () => {
    await using at = await ground();
    expect(await at.edge.sessions()[0]?.update("9.9.9")).toMatchObject({
      Error: expect.stringContaining("callback") as string,
    });
    expect(isUp(at.test.agent.state)).toBe(true);
  });
});

test("a call that ngrok does not answer fails alone; what is open goes on, and what comes late is closed again", async () => {
  const clock = testClock();
  await using edge = await startNgrokEdge();
  await using upstream = await httpUpstream();
  await using at = startAgent(edge, { clock });
  await at.until("it has a session", () => isUp(at.agent.state));
  await at.open(app, upstream.url);
  edge.faults.add({ on: "bind", kind: "latency", ms: 1_000, match: /late/ });
  const late = failure(at.open({ url: "https://late.test" }, upstream.url));
  await edge.journal.until("the bind waits", () => edge.journal.count({ kind: "fault", on: "bind" }) === 1);
  await clock.advance(16_000);
  expect((await late).message).toContain("has not answered for 15 s");
  expect(at.agent.state).toMatchObject({ is: "down" });
  expect((await failure(at.open({ url: "https://next.test" }, upstream.url))).class).toBe("transient");
  expect((await visit(edge, "app.test")).status).toBe(200);

  await at.until("the answer has come", () => isUp(at.agent.state));
  await edge.journal.until("nobody wants it", () => edge.endpoints().every(({ url }) => url !== "https://late.test"));
  await expect(at.open({ url: "https://next.test" }, upstream.url)).resolves.toMatchObject({ isOpen: true });
});

test("a connect that ngrok does not answer is told, and what only a new process mends makes the agent dead", async () => {
  const clock = testClock();
  await using edge = await startNgrokEdge();
  edge.faults.add({ on: "auth", kind: "hang" });
  await using at = startAgent(edge, { clock });
  await edge.journal.until("it beats", () => edge.journal.count({ kind: "heartbeat" }) > 0);
  await clock.advance(21_000);
  const why = expect.stringMatching(/^ngrok has not answered for 20 s: check .* firewalls/) as string;
  expect(at.agent.state).toEqual({ is: "down", why });
  expect(at.agent.dead).toBeUndefined();
  await clock.advance(120_000);
  expect(at.agent.dead).toContain("has not answered");
  // The SDK lets nobody else of this process connect before.
  await edge.goDown();
  await at.until("the connect has failed", () => at.told.some((line) => line.includes("cannot connect")));
  expect(at.agent.dead).toBeUndefined();
});
