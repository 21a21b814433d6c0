// AgentEndpoints as the leader sees them, on a real API server: agents come, speak, fail and go, and the conditions follow
// without a word too many.
import { expect, test } from "vitest";
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { Domain } from "#api/domain.ts";
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import type { KubeObject } from "#kube/kind.ts";
import { Event } from "#kube/kinds.ts";
import { says } from "#test/support/agent-words.ts";
import { anAgent, goes, kubelet } from "#test/support/replica-pods.ts";
import { anAgentEndpoint, anNgrokTrafficPolicy } from "#test/support/builders.ts";
import { condition, isReady, startWorld, type World } from "#test/support/world.ts";
import { KnownError } from "#wire/errors.ts";
import { domainController } from "../domain/controller.ts";
import { trafficPolicyController } from "../traffic-policy/controller.ts";
import { agentEndpointController } from "./controller.ts";

const controllers = [agentEndpointController, domainController, trafficPolicyController];
const internal = { spec: { url: "https://shop.internal" } };
const signal = (): AbortSignal => AbortSignal.timeout(60_000);

async function eventsOf(world: World): Promise<string[]> {
  const found: string[] = [];
  for await (const { items } of world.read.pages(Event, { namespace: world.namespace }, signal()))
    found.push(...items.filter(({ regarding }) => regarding.kind === "AgentEndpoint").map(({ reason }) => reason));
  return found;
}

function message(object: AgentEndpoint, type = "Ready"): string {
  return object.status?.conditions?.find((one) => one.type === type)?.message ?? "";
}

function speakers(object: AgentEndpoint): string[] {
  return (object.status?.replicas ?? []).map(({ pod }) => pod);
}

test("an endpoint is claimed, waits for an agent, and is Ready once one serves it, with one write each", async () => {
  await using world = await startWorld({ controllers, start: false });
  // Before the manager starts: its two watches would bring agent and endpoint in any order.
  await anAgent(world, "agent-a");
  world.start();
  await world.create(AgentEndpoint, anAgentEndpoint(internal));
  const waiting = await world.until(AgentEndpoint, "shop", (one) => condition(one, "Ready") !== undefined);
  expect(waiting.metadata.finalizers).toEqual([FINALIZER]);
  expect(waiting.metadata.annotations?.[DRAIN_OWNER]).toBe(`${world.namespace}/ngrok`);
  expect(condition(waiting, "Ready")).toBe("False Pending");

  await says(world, "agent-a", { assignedURL: "https://shop.internal" });

  const ready = await world.until(AgentEndpoint, "shop", isReady);
  expect(ready.status).toMatchObject({
    assignedURL: "https://shop.internal",
    trafficPolicy: "none",
    observedGeneration: 1,
    replicas: [{ pod: "agent-a" }],
  });
  expect(condition(ready, "EndpointCreated")).toBe("True EndpointCreated");
  await world.quiet();
  expect(world.manager.writes.map((write) => write.replace(/^(\w+) .*\/agentendpoints/, "$1 "))).toEqual([
    "PATCH /shop",
    "PATCH /shop/status",
    "PATCH /shop/status",
  ]);
  expect(world.api.count("POST", "/endpoints")).toBe(0);
});

test("a public host is reserved by a Domain; where ngrok chooses the host there is none, and no error", async () => {
  await using world = await startWorld({ controllers });
  await anAgent(world, "agent-a");
  const urls = ["https://shop.ngrok.app", "https://", "tcp://", "tls://", ""];
  for (const [index, url] of urls.entries())
    await world.create(AgentEndpoint, anAgentEndpoint({ metadata: { name: `url-${index}` }, spec: { url } }));
  for (const [index, url] of urls.entries()) {
    const shown = await world.until(
      AgentEndpoint,
      `url-${index}`,
      (one) => condition(one, "DomainReady")?.startsWith("True") === true,
    );
    expect({ url, ref: shown.status?.domainRef?.name }).toEqual({
      url,
      ref: index === 0 ? "shop-ngrok-app" : undefined,
    });
  }
  expect(world.api.objects("reserved_domains").map(({ domain }) => domain)).toEqual(["shop.ngrok.app"]);
});

