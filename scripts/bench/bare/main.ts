// The bare client, a process of its own: sends the requests that it is given on stdin and nothing else, as fast as its
// connections take them. It has no code of the product, so that what it reaches is the ceiling for any client.
import { text } from "node:stream/consumers";
import { Pool } from "undici";
import type { BareJob, BareRequest, BareResult } from "../bare.ts";

const job = JSON.parse(await text(process.stdin)) as BareJob;
const pools = new Map(
  Object.entries(job.servers).map(([name, { origin, tls, headers }]) => {
    const pool = new Pool(origin, { connections: job.width, pipelining: 1, allowH2: false, connect: { ...tls } });
    return [name, { pool, headers }];
  }),
);

/** Resolves to the status; the body is thrown away as it comes. */
function send({ server, method, path, body, contentType = "application/json" }: BareRequest): Promise<number> {
  const { pool, headers } = pools.get(server)!;
  const typed = body === undefined ? headers : { ...headers, "content-type": contentType };
  return new Promise((done, fail) => {
    let status = 0;
    pool.dispatch(
      // Without it undici closes the connection after a DELETE that has a body.
      { path, method, headers: typed, body: body ?? null, reset: false },
      {
        onRequestStart() {},
        onResponseStart(_controller, code) {
          status = code;
        },
        onResponseData() {},
        onResponseEnd: () => done(status),
        onResponseError: (_controller, error) => fail(error),
      },
    );
  });
}

const result: { -readonly [K in keyof BareResult]: BareResult[K] } = { seconds: 0, cpuSeconds: 0, refused: 0 };
const queue = job.chains.values();
async function worker(): Promise<void> {
  for (const chain of queue) {
    for (const request of chain) {
      const status = await send(request);
      if (status < 300) continue;
      result.refused += 1;
      result.first ??= `${request.method} ${request.path}: ${status}`;
    }
  }
}

const [began, used] = [performance.now(), process.cpuUsage()];
await Promise.all(Array.from({ length: job.width }, worker));
result.seconds = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage(used);
result.cpuSeconds = (user + system) / 1e6;
process.stdout.write(JSON.stringify(result));
await Promise.all([...pools.values()].map(async ({ pool }) => await pool.destroy()));
