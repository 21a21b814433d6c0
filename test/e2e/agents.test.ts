// Agents in pods: visitors at a stand-in of ngrok's edge reach pods through them, also while they are replaced, and an
// uninstall waits for none of them.
import { expect } from "vitest";
import { anAgentEndpoint } from "#test/support/builders.ts";
import type { Kubectl } from "#test/support/kubectl.ts";
import { underLoad } from "#test/support/load.ts";
import { type NgrokEdge, startNgrokEdge } from "#test/support/ngrok-edge/edge.ts";
import { visit } from "#test/support/ngrok-edge/visitors.ts";
import { type Release } from "#test/support/release.ts";
import { roomForPods } from "#test/support/room-for-pods.ts";
import { FULLNAME, type Scene, test } from "#test/support/scene.ts";

const AGENTS = `deployment/${FULLNAME}-agent`;
const SERVE = `require("http").createServer((q, s) => s.end("a pod at " + q.url)).listen(8080)`;

/** Installs with agents that are connected to the edge. */
async function withAgents(
  scene: Scene,
  edge: NgrokEdge,
  values: Readonly<Record<string, string | number | boolean>>,
): Promise<Release> {
  const { kubectl } = scene.stage;
  await kubectl.run(["create", "namespace", scene.namespace]);
  await kubectl.run(["-n", scene.namespace, "create", "configmap", "edge-ca", `--from-literal=ca.crt=${edge.ca}`]);
  const agents = { "agent.enabled": true, serverAddr: edge.serverAddr, "extraCA.configMapName": "edge-ca" };
  return await scene.install({ helm: 4, values: { ...agents, ...values } });
}

async function anEdge({ stage }: Scene): Promise<NgrokEdge> {
  return await startNgrokEdge({ host: "0.0.0.0", names: [stage.cluster.hostIp], authtokens: ["unused"] });
}

/** A pod that serves, behind a Service `web`, and an AgentEndpoint that leads to it. */
async function served(kubectl: Kubectl, image: string, namespace: string): Promise<void> {
  await roomForPods(kubectl, namespace);
  const labels = { app: "web" };
  const containers = [{ name: "web", image, command: ["/usr/local/bin/node", "-e", SERVE] }];
  await kubectl.apply([
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", namespace, labels },
      spec: { containers, terminationGracePeriodSeconds: 1 },
    },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "web", namespace },
      spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
    },
  ]);
  // The cluster has no DNS of its own.
  const address = await kubectl.run(["-n", namespace, "get", "service/web", "-o", "jsonpath={.spec.clusterIP}"]);
  const spec = { url: "https://web.internal", upstream: { url: `http://${address.trim()}` } };
  await kubectl.apply([anAgentEndpoint({ metadata: { name: "web", namespace }, spec })]);
  for (const object of ["pod/web", "agentendpoint/web"])
    await kubectl.run(["-n", namespace, "wait", "--for=condition=Ready", object, "--timeout=150s"]);
}

test.for(["Retain", "Delete"] as const)(
  "under %s a pod is reached through agents, while they are replaced too, and an uninstall leaves no trace (W9)",
  async (policy, { scene }) => {
    const { stage, namespaces } = scene;
    const [namespace] = namespaces;
    await using edge = await anEdge(scene);
    const release = await withAgents(scene, edge, { drainPolicy: policy, "agent.replicaCount": 2 });
    await served(stage.kubectl, stage.image, namespace);
    // The node may hear of the Service a moment after the agents.
    const asked = async (): Promise<string> => (await visit(edge, "web.internal", { path: "/hello" })).text;
    await expect.poll(asked, { timeout: 180_000 }).toBe("a pod at /hello");
    await edge.journal.until("both agents serve", () => edge.endpoints().length === 2, 180_000);

    await using load = underLoad(edge, "web.internal", 20);
    await load.requests(200);
    const at = ["-n", scene.namespace, "rollout"];
    await stage.kubectl.run([...at, "restart", AGENTS]);
    await stage.kubectl.run([...at, "status", AGENTS, "--timeout=150s"]);
    for (const replicas of [1, 3, 1]) {
      await stage.kubectl.run(["-n", scene.namespace, "scale", AGENTS, `--replicas=${replicas}`]);
      await edge.journal.until(`${replicas} serve`, () => edge.endpoints().length === replicas, 180_000);
      await load.requests(200);
    }
    expect((await load.stop()).failures).toEqual([]);

    const run = await release.uninstall();

    expect(run.code, run.stderr).toBe(0);
    expect(await scene.residue()).toEqual([]);
    const left = await stage.kubectl.run(["-n", namespace, "get", "agentendpoints", "-o", "name"]);
    expect(left.trim()).toBe(policy === "Retain" ? "agentendpoint.ngrok.k8s.ngrok.com/web" : "");
    await edge.journal.until("no agent is left", () => edge.endpoints().length === 0, 180_000);
  },
);

test("an uninstall that deletes ends although the agents are at zero (W9)", async ({ scene }) => {
  const { stage, namespaces } = scene;
  const [namespace] = namespaces;
  await using edge = await anEdge(scene);
  const release = await withAgents(scene, edge, { drainPolicy: "Delete" });
  await served(stage.kubectl, stage.image, namespace);
  await stage.kubectl.run(["-n", scene.namespace, "scale", AGENTS, "--replicas=0"]);
  await edge.journal.until("the agent is gone", () => edge.endpoints().length === 0, 180_000);
  const run = await release.uninstall();
  expect(run.code, run.stderr).toBe(0);
  expect(await scene.residue()).toEqual([]);
  expect((await stage.kubectl.run(["-n", namespace, "get", "agentendpoints", "-o", "name"])).trim()).toBe("");
});
