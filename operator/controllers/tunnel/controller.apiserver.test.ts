// Tunnels from the object in the cluster to the visitor: a real API server, the real agent SDK, and a stand-in of ngrok's
// edge through which requests come while everything around them changes.
import { expect, test } from "vitest";
import { AgentEndpoint, type AgentReplica } from "#api/agent-endpoint.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { refOf } from "#kube/kind.ts";
import { Secret } from "#kube/kinds.ts";
import { anAgentEndpoint, anNgrokTrafficPolicy } from "#test/support/builders.ts";
import { isUp, startAgent, type TestAgent } from "#test/support/edge-agents.ts";
import { underLoad } from "#test/support/load.ts";
import { seen } from "#test/support/manager-process.ts";
import { type NgrokEdge, startNgrokEdge } from "#test/support/ngrok-edge/edge.ts";
import { httpUpstream, type Upstream } from "#test/support/ngrok-edge/upstreams.ts";
import { visit } from "#test/support/ngrok-edge/visitors.ts";
import { type Replica, startReplicaOf } from "#test/support/replicas.ts";
import { startWorld, type World } from "#test/support/world.ts";
import { withHands } from "../../runtime/define-replica.ts";
import { systemClock } from "#wire/clock.ts";
import { tunnelController } from "./controller.ts";
import { Tunnels } from "./tunnels.ts";

interface Pod extends AsyncDisposable {
  readonly agent: TestAgent;
  readonly replica: Replica;
  readonly tunnels: Tunnels;
}

interface Ground extends AsyncDisposable {
  readonly world: World;
  readonly edge: NgrokEdge;
  readonly upstream: Upstream;
  /** One more agent pod. */
  pod(name: string): Pod;
}

async function ground(): Promise<Ground> {
  const stack = new AsyncDisposableStack();
  const world = stack.use(await startWorld({ controllers: [], start: false }));
  const edge = stack.use(await startNgrokEdge());
  const upstream = stack.use(await httpUpstream());
  return {
    world,
    edge,
    upstream,
    pod(name) {
      const agent = stack.use(startAgent(edge));
      const tunnels = new Tunnels(agent.agent, systemClock);
      const replica = stack.use(startReplicaOf(world, [withHands(tunnelController, tunnels)], { pod: name }));
      return { agent, replica, tunnels, [Symbol.asyncDispose]: async () => await replica[Symbol.asyncDispose]() };
    },
    [Symbol.asyncDispose]: async () => await stack.disposeAsync(),
  };
}

const { signal } = new AbortController();

function anEndpoint(at: Ground, spec: Partial<AgentEndpoint["spec"]> = {}, name = "web"): AgentEndpoint {
  return anAgentEndpoint({
    metadata: { name },
    spec: { url: `https://${name}.test`, upstream: { url: at.upstream.url }, ...spec },
  });
}

const entry = (object: AgentEndpoint, pod = "agent-1"): AgentReplica | undefined =>
  object.status?.replicas?.find((one) => one.pod === pod);
const serves =
  (generation: number, pod = "agent-1") =>
  (object: AgentEndpoint): boolean =>
    entry(object, pod)?.reason === "EndpointCreated" && entry(object, pod)?.observedGeneration === generation;

async function change(at: Ground, path: string, value: unknown, name = "web"): Promise<void> {
  const object = (await at.world.get(AgentEndpoint, name)) as AgentEndpoint;
  const operations = [{ op: "add" as const, path, value }];
  await at.world.write.patch(AgentEndpoint, refOf(object), object.metadata.uid ?? "", operations, signal);
}

test("an AgentEndpoint is a tunnel for visitors until it is deleted, and nothing of it stays (W9)", async () => {
  await using at = await ground();
  const [first, second] = [at.pod("agent-1"), at.pod("agent-2")];
  // Else they say that they have none, where that lasts.
  for (const { agent } of [first, second]) await agent.until("it has a session", () => isUp(agent.agent.state));
  await at.world.create(AgentEndpoint, anEndpoint(at));
  const shown = await at.world.until(AgentEndpoint, "web", (one) => serves(1)(one) && serves(1, "agent-2")(one));
  expect(entry(shown)).toEqual({
    pod: "agent-1",
    assignedURL: "https://web.test",
    observedGeneration: 1,
    reason: "EndpointCreated",
  });
  expect((await visit(at.edge, "web.test", { path: "/a" })).body).toMatchObject({ url: "/a" });
  expect(at.edge.endpoints()).toHaveLength(2);

  second.replica.cut();
  await at.world.remove(AgentEndpoint, "web");
  await at.edge.journal.until("the one that hears closes", () => at.edge.endpoints().length === 1);
  second.replica.mend();
  await at.edge.journal.until("the other one, from its next list", () => at.edge.endpoints().length === 0);
  expect([first, second].map(({ replica }) => replica.writes.length)).toEqual([1, 1]);
});

