// Input that cannot work, from the object to what a person reads: the leader and real agents at a stand-in of ngrok's edge.
// Each has its condition and its event with the remedy, and whatever else there is goes on.
import { expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { Event, Secret } from "#kube/kinds.ts";
import { withHands } from "#operator/runtime/define-replica.ts";
import { anAgentEndpoint } from "#test/support/builders.ts";
import { isUp, startAgent, type TestAgentOptions } from "#test/support/edge-agents.ts";
import { freePort } from "#test/support/forwarding.ts";
import { type NgrokEdge, type NgrokEdgeOptions, startNgrokEdge } from "#test/support/ngrok-edge/edge.ts";
import { httpUpstream } from "#test/support/ngrok-edge/upstreams.ts";
import { visit } from "#test/support/ngrok-edge/visitors.ts";
import { anAgent, kubelet } from "#test/support/replica-pods.ts";
import { startReplicaOf } from "#test/support/replicas.ts";
import { condition, isReady, startWorld, type World } from "#test/support/world.ts";
import { systemClock } from "#wire/clock.ts";
import { tunnelController } from "../tunnel/controller.ts";
import { Tunnels } from "../tunnel/tunnels.ts";
import { agentEndpointController } from "./controller.ts";

interface Ground extends AsyncDisposable {
  readonly world: World;
  readonly edge: NgrokEdge;
  /** One more agent, with its pod. */
  agent(pod: string, options?: TestAgentOptions): Promise<void>;
  /** An endpoint `https://<name>.internal`, which leads to an upstream that answers unless `spec` says otherwise. */
  endpoint(name: string, spec?: Partial<AgentEndpoint["spec"]>): Promise<void>;
}

async function ground(options: NgrokEdgeOptions = {}): Promise<Ground> {
  const stack = new AsyncDisposableStack();
  const world = stack.use(await startWorld({ controllers: [agentEndpointController] }));
  const edge = stack.use(await startNgrokEdge(options));
  const upstream = stack.use(await httpUpstream());
  return {
    world,
    edge,
    async agent(pod, more) {
      await anAgent(world, pod);
      const at = stack.use(startAgent(edge, more));
      // One that is to serve has its session before it is asked for anything: without it for long, it would say so.
      if (more === undefined) await at.until("it has a session", () => isUp(at.agent.state));
      const { agent } = at;
      stack.use(startReplicaOf(world, [withHands(tunnelController, new Tunnels(agent, systemClock))], { pod }));
    },
    async endpoint(name, spec = {}) {
      const whole = { url: `https://${name}.internal`, upstream: { url: upstream.url }, ...spec };
      await world.create(AgentEndpoint, anAgentEndpoint({ metadata: { name }, spec: whole }));
    },
    [Symbol.asyncDispose]: async () => await stack.disposeAsync(),
  };
}

const readyMessage = ({ status }: AgentEndpoint): string =>
  status?.conditions?.find(({ type }) => type === "Ready")?.message ?? "";

/** The Warnings about an endpoint, `reason: note`. */
async function warnings({ read, namespace }: World, name: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { items } of read.pages(Event, { namespace }, AbortSignal.timeout(60_000)))
    found.push(
      ...items
        .filter(({ type, regarding }) => type === "Warning" && regarding.name === name)
        .map(({ reason, note }) => `${reason}: ${note}`),
    );
  return found;
}

const bad: readonly {
  readonly what: string;
  readonly spec?: (at: Ground) => Partial<AgentEndpoint["spec"]>;
  readonly before?: (at: Ground) => Promise<void> | void;
  /** Of the condition EndpointCreated, and of the event. */
  readonly reason: string;
  readonly event: string;
  readonly says: string;
  readonly remedy: string;
}[] = [
  {
    what: "an edge that refuses it",
    before: ({ edge }) => {
      const refusal = { message: "It is online elsewhere.", code: "ERR_NGROK_334" } as const;
      edge.faults.add({ on: "bind", kind: "refuse", match: /bad\.internal/, times: Infinity, ...refusal });
    },
    reason: "NgrokAPIError",
    event: "UpdateError",
    says: "It is online elsewhere. (ERR_NGROK_334)",
    remedy: "start it with pooling enabled",
  },
  {
    what: "an edge that answers garbage",
    before: ({ edge }) => {
      edge.faults.add({ on: "bind", kind: "garbage", match: /bad\.internal/, times: Infinity });
    },
    reason: "NgrokAPIError",
    event: "UpdateError",
    says: "cannot open https://bad.internal",
    remedy: "check serverAddr of the chart, and proxies on the way",
  },
  {
    what: "an upstream that DNS does not know",
    spec: () => ({ upstream: { url: "http://nobody.invalid" } }),
    reason: "ConfigurationError",
    event: "ConfigError",
    says: "the host nobody.invalid (port 80) is not known to DNS",
    remedy: "a Service is reached as SERVICE.NAMESPACE.svc",
  },
  {
    what: "a certificate that is none",
    before: async ({ world }) => {
      const data = { "tls.crt": Buffer.from("no certificate").toString("base64"), "tls.key": "bm8=" };
      await world.create(Secret, { metadata: { name: "pair" }, data });
    },
    spec: () => ({ url: "tls://bad.internal", tlsTermination: { serverCertificateRef: { name: "pair" } } }),
    reason: "ConfigurationError",
    event: "ConfigError",
    says: "spec.tlsTermination: certificate and key cannot be used",
    remedy: "put a PEM certificate and the key that belongs to it into the Secret",
  },
];

