// The bystander, a process of its own: GETs one path ten times a second whatever has come back, and prints for each GET
// when it began and how long it took. It knows nothing of the product.
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { Pool } from "undici";
import type { BystanderJob, Glance } from "../bystander.ts";

const { server, path, everyMs } = JSON.parse(await text(process.stdin)) as BystanderJob;
// More connections than one: a late answer must not hide that the next would have been late too.
const pool = new Pool(server.origin, { connections: 8, pipelining: 1, allowH2: false, connect: { ...server.tls } });

async function glance(): Promise<void> {
  const [at, began] = [Date.now(), performance.now()];
  const { statusCode, body } = await pool.request({ method: "GET", path, headers: server.headers });
  await body.dump();
  const seen: Glance = { at, ms: performance.now() - began, status: statusCode };
  process.stdout.write(`${JSON.stringify(seen)}\n`);
}

// The first answers pay for their connections.
await Promise.all(Array.from({ length: 8 }, glance));
process.stdout.write("ready\n");
const timer = setInterval(() => {
  glance().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
    clearInterval(timer);
  });
}, everyMs);
await once(process, "SIGTERM");
clearInterval(timer);
await pool.destroy();
