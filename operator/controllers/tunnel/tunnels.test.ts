// What an agent keeps open while specs change, endpoints end by themselves, and ngrok does not answer.
import { expect, test } from "vitest";
import type { AgentSpec } from "#ngrok/agent-port.ts";
import { AgentLine } from "#test/support/agent-line.ts";
import { testClock } from "#test/support/clock.ts";
import { aSpec } from "#test/support/edge-agents.ts";
import { Tunnels } from "./tunnels.ts";

const { signal } = new AbortController();
const spec = (policy: string): AgentSpec => aSpec({ url: "https://web.test", trafficPolicy: policy }, "http://web:80");

function ground() {
  const line = new AgentLine();
  const clock = testClock();
  const tunnels = new Tunnels(line, clock);
  return {
    line,
    clock,
    tunnels,
    become: async (policy: string) => await tunnels.become("a/web", spec(policy), signal),
  };
}

test("nothing is opened again unless something has changed, and then the new one comes before the old one goes", async () => {
  const { line, become } = ground();
  for (const policy of ['{"n":1}', '{ "n": 1 }', '{"n":2}']) await become(policy);
  expect(line.story).toEqual(['open {"n":1}', 'open {"n":2}', 'close {"n":1}']);
});

test("what cannot be opened leaves the old one serving (W25)", async () => {
  const { line, tunnels, become } = ground();
  await become("1");
  line.refuses = "open";
  await expect(become("2")).rejects.toThrow("no");
  expect(line.policies).toEqual(["1"]);
  expect(tunnels.urlOf("a/web")).toBe("https://web.test");
});

test("one that was replaced and that ngrok did not close is closed the next time, and with the object (W9)", async () => {
  const { line, tunnels, become } = ground();
  await become("1");
  line.refuses = "close";
  await expect(become("2")).rejects.toThrow("does not answer");
  await expect(tunnels.close("a/web")).rejects.toThrow("does not answer");
  expect(line.policies).toEqual(["1", "2"]);
  line.refuses = undefined;
  await become("2");
  expect(line.policies).toEqual(["2"]);
  await tunnels.close("a/web");
  expect(line.policies).toEqual([]);
  await tunnels.close("a/web");
});

test("one that has ended by itself is opened again", async () => {
  const { line, tunnels, become } = ground();
  await become("1");
  line.live.length = 0;
  expect(tunnels.urlOf("a/web")).toBeUndefined();
  await become("1");
  expect(line.policies).toEqual(["1"]);
});

test("with an object goes whatever ngrok closes, first what serves: one that it does not close keeps no other open", async () => {
  const { line, tunnels, become } = ground();
  for (const policy of ["1", "2", "3"]) {
    await become(policy).catch(() => undefined);
    line.refuses = "close";
  }
  expect(line.policies).toEqual(["1", "2", "3"]);
  line.refuses = "close 1";
  await expect(tunnels.close("a/web")).rejects.toThrow("ngrok does not answer: 1");
  expect(line.story.slice(-2)).toEqual(["close 3", "close 2"]);
  expect(line.policies).toEqual(["1"]);
  line.refuses = undefined;
  await tunnels.close("a/web");
  expect(line.policies).toEqual([]);
});

test("of several that were replaced each is closed for itself", async () => {
  const { line, become } = ground();
  for (const policy of ["1", "2"]) {
    await become(policy).catch(() => undefined);
    line.refuses = "close";
  }
  line.refuses = "close 1";
  await expect(become("3")).rejects.toThrow("ngrok does not answer: 1");
  expect(line.policies).toEqual(["1", "3"]);
});

test("its own address is asked for again, that of others only at the beginning, and none where the URL is another", async () => {
  const { line, tunnels, become } = ground();
  await tunnels.become("a/new", spec("1"), signal, "https://shown.test");
  await become("1");
  await tunnels.become("a/web", spec("2"), signal, "https://shown.test");
  await tunnels.become("a/web", { ...spec("2"), url: "https://" }, signal, "https://shown.test");
  expect(line.had).toEqual(["https://shown.test", undefined, "https://web.test", undefined]);
});

test("it is known for how long there is no session, and how many wait for one", async () => {
  const { line, clock, tunnels, become } = ground();
  line.turn({ is: "up" });
  expect(tunnels.downFor).toBe(0);
  line.turn({ is: "down", why: "lost" });
  await clock.advance(3_000);
  line.turn({ is: "down", why: "refused" });
  await clock.advance(4_000);
  expect(tunnels.downFor).toBe(7_000);
  tunnels.wait("a/web");
  tunnels.wait("a/gone");
  expect(tunnels.waiting).toBe(2);
  await tunnels.close("a/gone");
  line.turn({ is: "up" });
  await become("1");
  expect([tunnels.waiting, tunnels.downFor]).toEqual([0, 0]);
});

test("an endpoint that ngrok ends as soon as it is open is left alone for longer each time", async () => {
  const { line, clock, tunnels, become } = ground();
  const rests: number[] = [];
  for (let n = 0; n < 8; n += 1) {
    await become("1");
    line.live.length = 0;
    rests.push(tunnels.restOf("a/web", spec("1")));
    await clock.advance(rests.at(-1) ?? 0);
    expect(tunnels.restOf("a/web", spec("1"))).toBe(0);
  }
  expect(rests).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1000));
  await become("1");
  await clock.advance(10_000);
  line.live.length = 0;
  expect(tunnels.restOf("a/web", spec("1"))).toBe(0);
});

test("what a session takes along as it ends, and what is to be another, is opened at once", async () => {
  const { line, tunnels, become } = ground();
  await become("1");
  line.live.length = 0;
  expect(tunnels.restOf("a/web", spec("2"))).toBe(0);
  line.loseSession();
  expect(tunnels.restOf("a/web", spec("1"))).toBe(0);
});
