// How an agent keeps a session, and when it gives one up for the next.
import { test } from "vitest";
import { isUp, startAgent } from "#test/support/edge-agents.ts";
import { startNgrokEdge } from "#test/support/ngrok-edge/edge.ts";
import { httpUpstream } from "#test/support/ngrok-edge/upstreams.ts";
import { visit } from "#test/support/ngrok-edge/visitors.ts";

// The SDK keeps its connection after either, deaf to all that comes; after a frame its heart stops as well.
test.for(["frame", "bytes"] as const)(
  "a session on which the edge has sent a garbage %s is given up, all can be opened on the next, and others stay",
  async (kind, { expect }) => {
    await using edge = await startNgrokEdge();
    await using upstream = await httpUpstream();
    const heartbeat = { interval: 1, tolerance: 1 };
    await using at = startAgent(edge, { heartbeat });
    await at.until("it has a session", () => isUp(at.agent.state));
    await using other = startAgent(edge, { heartbeat });
    await other.until("so has another agent", () => isUp(other.agent.state));
    const before = await at.open({ url: "https://app.test" }, upstream.url);
    edge.sessions()[0]?.garbage(kind);
    await at.until("it is given up", () => !before.isOpen);
    await at.until("there is another", () => isUp(at.agent.state));
    await before.close();
    expect((await at.open({ url: "https://app.test" }, upstream.url)).isOpen).toBe(true);
    expect((await visit(edge, "app.test")).status).toBe(200);
    expect(edge.journal.count({ kind: "authenticated" })).toBe(3);
    // Its heart has been answered all the while.
    expect(other.told).toEqual(["up"]);
  },
);