test("one of three agents fails: the endpoint stays Ready and names it, and nobody writes for what says nothing new (W9)", async () => {
  await using world = await startWorld({ controllers });
  for (const pod of ["agent-a", "agent-b", "agent-c"]) await anAgent(world, pod);
  await world.create(AgentEndpoint, anAgentEndpoint(internal));
  for (const pod of ["agent-a", "agent-b"]) await says(world, pod);
  await world.until(AgentEndpoint, "shop", isReady);
  await says(world, "agent-c", { reason: "NgrokAPIError", message: "too many endpoints" });
  const ready = await world.until(AgentEndpoint, "shop", (one) => message(one).includes("agent-c"));
  expect(isReady(ready)).toBe(true);
  expect(message(ready)).toContain("agent-c: too many endpoints");
  expect(speakers(ready)).toEqual(["agent-a", "agent-b", "agent-c"]);
  await expect.poll(async () => await eventsOf(world)).toContain("UpdateError");

  await world.quiet();
  const before = world.manager.writes.length;
  for (const pod of ["agent-a", "agent-b"]) await says(world, pod);
  await says(world, "agent-b", { assignedURL: "https://shop.internal" });
  await world.until(AgentEndpoint, "shop", (one) => one.status?.assignedURL !== undefined);
  await world.quiet();
  // The address is news; that two agents said the same again is not.
  expect(world.manager.writes.length).toBe(before + 1);
  await world.manager.stop();
  const next = world.start();
  await world.quiet();
  expect(next.writes).toEqual([]);
});

test("a change of the spec does not make it flap: what was Ready stays so until the agents have answered (W25)", async () => {
  await using world = await startWorld({ controllers });
  await anAgent(world, "agent-a");
  const { metadata } = await world.create(AgentEndpoint, anAgentEndpoint(internal));
  await says(world, "agent-a");
  await world.until(AgentEndpoint, "shop", isReady);
  await world.quiet();
  const before = world.manager.writes.length;
  const change = [{ op: "replace" as const, path: "/spec/description", value: "other" }];
  await world.write.patch(
    AgentEndpoint,
    { name: "shop", namespace: world.namespace },
    metadata.uid ?? "",
    change,
    signal(),
  );
  await world.quiet();
  expect(world.manager.writes.length).toBe(before);
  await says(world, "agent-a", { observedGeneration: 2 });
  const after = await world.until(AgentEndpoint, "shop", (one) => one.status?.observedGeneration === 2);
  expect(isReady(after)).toBe(true);
});

test("what a pod has said goes with it, and without any agent the endpoint says what to look at", async () => {
  await using world = await startWorld({ controllers });
  for (const pod of ["agent-a", "agent-b"]) await anAgent(world, pod);
  await world.create(AgentEndpoint, anAgentEndpoint(internal));
  for (const pod of ["agent-a", "agent-b"]) await says(world, pod);
  await world.until(AgentEndpoint, "shop", isReady);

  await goes(world, "agent-a");
  const one = await world.until(AgentEndpoint, "shop", (now) => speakers(now).length === 1);
  expect(speakers(one)).toEqual(["agent-b"]);
  expect(isReady(one)).toBe(true);

  await kubelet(world, "agent-b", false);
  const hung = await world.until(AgentEndpoint, "shop", (now) => !isReady(now));
  expect(message(hung)).toContain("No agent is ready");
  expect(speakers(hung)).toEqual(["agent-b"]);
  await kubelet(world, "agent-b", true);
  await world.until(AgentEndpoint, "shop", isReady);

  await goes(world, "agent-b");
  const none = await world.until(AgentEndpoint, "shop", (now) => message(now).includes("No agent is running"));
  expect(speakers(none)).toEqual([]);
  expect(message(none)).toContain("app.kubernetes.io/component=agent");
});

test("what a pod had said that went while nobody led is taken out by the next leader", async () => {
  await using world = await startWorld({ controllers });
  await anAgent(world, "agent-a");
  await world.create(AgentEndpoint, anAgentEndpoint(internal));
  await says(world, "agent-a");
  await world.until(AgentEndpoint, "shop", isReady);
  await world.manager.stop();
  await goes(world, "agent-a");
  world.start();
  const after = await world.until(AgentEndpoint, "shop", (one) => speakers(one).length === 0 && !isReady(one));
  expect(message(after)).toContain("No agent is running");
});

