// An agent that goes with many endpoints open, at an edge that takes its time for each: in a time of the test's own.
import { once } from "node:events";
import { connect as dial } from "node:net";
import { expect, test } from "vitest";
import { testClock, type TestClock } from "#test/support/clock.ts";
import { aSpec } from "#test/support/edge-agents.ts";
import { edgeAuthority } from "#test/support/ngrok-edge/certificates.ts";
import { tcpEcho } from "#test/support/ngrok-edge/upstreams.ts";
import { systemClock } from "#wire/clock.ts";
import type { Dialled } from "./agent-flight.ts";
import { Agent } from "./agent-keep.ts";
import type { Bind } from "./agent-session.ts";

/** Ends with the test's process. */
const { signal } = new AbortController();
const SECOND_MS = 1_000;

/** An edge that needs a second to close an endpoint, and an agent with as many open; what happens is told. */
async function agentWith(endpoints: number, service?: Dialled) {
  const clock = testClock();
  const happened: string[] = [];
  const session = {
    bind: async () =>
      await Promise.resolve({
        url: "https://app.test",
        ended: new Promise<string>(() => {}),
        async close() {
          await clock.sleep(SECOND_MS);
          happened.push("closed");
        },
      }),
    close: async () => await Promise.resolve(void happened.push("gone")),
  };
  const connect = async () => await Promise.resolve(session);
  const agent = new Agent({ connect, clock, tell: () => {}, ...(service !== undefined && { service }) });
  void agent.run(signal);
  await clock.advance(0);
  for (let n = 0; n < endpoints; n += 1)
    await agent.open(aSpec({ url: "https://app.test" }, "http://127.0.0.1:9"), signal);
  return { clock, agent, happened };
}

/** Lets time go on until it is over, and what asks the kernel finish in between: that takes time of the machine's. */
async function pass(clock: TestClock, over: Promise<void>): Promise<void> {
  let isOver = false;
  void over.then(() => (isOver = true));
  while (!isOver) {
    await clock.advance(100);
    await systemClock.sleep(5);
  }
}

test("its session ends after the last endpoint is closed, however long that takes", async () => {
  const { clock, agent, happened } = await agentWith(20);
  await pass(clock, agent.shutDown(60 * SECOND_MS));
  expect(happened).toEqual([...Array.from({ length: 20 }, () => "closed"), "gone"]);
});

test("its session ends when its time is up, whatever is not closed", async () => {
  const { clock, agent, happened } = await agentWith(20);
  await pass(clock, agent.shutDown(12.5 * SECOND_MS));
  expect(happened.slice(0, 13)).toEqual([...Array.from({ length: 12 }, () => "closed"), "gone"]);
});

test("its session stays five seconds longer where the kernel does not tell of Services, as it does not see what runs", async () => {
  await using service = await tcpEcho();
  const { clock, agent, happened } = await agentWith(1, { host: "0.0.0.0", port: service.port });
  await pass(clock, agent.shutDown(60 * SECOND_MS));
  expect(happened).toEqual(["closed", "gone"]);
  expect(clock.now()).toBeGreaterThanOrEqual(6 * SECOND_MS);
});

/** Whether somebody listens there. */
async function isTaken(url: string): Promise<boolean> {
  const { hostname: host, port } = new URL(url);
  const socket = dial({ host, port: Number(port) });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

test("a listener that ngrok does not close keeps no other open, and its visitors the bridge, until it is tried again", async () => {
  const clock = testClock();
  const closed: string[] = [];
  let refuses = true;
  let dialled = "";
  const session = {
    bind: async ({ binding, to }: Bind) => {
      dialled = to;
      return await Promise.resolve({
        url: "tls://app.test",
        ended: new Promise<string>(() => {}),
        async close() {
          if (binding === "public" && refuses) throw new Error("not now");
          await Promise.resolve(void closed.push(String(binding)));
        },
      });
    },
    close: async () => await Promise.resolve(),
  };
  const agent = new Agent({ connect: async () => await Promise.resolve(session), clock, tell: () => {} });
  void agent.run(signal);
  await clock.advance(0);
  const termination = await (await edgeAuthority()).issue(["app.test"]);
  const spec = aSpec({ url: "tls://app.test", bindings: ["public", "internal"], termination }, "tcp://127.0.0.1:9");
  const opened = await agent.open(spec, signal);

  await expect(opened.close()).rejects.toThrow("not now");
  expect({ closed, isOpen: opened.isOpen, bridge: await isTaken(dialled) }).toEqual({
    closed: ["internal"],
    isOpen: false,
    bridge: true,
  });

  refuses = false;
  await opened.close();
  expect({ closed, bridge: await isTaken(dialled) }).toEqual({ closed: ["internal", "public"], bridge: false });
});
