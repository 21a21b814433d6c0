// What an agent does for an AgentEndpoint whose tunnel cannot be opened: whether it is tried again, and what serves meanwhile,
// while its sessions come and go.
import { expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { Secret } from "#kube/kinds.ts";
import { AgentLine } from "#test/support/agent-line.ts";
import { anAgentEndpoint } from "#test/support/builders.ts";
import { testClock } from "#test/support/clock.ts";
import { aSpec } from "#test/support/edge-agents.ts";
import { KnownError } from "#wire/errors.ts";
import { Cache } from "../../runtime/cache.ts";
import type { ReplicaContext, ReplicaOutcome } from "../../runtime/define-replica.ts";
import { nextOf } from "../../runtime/next.ts";
import { tunnelController } from "./controller.ts";
import { Tunnels } from "./tunnels.ts";

const policy = (n: number): Partial<AgentEndpoint["spec"]> => ({ trafficPolicy: { inline: { n } } });
const noSecret = { ...policy(2), clientCertificateRefs: [{ name: "none" }] };
const noPolicy = { trafficPolicy: { targetRef: { name: "none" } } };

function ground() {
  const line = new AgentLine();
  const clock = testClock();
  const tunnels = new Tunnels(line, clock);
  const cached = new Cache();
  for (const kind of [AgentEndpoint, NgrokTrafficPolicy, Secret]) cached.add(kind);
  const context = { hands: tunnels, cached, clock, signal: new AbortController().signal };
  const apply = async (spec: Partial<AgentEndpoint["spec"]>): Promise<ReplicaOutcome<AgentEndpoint>> =>
    await tunnelController.apply(anAgentEndpoint({ spec }), context as unknown as ReplicaContext<Tunnels>);
  return { line, clock, tunnels, apply };
}

test.for([
  { what: "names a Secret that is missing", spec: noSecret, is: "stop", reason: "SecretNotFound" },
  { what: "names a policy that is missing", spec: noPolicy, is: "stop", reason: "TrafficPolicyError" },
  { what: "ngrok does not open", spec: policy(2), is: "failed", reason: "NgrokAPIError" },
  {
    what: "ngrok refuses for its policy",
    spec: policy(2),
    refusal: new KnownError("invalid", "no", { code: "ERR_NGROK_2201" }),
    is: "stop",
    reason: "TrafficPolicyError",
  },
])(
  "a spec that $what leaves the old one serving, on the next session too, until there is a good one",
  async ({ spec, refusal = new KnownError("transient", "no"), is, reason }, { expect }) => {
    const { line, tunnels, apply } = ground();
    line.refuses = 'open {"n":2}';
    line.refusal = refusal;
    const told = { is, entry: { reason, assignedURL: "https://web.test" } };
    await apply(policy(1));
    expect(await apply(spec)).toMatchObject(told);

    line.loseSession();
    expect(await apply(spec)).toMatchObject(told);
    expect(line.policies).toEqual(['{"n":1}']);
    expect(tunnels.waiting).toBe(0);

    expect(await apply(policy(3))).toMatchObject({ is: "done", entry: { reason: "EndpointCreated" } });
    expect(line.policies).toEqual(['{"n":3}']);
  },
);

test("where ngrok refuses the old one too, it is tried again as what failed, and the status still tells what is wrong with the new one", async () => {
  const { line, apply } = ground();
  await apply(policy(1));
  line.loseSession();
  line.refuses = "open";
  const entry = { reason: "SecretNotFound", message: expect.stringContaining("Secret none") as string };
  expect(await apply(noSecret)).toMatchObject({ is: "failed", entry });
  line.refuses = undefined;
  expect(await apply(noSecret)).toMatchObject({ is: "stop", entry: { ...entry, assignedURL: "https://web.test" } });
});

test("what served waits for the next session though its newest spec cannot be had; what never served keeps nobody waiting", async () => {
  const { line, clock, tunnels, apply } = ground();
  line.turn({ is: "down", why: "lost" });
  await apply(policy(1));
  expect(tunnels.waiting).toBe(1);
  expect(await apply(noSecret)).toMatchObject({ is: "stop" });
  expect(tunnels.waiting).toBe(0);

  line.turn({ is: "up" });
  await apply(policy(1));
  line.live.length = 0;
  line.turn({ is: "down", why: "lost" });
  // A session that comes back soon is no news for a status.
  expect(await apply(noSecret)).toEqual({ is: "wait", ms: 5_000, reason: "lost" });
  await clock.advance(5_000);
  expect(await apply(noSecret)).toMatchObject({ is: "stop", entry: { reason: "SecretNotFound" } });
  expect(tunnels.waiting).toBe(1);
});

test("one that ngrok ends as soon as it is open is left alone as the old one too", async () => {
  const { line, clock, apply } = ground();
  await apply(policy(1));
  line.live.length = 0;
  expect(await apply(noSecret)).toMatchObject({ is: "wait", ms: 1_000, entry: { reason: "SecretNotFound" } });
  await clock.advance(1_000);
  expect(await apply(noSecret)).toMatchObject({ is: "stop" });
  expect(line.policies).toEqual(['{"n":1}']);
});

test("one that ngrok ends wakes nobody but itself; a session that goes and one that comes wake all", async () => {
  const { line, tunnels } = ground();
  const { signal } = new AbortController();
  const woken: unknown[] = [];
  const stop = tunnelController.listens?.(tunnels, (at) => woken.push(at ?? "all"));
  for (const n of ["1", "2"])
    await tunnels.become(
      `dev/web-${n}`,
      aSpec({ url: `https://web-${n}.test`, trafficPolicy: n }, "http://web"),
      signal,
    );
  line.end("2");
  expect(woken.splice(0)).toEqual([{ namespace: "dev", name: "web-2" }]);
  line.turn({ is: "down", why: "lost" });
  line.turn({ is: "up" });
  expect(woken.splice(0)).toEqual(["all", "all"]);
  stop?.();
  line.end("1");
  line.turn({ is: "down", why: "lost" });
  expect(woken).toEqual([]);
});

test("the same spec that is refused is not asked for twice", async () => {
  const { line, apply } = ground();
  await apply(policy(1));
  line.loseSession();
  line.refuses = "open";
  expect(await apply(policy(1))).toMatchObject({ is: "failed" });
  expect(line.had).toHaveLength(2);
});

/** What comes of an endpoint that ngrok refuses so. */
async function refused(refusal: KnownError): Promise<ReplicaOutcome<AgentEndpoint>> {
  const { line, apply } = ground();
  line.refuses = "open";
  line.refusal = refusal;
  return await apply({});
}

test("what is refused in words about its policy is left until somebody changes something, whatever the code", async () => {
  const said = "cannot open https://web.test: The traffic policy has too many rules (ERR_NGROK_2299)";
  const outcome = await refused(new KnownError("transient", said, { code: "ERR_NGROK_2299" }));
  expect(outcome).toMatchObject({ is: "stop", entry: { reason: "TrafficPolicyError", message: said } });
  // Not before a mending may have come that no watch sees.
  expect(nextOf(outcome)).toEqual({ is: "later", ms: 600_000 });
});

test("what only quotes a name with that word in it is tried again", async () => {
  const taken = "cannot open https://policy.test: another endpoint has this URL (ERR_NGROK_334)";
  const outcome = await refused(new KnownError("transient", taken, { code: "ERR_NGROK_334" }));
  expect(outcome).toMatchObject({ is: "failed", entry: { reason: "NgrokAPIError", message: taken } });
  expect(nextOf(outcome)).toMatchObject({ is: "retry" });
});
