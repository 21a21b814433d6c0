// How an agent goes, with the real SDK at a stand-in of ngrok's edge: as soon as nothing is under way any more, and not before,
// unless its time is up. Who waited longer than needed here would run into the test's deadline.
import { Agent } from "node:http";
import { expect, test } from "vitest";
import { agentAtEdge } from "#test/support/edge-agents.ts";
import { edgeAuthority } from "#test/support/ngrok-edge/certificates.ts";
import { httpUpstream } from "#test/support/ngrok-edge/upstreams.ts";
import { dialTls, visit } from "#test/support/ngrok-edge/visitors.ts";
import { type Clock, systemClock } from "#wire/clock.ts";

/** Longer than any test waits. */
const LONG_MS = 600_000;

/** An upstream that answers when it is told to, and says when it was asked. */
async function slowUpstream() {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  const upstream = await httpUpstream((_request, response) => {
    asked.resolve();
    void answer.promise.then(() => response.end("late"));
  });
  return Object.assign(upstream, { asked: asked.promise, answer: answer.resolve });
}

/** More looks than an agent takes that sees nothing. */
const MANY_LOOKS = 8;

/** The machine's clock; `looks` resolves when it has been slept on as often since. */
function countedClock(): Clock & { looks(many: number): Promise<void> } {
  let left = 0;
  let enough = (): void => {};
  return {
    ...systemClock,
    sleep: async (ms, signal) => {
      left -= 1;
      if (left === 0) enough();
      await systemClock.sleep(ms, signal);
    },
    looks: async (many) =>
      await new Promise((resolve) => {
        left = many;
        enough = resolve;
      }),
  };
}

test("an agent through which nothing runs goes at once, whoever keeps a connection for later", async () => {
  await using world = await agentAtEdge();
  await using upstream = await httpUpstream();
  await world.at.open({ url: "https://app.test" }, upstream.url);
  const kept = new Agent({ keepAlive: true });
  expect((await visit(world.edge, "app.test", { agent: kept })).status).toBe(200);
  await world.at.agent.shutDown(LONG_MS);
  expect(world.edge.endpoints()).toEqual([]);
  kept.destroy();
});

test("an agent waits for the request that runs, and no longer", async () => {
  const clock = countedClock();
  await using world = await agentAtEdge({ clock });
  await using upstream = await slowUpstream();
  await world.at.open({ url: "https://app.test" }, upstream.url);
  const flying = visit(world.edge, "app.test");
  await upstream.asked;
  let isDown = false;
  const down = world.at.agent.shutDown(LONG_MS).then(() => (isDown = true));
  await world.edge.journal.until("nothing new comes in", () => world.edge.endpoints().length === 0);
  await clock.looks(MANY_LOOKS);
  expect(isDown).toBe(false);
  upstream.answer();
  expect(await flying).toMatchObject({ status: 200, text: "late" });
  await down;
});

test("an agent waits for what runs through a bridge as well", async () => {
  await using world = await agentAtEdge();
  await using upstream = await slowUpstream();
  const authority = await edgeAuthority();
  const termination = await authority.issue(["db.test"]);
  await world.at.open({ url: "tls://db.test", termination }, `tcp://127.0.0.1:${upstream.port}`);
  const socket = dialTls(world.edge, "db.test", authority.cert);
  socket.write("GET / HTTP/1.1\r\nhost: db.test\r\nconnection: close\r\n\r\n");
  await upstream.asked;
  const down = world.at.agent.shutDown(LONG_MS);
  await world.edge.journal.until("nothing new comes in", () => world.edge.endpoints().length === 0);
  upstream.answer();
  expect(String(await socket.toArray())).toContain("late");
  await down;
});

test("an agent goes when its time is up, whatever still runs", async () => {
  await using world = await agentAtEdge();
  await using upstream = await slowUpstream();
  await world.at.open({ url: "https://app.test" }, upstream.url);
  visit(world.edge, "app.test").catch(() => "nobody answers any more");
  await upstream.asked;
  await world.at.agent.shutDown(300);
  expect(world.edge.endpoints()).toEqual([]);
});