test("where Pods may not be read, nobody is taken for gone", async () => {
  await using world = await startWorld({ controllers, start: false });
  const manager = world.start({
    intercept: ({ path }) =>
      path.includes("/pods")
        ? Promise.reject(new KnownError("invalid", "pods is forbidden", { status: 403, code: "Forbidden" }))
        : undefined,
  });
  await world.create(AgentEndpoint, anAgentEndpoint(internal));
  await says(world, "agent-a");
  const ready = await world.until(AgentEndpoint, "shop", isReady);
  expect(speakers(ready)).toEqual(["agent-a"]);
  await expect.poll(() => manager.log.map(({ msg }) => msg)).toContainEqual(expect.stringContaining("may not be read"));
});

test("a missing policy is said, with an event, and the endpoint follows as it comes", async () => {
  await using world = await startWorld({ controllers });
  await anAgent(world, "agent-a");
  const trafficPolicy = { targetRef: { name: "limits" } };
  await world.create(AgentEndpoint, anAgentEndpoint({ spec: { ...internal.spec, trafficPolicy } }));
  await says(world, "agent-a", { reason: "TrafficPolicyError", message: "NgrokTrafficPolicy limits is missing" });
  const waiting = await world.until(AgentEndpoint, "shop", (one) => condition(one, "Ready") !== undefined);
  expect(condition(waiting, "Ready")).toBe("False TrafficPolicyError");
  expect(message(waiting)).toContain("create it or name another");
  expect(waiting.status?.trafficPolicy).toBe("limits");
  await expect.poll(async () => await eventsOf(world)).toContain("TrafficPolicyNotFound");

  await world.create(NgrokTrafficPolicy, anNgrokTrafficPolicy({ metadata: { name: "limits" } }));
  await says(world, "agent-a");
  const ready = await world.until(AgentEndpoint, "shop", isReady);
  expect(condition(ready, "TrafficPolicyApplied")).toBe("True TrafficPolicyApplied");
});

test("a Secret that an agent misses is said on the object, once, whichever agents miss it", async () => {
  await using world = await startWorld({ controllers });
  const missing = { reason: "SecretNotFound", message: "Secret tls is not there: create it" } as const;
  for (const pod of ["agent-a", "agent-b"]) await anAgent(world, pod);
  await world.create(AgentEndpoint, anAgentEndpoint(internal));
  for (const pod of ["agent-a", "agent-b"]) await says(world, pod, missing);
  const shown = await world.until(AgentEndpoint, "shop", (one) => condition(one, "Ready")?.endsWith("Error") === true);
  expect(condition(shown, "EndpointCreated")).toBe("False ConfigurationError");
  await world.quiet();
  expect((await eventsOf(world)).filter((reason) => reason === "SecretNotFound")).toHaveLength(1);
});

test("a deletion waits for no agent, deletes nothing at ngrok, and leaves the Domain (W9)", async () => {
  await using world = await startWorld({ controllers });
  await anAgent(world, "agent-a");
  await world.create(AgentEndpoint, anAgentEndpoint({ spec: { url: "https://shop.ngrok.app" } }));
  await says(world, "agent-a");
  await world.until(AgentEndpoint, "shop", isReady);
  const calls = world.api.ledger.total;

  await world.remove(AgentEndpoint, "shop");

  await world.gone(AgentEndpoint, "shop");
  await world.quiet();
  expect(await world.get(Domain, "shop-ngrok-app")).toMatchObject({ metadata: { finalizers: [FINALIZER] } });
  expect(world.api.ledger.total).toBe(calls);
});

test("what another install has stamped is not touched", async () => {
  await using world = await startWorld({ controllers });
  const annotations = { [DRAIN_OWNER]: "elsewhere/other" };
  await world.create(AgentEndpoint, anAgentEndpoint({ ...internal, metadata: { annotations } }));
  await world.quiet();
  const object: KubeObject & { status?: object } = (await world.get(AgentEndpoint, "shop")) ?? {
    metadata: { name: "" },
  };
  expect(object.metadata.finalizers).toBeUndefined();
  expect(object.status).toBeUndefined();
});