test("twenty changes of the policy under fifty connections fail no request, and re-open no other endpoint", async () => {
  await using at = await ground();
  at.pod("agent-1");
  await at.world.create(
    NgrokTrafficPolicy,
    anNgrokTrafficPolicy({ metadata: { name: "limits" }, spec: { policy: {} } }),
  );
  await at.world.create(AgentEndpoint, anEndpoint(at, { trafficPolicy: { targetRef: { name: "limits" } } }));
  await at.world.create(AgentEndpoint, anEndpoint(at, {}, "other"));
  for (const name of ["web", "other"]) await at.world.until(AgentEndpoint, name, serves(1));
  const policy = (await at.world.get(NgrokTrafficPolicy, "limits")) as NgrokTrafficPolicy;
  const bound = (url: string) => at.edge.journal.count({ kind: "bound", url });

  await using load = underLoad(at.edge, "web.test", 50);
  await load.requests(500);
  for (let n = 1; n <= 20; n += 1) {
    const operations = [
      { op: "add" as const, path: "/spec/policy", value: { on_http_request: [{ name: `rule-${n}` }] } },
    ];
    await at.world.write.patch(NgrokTrafficPolicy, refOf(policy), policy.metadata.uid ?? "", operations, signal);
    await at.edge.journal.until(`policy ${n} is in force`, () => bound("https://web.test") === n + 1);
    await load.requests(100);
  }
  const result = await load.stop();
  expect(result.failures).toEqual([]);
  expect(result.ok).toBeGreaterThan(2_500);
  expect(at.edge.endpoints().filter(({ url }) => url === "https://web.test")).toMatchObject([
    { trafficPolicy: '{"on_http_request":[{"name":"rule-20"}]}' },
  ]);
  expect(bound("https://other.test")).toBe(1);
});

test("a change that ngrok refuses leaves the old endpoint serving, says so, and the next good one replaces it (W25)", async () => {
  await using at = await ground();
  at.pod("agent-1");
  await at.world.create(AgentEndpoint, anEndpoint(at, { trafficPolicy: { inline: { a: 1 } } }));
  await at.world.until(AgentEndpoint, "web", serves(1));
  const fault = at.edge.faults.add({
    on: "bind",
    kind: "refuse",
    message: "No.",
    code: "ERR_NGROK_2201",
    times: Infinity,
  });
  await change(at, "/spec/trafficPolicy", { inline: { a: 2 } });
  const refused = await at.world.until(AgentEndpoint, "web", (one) => entry(one)?.observedGeneration === 2);
  expect(entry(refused)).toMatchObject({ reason: "TrafficPolicyError", assignedURL: "https://web.test" });
  expect(entry(refused)?.message).toContain("ERR_NGROK_2201");
  expect((await visit(at.edge, "web.test")).status).toBe(200);
  expect(at.edge.endpoints()).toMatchObject([{ trafficPolicy: '{"a":1}' }]);

  fault.remove();
  await change(at, "/spec/trafficPolicy", { inline: { a: 3 } });
  await at.world.until(AgentEndpoint, "web", serves(3));
  await at.edge.journal.until("the old one is gone", () => at.edge.endpoints().length === 1);
  expect(at.edge.endpoints()).toMatchObject([{ trafficPolicy: '{"a":3}' }]);
});

test("a Secret and a policy that are missing are named, and picked up as soon as they are there; the others go on", async () => {
  await using at = await ground();
  at.pod("agent-1");
  const upstream = { url: at.upstream.url.replace("http://", "https://") };
  await at.world.create(AgentEndpoint, anEndpoint(at, { upstream, clientCertificateRefs: [{ name: "pair" }] }));
  await at.world.create(AgentEndpoint, anEndpoint(at, { trafficPolicy: { targetRef: { name: "limits" } } }, "limited"));
  await at.world.create(AgentEndpoint, anEndpoint(at, { upstream: { url: "http://nobody.invalid" } }, "lost"));
  await at.world.create(AgentEndpoint, anEndpoint(at, {}, "good"));
  const told = async (name: string, reason: string) =>
    entry(await at.world.until(AgentEndpoint, name, (one) => entry(one)?.reason === reason))?.message;
  expect(await told("web", "SecretNotFound")).toContain("Secret pair");
  expect(await told("limited", "TrafficPolicyError")).toContain("limits");
  expect(await told("lost", "ConfigurationError")).toContain("nobody.invalid");
  await at.world.until(AgentEndpoint, "good", serves(1));

  const pair = { "tls.crt": Buffer.from("no certificate").toString("base64"), "tls.key": "bm8=" };
  await at.world.create(Secret, { metadata: { name: "pair" }, data: pair });
  expect(await told("web", "ConfigurationError")).toContain("spec.clientCertificateRefs");
  await at.world.create(
    NgrokTrafficPolicy,
    anNgrokTrafficPolicy({ metadata: { name: "limits" }, spec: { policy: {} } }),
  );
  await at.world.until(AgentEndpoint, "limited", serves(1));
});

