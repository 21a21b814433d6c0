// The leader and real agents at one stand-in of ngrok's edge: what each writes, and that none writes for the other.
import { expect, inject, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { refOf } from "#kube/kind.ts";
import { endOf, eventsSince, writes } from "#test/support/audit.ts";
import { anAgentEndpoint } from "#test/support/builders.ts";
import { startAgent } from "#test/support/edge-agents.ts";
import { type NgrokEdge, startNgrokEdge } from "#test/support/ngrok-edge/edge.ts";
import { httpUpstream } from "#test/support/ngrok-edge/upstreams.ts";
import { visit } from "#test/support/ngrok-edge/visitors.ts";
import { anAgent, goes } from "#test/support/replica-pods.ts";
import { type Replica, startReplicaOf } from "#test/support/replicas.ts";
import { condition, isReady, startWorld, type World } from "#test/support/world.ts";
import { systemClock } from "#wire/clock.ts";
import { withHands } from "../../runtime/define-replica.ts";
import { domainController } from "../domain/controller.ts";
import { tunnelController } from "../tunnel/controller.ts";
import { Tunnels } from "../tunnel/tunnels.ts";
import { agentEndpointController } from "./controller.ts";

const FIXED = "https://shop.ngrok.app";
const { signal } = new AbortController();

interface Ground extends AsyncDisposable {
  readonly world: World;
  readonly edge: NgrokEdge;
  readonly endpoint: AgentEndpoint;
  /** One more agent, with its pod. */
  scaleUp(pod: string): Promise<Replica>;
  /** The process stops, then its pod is gone. */
  scaleDown(pod: string): Promise<void>;
  /** Everything that leader and agents have written. */
  written(): number;
  change(path: string, value: unknown): Promise<void>;
}

async function ground(url = FIXED): Promise<Ground> {
  const stack = new AsyncDisposableStack();
  const world = stack.use(await startWorld({ controllers: [agentEndpointController, domainController] }));
  const edge = stack.use(await startNgrokEdge());
  const upstream = stack.use(await httpUpstream());
  const spec = { url, upstream: { url: upstream.url } };
  const endpoint = await world.create(AgentEndpoint, anAgentEndpoint({ spec }));
  const replicas = new Map<string, Replica>();
  return {
    world,
    edge,
    endpoint,
    async scaleUp(pod) {
      await anAgent(world, pod);
      const { agent } = stack.use(startAgent(edge));
      const works = [withHands(tunnelController, new Tunnels(agent, systemClock))];
      const replica = stack.use(startReplicaOf(world, works, { pod }));
      replicas.set(pod, replica);
      return replica;
    },
    async scaleDown(pod) {
      await replicas.get(pod)?.stop();
      await goes(world, pod);
    },
    written: () => [world.manager, ...replicas.values()].reduce((sum, { writes }) => sum + writes.length, 0),
    async change(path, value) {
      const operations = [{ op: "add" as const, path, value }];
      await world.write.patch(AgentEndpoint, refOf(endpoint), endpoint.metadata.uid ?? "", operations, signal);
    },
    [Symbol.asyncDispose]: async () => await stack.disposeAsync(),
  };
}

const speakers = ({ status }: AgentEndpoint): string[] => (status?.replicas ?? []).map(({ pod }) => pod).toSorted();
const message = ({ status }: AgentEndpoint): string =>
  status?.conditions?.find(({ type }) => type === "Ready")?.message ?? "";

test("from one agent to three and back the endpoint stays Ready, and in between nobody writes anything (W9)", async () => {
  await using at = await ground();
  await at.scaleUp("agent-1");
  const first = await at.world.until(AgentEndpoint, "shop", isReady);
  const since = first.status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime;
  expect(first.status).toMatchObject({ assignedURL: FIXED, domainRef: { name: "shop-ngrok-app" } });

  for (const pod of ["agent-2", "agent-3"]) await at.scaleUp(pod);
  await at.world.until(AgentEndpoint, "shop", (one) => speakers(one).length === 3);
  await at.world.quiet();
  const [written, position] = [at.written(), await endOf(inject("auditLog"))];
  await at.change("/metadata/labels", { touched: "yes" });
  await at.world.quiet();
  expect(at.written()).toBe(written);
  // The cluster's own controllers furnish a namespace in their own time.
  const audited = writes(await eventsSince(inject("auditLog"), position)).filter(
    ({ objectRef, user }) =>
      objectRef?.namespace === at.world.namespace && objectRef.resource !== "leases" && user.username === "admin",
  );
  // Ours, the label.
  expect(audited.map(({ objectRef, verb }) => `${verb} ${objectRef?.resource}`)).toEqual(["patch agentendpoints"]);
  expect(at.edge.endpoints()).toHaveLength(3);

  for (const pod of ["agent-1", "agent-2"]) await at.scaleDown(pod);
  const last = await at.world.until(AgentEndpoint, "shop", (one) => speakers(one).length === 1);
  expect(speakers(last)).toEqual(["agent-3"]);
  expect(last.status?.conditions?.find(({ type }) => type === "Ready")).toMatchObject({
    status: "True",
    lastTransitionTime: since,
  });
  expect((await visit(at.edge, "shop.ngrok.app")).status).toBe(200);

  await at.scaleDown("agent-3");
  const none = await at.world.until(AgentEndpoint, "shop", (one) => !isReady(one));
  expect(message(none)).toContain("No agent is running");
});

test("what ngrok refuses of a change is shown when all agents have tried, and visitors are served as before (W25)", async () => {
  await using at = await ground();
  for (const pod of ["agent-1", "agent-2"]) await at.scaleUp(pod);
  await at.world.until(AgentEndpoint, "shop", (one) => isReady(one) && speakers(one).length === 2);
  at.edge.faults.add({ on: "bind", kind: "refuse", message: "No.", code: "ERR_NGROK_2201", times: Infinity });
  await at.change("/spec/trafficPolicy", { inline: { on_http_request: [] } });
  const refused = await at.world.until(AgentEndpoint, "shop", (one) => !isReady(one));
  expect(condition(refused, "TrafficPolicyApplied")).toBe("False TrafficPolicyError");
  expect(condition(refused, "Ready")).toBe("False TrafficPolicyError");
  expect(message(refused)).toContain("ERR_NGROK_2201");
  expect(refused.status).toMatchObject({ observedGeneration: 2, assignedURL: FIXED });
  expect(refused.status?.replicas?.map(({ observedGeneration }) => observedGeneration)).toEqual([2, 2]);
  expect((await visit(at.edge, "shop.ngrok.app")).status).toBe(200);
});

test("a deletion is over although an agent cannot hear of it, and that one closes as soon as it does (W9)", async () => {
  await using at = await ground();
  const deaf = await at.scaleUp("agent-1");
  await at.world.until(AgentEndpoint, "shop", isReady);
  deaf.cut();
  await at.world.remove(AgentEndpoint, "shop");
  await at.world.gone(AgentEndpoint, "shop");
  expect(at.edge.endpoints()).toHaveLength(1);
  deaf.mend();
  await at.edge.journal.until("it is closed", () => at.edge.endpoints().length === 0);
  expect(at.edge.endpoints()).toEqual([]);
});

test("an address that ngrok has chosen stays: over a change, a lost session, and for agents that come later", async () => {
  await using at = await ground("https://");
  await at.scaleUp("agent-1");
  const first = await at.world.until(AgentEndpoint, "shop", isReady);
  const { assignedURL: address = "" } = first.status ?? {};
  const served = (): string[] => at.edge.endpoints().map(({ url }) => url);
  expect(served()).toEqual([address]);

  await at.change("/spec/trafficPolicy", { inline: { on_http_request: [] } });
  await at.world.until(AgentEndpoint, "shop", (one) => one.status?.replicas?.[0]?.observedGeneration === 2);
  await at.edge.journal.until("the old one is closed", () => served().length === 1);
  expect(served()).toEqual([address]);
  await at.world.until(AgentEndpoint, "shop", (one) => isReady(one) && one.status?.observedGeneration === 2);

  await at.scaleUp("agent-2");
  await at.world.until(AgentEndpoint, "shop", (one) => speakers(one).length === 2);
  expect(served()).toEqual([address, address]);
  at.edge.sessions()[0]?.drop();
  await at.edge.journal.until("it is bound again", () => served().length === 2);
  await at.scaleDown("agent-1");
  const last = await at.world.until(AgentEndpoint, "shop", (one) => speakers(one).length === 1);
  expect(last.status?.assignedURL).toBe(address);
  expect(new Set(served())).toEqual(new Set([address]));
  expect((await visit(at.edge, address.replace("https://", ""))).status).toBe(200);
});
