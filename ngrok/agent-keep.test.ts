// How an agent keeps a session, when it gives one up for the next, and how long that one is waited for.
import { expect, test } from "vitest";
import { testClock } from "#test/support/clock.ts";
import { aSpec, isUp, startAgent } from "#test/support/edge-agents.ts";
import { startNgrokEdge } from "#test/support/ngrok-edge/edge.ts";
import { httpUpstream } from "#test/support/ngrok-edge/upstreams.ts";
import { visit } from "#test/support/ngrok-edge/visitors.ts";
import { KnownError } from "#wire/errors.ts";
import { Agent } from "./agent-keep.ts";
import type { Connect, Session, SessionEvents } from "./agent-session.ts";

// The SDK keeps its connection after either, deaf to all that comes; after a frame its heart stops as well.
test.for(["frame", "bytes"] as const)(
  "a session on which the edge has sent a garbage %s is given up, all can be opened on the next, and others stay",
  async (kind, { expect }) => {
    await using edge = await startNgrokEdge();
    await using upstream = await httpUpstream();
    // In seconds. One that is answered may be answered late: all of them are in this process, which a busy machine stalls.
    const heartbeat = { interval: 1, tolerance: 3 };
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

test.for([
  { unbinds: "answers", left: 0 },
  { unbinds: "does not answer", left: 1 },
] as const)(
  "what is closed on a session whose heart is not answered ends at once where the edge $unbinds, and never holds up the next",
  async ({ unbinds, left }, { expect }) => {
    // Its time stands still: it waits for the agent's heart for ever.
    await using edge = await startNgrokEdge({ clock: testClock() });
    await using upstream = await httpUpstream();
    await using at = startAgent(edge, { heartbeat: { interval: 1, tolerance: 3 } });
    await at.until("it has a session", () => isUp(at.agent.state));
    const before = await at.open({ url: "https://app.test" }, upstream.url);
    edge.faults.add({ on: "heartbeat", kind: "hang", times: 2 });
    if (unbinds === "does not answer") edge.faults.add({ on: "unbind", kind: "hang", times: Infinity });
    await at.until("it is given up", () => !before.isOpen);
    await before.close();
    await at.until("there is another", () => isUp(at.agent.state));
    await at.open({ url: "https://next.test" }, upstream.url);
    const served = (): number => edge.endpoints().filter(({ url }) => url === "https://app.test").length;
    if (left === 0) await edge.journal.until("nobody comes in there", () => served() === 0);
    expect(served()).toBe(left);
    expect((await visit(edge, "next.test")).status).toBe(200);
  },
);

test("a session that does not come is waited for twice as long each time, up to a minute; one that has lived ends the row", async () => {
  const clock = testClock();
  const end = new AbortController();
  /** How long the next sessions live, seconds; undefined: refused. */
  const lives: (number | undefined)[] = [...Array.from({ length: 9 }, () => undefined), 9, 10, 10];
  const session: Session = { bind: () => Promise.reject(new Error("nobody binds")), close: async () => {} };
  const waits: number[] = [];
  let endedAt: number | undefined;
  const agent = new Agent({
    clock,
    random: () => 1,
    tell: () => {},
    async connect(events) {
      if (endedAt !== undefined) waits.push((clock.now() - endedAt) / 1000);
      const seconds = lives.shift();
      endedAt = clock.now() + (seconds ?? 0) * 1000;
      if (seconds === undefined) throw new KnownError("transient", "ngrok is not reached");
      void clock.sleep(seconds * 1000).then(() => events.lost("the line is dead"));
      return await Promise.resolve(session);
    },
  });
  const running = agent.run(end.signal);
  await clock.advance(10 * 60_000);
  end.abort(new Error("the test has ended"));
  await running;
  expect(waits.slice(0, 12)).toEqual([0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60, 0.5, 0.5]);
});

test.for([
  { what: "nothing is open", opens: false, waits: 119_000, dies: 120_000 },
  { what: "all that was open went with the session before", opens: true, loses: true, waits: 119_000, dies: 120_000 },
  // An outage of ngrok's calls is none of the tunnels, and three replicas do not go at once.
  { what: "visitors are served", opens: true, waits: 1_349_000, dies: 1_350_000 },
])(
  "an agent whose call ngrok does not answer is for a new process to mend, later where $what",
  async (row, { expect }) => {
    const clock = testClock();
    const never = new Promise<never>(() => undefined);
    const listening = { url: "https://app.test", ended: never, close: async () => {} };
    const bind: Session["bind"] = async ({ place }) =>
      await (place === "app.test" ? Promise.resolve(listening) : never);
    const session: Session = { bind, close: async () => {} };
    const sessions: SessionEvents[] = [];
    const connect: Connect = async (events) => await Promise.resolve((sessions.push(events), session));
    const agent = new Agent({ connect, clock, random: () => 0.5, tell: () => undefined });
    const end = new AbortController();
    const running = agent.run(end.signal);
    await expect.poll(() => isUp(agent.state)).toBe(true);
    if (row.opens) await agent.open(aSpec({ url: "https://app.test" }, "http://127.0.0.1:80"), end.signal);
    if (row.loses === true) {
      sessions[0]?.lost("the line is dead");
      await expect.poll(() => isUp(agent.state)).toBe(false);
      await clock.advance(1_000);
      await expect.poll(() => isUp(agent.state)).toBe(true);
    }
    const hanging = agent.open(aSpec({ url: "https://b.test" }, "http://127.0.0.1:80"), end.signal).catch(() => "late");
    await clock.advance(15_000);
    expect(await hanging).toBe("late");
    await clock.advance(row.waits - 15_000);
    expect(agent.dead).toBeUndefined();
    await clock.advance(row.dies - row.waits);
    expect(agent.dead).toContain("has not answered");
    end.abort(new Error("over"));
    await running;
  },
);

test("what the last try has said stands while the next one takes its time: it is more, and each change is a write an endpoint", async () => {
  const clock = testClock();
  const tries = [
    Promise.reject(new KnownError("transient", "ngrok refuses: no such token")),
    new Promise<never>(() => {}),
  ];
  const told: (string | undefined)[] = [];
  const connect = (): Promise<Session> => tries.shift() ?? Promise.reject(new Error("a third one"));
  const agent = new Agent({ connect, clock, random: () => 0, tell: ({ why }) => told.push(why) });
  const end = new AbortController();
  const running = agent.run(end.signal);
  await expect.poll(() => told.length).toBe(1);
  await clock.advance(1_000);
  await expect.poll(() => tries.length).toBe(0);
  await clock.advance(25_000);
  expect(told).toEqual(["ngrok refuses: no such token"]);
  end.abort(new Error("over"));
  await running;
});
