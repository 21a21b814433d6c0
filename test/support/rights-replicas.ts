// The parts of an install's life in which the pods work of which every replica does.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { Event, type EventObject } from "#kube/kinds.ts";
import { follow } from "#kube/watch.ts";
import { aBoundEndpoint, anAgentEndpoint } from "./builders.ts";
import type { ChartInstall } from "./chart-install.ts";
import type { Ground } from "./rights-ground.ts";

/** A forwarder whose operator is not registered says so on a BoundEndpoint, and says it again after a restart. */
export async function forwarderTells(ground: Ground, install: ChartInstall): Promise<void> {
  const metadata = { name: "bound", namespace: "ops" };
  await ground.write.create(BoundEndpoint, aBoundEndpoint({ metadata }), ground.signal);
  for (const times of [1, 2]) {
    await using _ = await install.replica("bindings-forwarder");
    await told(ground, "ops", times);
  }
  await ground.kubectl(["delete", "boundendpoint/bound", "-n", "ops"]);
}

/** An agent that cannot connect to ngrok says so in its own entry of an AgentEndpoint's status. */
export async function agentTells({ kubectl, write, signal }: Ground, install: ChartInstall): Promise<void> {
  const metadata = { name: "told", namespace: "shop" };
  await write.create(AgentEndpoint, anAgentEndpoint({ metadata }), signal);
  {
    await using _ = await install.replica("agent");
    const said = "--for=jsonpath={.status.replicas[0].reason}=NgrokAPIError";
    await kubectl(["wait", said, "agentendpoint/told", "-n", "shop", "--timeout=150s"]);
  }
  await kubectl(["delete", "agentendpoint/told", "-n", "shop"]);
}

/** Resolves when a Warning in the namespace was told this often. */
export async function told({ connection }: Ground, namespace: string, times = 1): Promise<void> {
  const found = new AbortController();
  const signal = AbortSignal.any([found.signal, AbortSignal.timeout(120_000)]);
  const changed = ({ type, series }: EventObject): void => {
    if (type === "Warning" && (series?.count ?? 1) >= times) found.abort();
  };
  await follow<EventObject>(connection, Event, { namespace }, { changed, removed() {} }, signal).catch(() => undefined);
  if (!found.signal.aborted) throw new Error(`no Warning in ${namespace} was told ${times} times within two minutes`);
}