test("after its session was lost an agent opens everything again, without a write", async () => {
  await using at = await ground();
  const { replica, agent } = at.pod("agent-1");
  await at.world.create(AgentEndpoint, anEndpoint(at));
  await at.world.until(AgentEndpoint, "web", serves(1));
  at.edge.sessions()[0]?.drop();
  await at.edge.journal.until("it is bound again", () => {
    const [one] = at.edge.endpoints();
    return one?.heard === true && at.edge.journal.count({ kind: "bound" }) === 2;
  });
  expect((await visit(at.edge, "web.test")).status).toBe(200);
  expect(isUp(agent.agent.state)).toBe(true);
  expect(replica.writes).toHaveLength(1);
});

test("an endpoint that loses its policy while it waits for a session serves as before on the next one, and says what it lacks", async () => {
  await using at = await ground();
  const { agent, tunnels } = at.pod("agent-1");
  await at.world.create(
    NgrokTrafficPolicy,
    anNgrokTrafficPolicy({ metadata: { name: "limits" }, spec: { policy: {} } }),
  );
  await at.world.create(AgentEndpoint, anEndpoint(at, { trafficPolicy: { targetRef: { name: "limits" } } }));
  await at.world.until(AgentEndpoint, "web", serves(1));
  await at.edge.goDown();
  await seen(
    () => `the endpoint waits for a session; ${tunnels.waiting} wait`,
    () => Promise.resolve(tunnels.waiting === 1),
  );
  await at.world.remove(NgrokTrafficPolicy, "limits");
  const lacks = (one: AgentEndpoint): boolean => entry(one)?.reason === "TrafficPolicyError";
  await at.world.until(AgentEndpoint, "web", lacks);
  await at.edge.comeBack();
  await agent.until("it has a session again", () => isUp(agent.agent.state));
  await at.world.until(AgentEndpoint, "web", (one) => lacks(one) && entry(one)?.assignedURL === "https://web.test");
  expect((await visit(at.edge, "web.test")).status).toBe(200);
  expect(at.edge.endpoints()).toMatchObject([{ trafficPolicy: expect.stringContaining("custom-response") as string }]);
  expect(tunnels.waiting).toBe(0);
});

test("with a drain under way tunnels go on, nothing is opened, and what is deleted is closed", async () => {
  await using at = await ground();
  const { replica } = at.pod("agent-1");
  for (const name of ["stays", "goes"]) await at.world.create(AgentEndpoint, anEndpoint(at, {}, name));
  for (const name of ["stays", "goes"]) await at.world.until(AgentEndpoint, name, serves(1));
  await at.world.mark("Draining");
  await replica.closed();
  await at.world.create(AgentEndpoint, anEndpoint(at, {}, "late"));
  await at.world.remove(AgentEndpoint, "goes");
  await at.edge.journal.until("it is closed", () => at.edge.endpoints().length === 1);
  await at.world.quiet();
  expect((await visit(at.edge, "stays.test")).status).toBe(200);
  expect(at.edge.endpoints().map(({ url }) => url)).toEqual(["https://stays.test"]);
  expect(at.edge.journal.count({ kind: "bound" })).toBe(2);
});

test.for([
  {
    while: "a drain is under way",
    async closes(at: Ground, { replica }: Pod) {
      await at.world.mark("Draining");
      await replica.closed();
    },
  },
  {
    while: "the API server is out of reach",
    async closes(_: Ground, { replica }: Pod) {
      replica.cut();
      // What was read a moment ago holds for a moment.
      await systemClock.sleep(2_500);
    },
  },
])(
  "a session that is lost while $while costs no tunnel: what was open is opened again, and nothing is written",
  async (state, { expect }) => {
    await using at = await ground();
    const pod = at.pod("agent-1");
    const { replica, agent, tunnels } = pod;
    for (const name of ["stays", "goes"]) await at.world.create(AgentEndpoint, anEndpoint(at, {}, name));
    for (const name of ["stays", "goes"]) await at.world.until(AgentEndpoint, name, serves(1));
    await at.world.remove(AgentEndpoint, "goes");
    await at.edge.journal.until("it is closed", () => at.edge.endpoints().length === 1);
    await state.closes(at, pod);
    await at.world.create(AgentEndpoint, anEndpoint(at, {}, "late"));
    await change(at, "/spec/trafficPolicy", { inline: { a: 1 } }, "stays");
    at.edge.faults.add({ on: "bind", kind: "refuse", message: "Not at the first try." });
    at.edge.sessions()[0]?.drop();
    await replica.closed();
    const bound = (name: string) => at.edge.journal.count({ kind: "bound", url: `https://${name}.test` });
    await at.edge.journal.until(
      "it is bound again",
      () => bound("stays") === 2 && at.edge.endpoints()[0]?.heard === true,
    );
    expect((await visit(at.edge, "stays.test")).status).toBe(200);
    expect(isUp(agent.agent.state)).toBe(true);
    await at.world.quiet();
    expect(at.edge.endpoints()).toMatchObject([{ url: "https://stays.test", trafficPolicy: "" }]);
    expect([bound("goes"), bound("late"), tunnels.waiting]).toEqual([1, 0, 0]);
    expect(replica.writes).toHaveLength(2);
  },
);