test.for(bad)(
  "$what is a condition and an event with the remedy, and other endpoints go on",
  async (one, { expect }) => {
    await using at = await ground();
    await at.agent("agent-1");
    await at.endpoint("before");
    await at.world.until(AgentEndpoint, "before", isReady);
    await one.before?.(at);
    await at.endpoint("bad", one.spec?.(at));
    await at.endpoint("after");
    const told = (object: AgentEndpoint): boolean => condition(object, "EndpointCreated") === `False ${one.reason}`;
    const shown = await at.world.until(AgentEndpoint, "bad", told);
    expect(condition(shown, "Ready")).toBe(`False ${one.reason}`);
    for (const words of [one.says, one.remedy]) expect(readyMessage(shown)).toContain(words);
    const event = expect.stringMatching(new RegExp(`^${one.event}: `));
    await expect.poll(async () => await warnings(at.world, "bad")).toEqual([event]);
    const [said] = await warnings(at.world, "bad");
    for (const words of [one.says, one.remedy]) expect(said).toContain(words);
    await at.world.until(AgentEndpoint, "after", isReady);
    for (const host of ["before.internal", "after.internal"]) expect((await visit(at.edge, host)).status).toBe(200);
    expect(await warnings(at.world, "before")).toEqual([]);
  },
);

test("agents with a wrong authtoken, or without a way to ngrok, say what to do, and the others serve", async () => {
  await using at = await ground({ authtokens: ["an-authtoken"] });
  await at.agent("agent-1");
  await at.agent("agent-2", { authtoken: "wrong-secret" });
  await at.agent("agent-3", { serverAddr: `127.0.0.1:${await freePort()}` });
  await at.endpoint("web");
  const shown = await at.world.until(
    AgentEndpoint,
    "web",
    (one) => isReady(one) && ["agent-2", "agent-3"].every((pod) => readyMessage(one).includes(pod)),
  );
  const words = [
    "ERR_NGROK_107",
    "give the operator a valid authtoken",
    "ngrok's edge is not reached: check serverAddr",
  ];
  for (const word of words) expect(readyMessage(shown)).toContain(word);
  await expect
    .poll(async () => (await warnings(at.world, "web")).filter((one) => words.every((word) => one.includes(word))))
    .toEqual([expect.stringMatching(/^UpdateError: /)]);
  expect(JSON.stringify([shown, await warnings(at.world, "web")])).not.toContain("wrong-secret");
  expect((await visit(at.edge, "web.internal")).status).toBe(200);
});

test.for<{ what: string; options: () => Promise<TestAgentOptions>; says: string; remedy: string }>([
  {
    what: "a wrong authtoken",
    options: async () => await Promise.resolve({ authtoken: "wrong-secret" }),
    says: "ERR_NGROK_107",
    remedy: "give the operator a valid authtoken",
  },
  {
    what: "an edge that is not reached",
    options: async () => ({ serverAddr: `127.0.0.1:${await freePort()}` }),
    says: "ngrok's edge is not reached",
    remedy: "check serverAddr",
  },
  {
    what: "an edge whose certificate is not trusted",
    options: async () => await Promise.resolve({ extraRoots: [] }),
    says: "certificate",
    remedy: "rootCAs",
  },
])(
  "$what leaves no agent ready, and is yet a condition and an event with the remedy",
  async ({ options, says, remedy }, { expect }) => {
    await using at = await ground({ authtokens: ["an-authtoken"] });
    await at.agent("agent-1", await options());
    // As the kubelet finds it: without a session /readyz is 503.
    await kubelet(at.world, "agent-1", false);
    await at.endpoint("web");
    const shown = await at.world.until(AgentEndpoint, "web", (one) => readyMessage(one).includes(remedy));
    expect(condition(shown, "EndpointCreated")).toBe("False NgrokAPIError");
    expect(condition(shown, "Ready")).toBe("False NgrokAPIError");
    expect(readyMessage(shown)).toContain(says);
    await expect
      .poll(async () => await warnings(at.world, "web"))
      .toContainEqual(expect.stringMatching(new RegExp(`^UpdateError: .*${remedy}`)));
    expect(JSON.stringify([shown, await warnings(at.world, "web")])).not.toContain("wrong-secret");
  },
);
