// Visitors over HTTP/1.1, each with a connection of its own that is used again, who ask again when they have an answer.
import { Agent, request } from "node:http";

export interface Asked {
  readonly seconds: number;
  /** Of each request, milliseconds. */
  readonly times: readonly number[];
}

/** `visitors` ask `rounds` times each. Throws when an answer is no 200. */
export async function ask(port: number, host: string, visitors: number, rounds: number): Promise<Asked> {
  const agent = new Agent({ keepAlive: true, maxSockets: visitors });
  const everybody = Array.from({ length: visitors });
  const times: number[] = [];
  try {
    // The first answer waits for connections all the way.
    await Promise.all(everybody.map(async () => await answered(agent, port, host)));
    const began = performance.now();
    await Promise.all(
      everybody.map(async () => {
        for (let round = 0; round < rounds; round += 1) {
          const asked = performance.now();
          await answered(agent, port, host);
          times.push(performance.now() - asked);
        }
      }),
    );
    return { seconds: (performance.now() - began) / 1000, times };
  } finally {
    agent.destroy();
  }
}

async function answered(agent: Agent, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const asked = request({ agent, host: "127.0.0.1", port, headers: { host }, timeout: 20_000 }, (reply) => {
      reply.on("error", reject).on("end", () => {
        if (reply.statusCode === 200) resolve();
        else reject(new Error(`${host} answered ${reply.statusCode}`));
      });
      reply.resume();
    });
    asked.on("timeout", () => asked.destroy(new Error(`${host} did not answer in 20 s`)));
    asked.on("error", reject).end();
  });
}
