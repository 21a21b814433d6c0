// Somebody else at the same API server: what a client that has nothing to do with us waits for one small GET, before a
// drain, beside the bare client and beside the drain. Who starves the server shows here first.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { apiServerOf, type BareServer } from "./api-server.ts";
import { median, percentile, rounded } from "./arithmetic.ts";
import type { Ground } from "./ground.ts";

export interface BystanderJob {
  readonly server: BareServer;
  readonly path: string;
  readonly everyMs: number;
}

/** One GET: when it began (milliseconds since 1970), how long it took, what was answered. */
export interface Glance {
  readonly at: number;
  readonly ms: number;
  readonly status: number;
}

/** Milliseconds of one GET. */
export interface Latency {
  readonly median: number;
  readonly p95: number;
  readonly samples: number;
}

export interface Bystander extends AsyncDisposable {
  /** Runs `work` and says what a GET took meanwhile. Throws when there was none, or one was refused. */
  beside<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly latency: Latency }>;
}

/** A ConfigMap that the controller manager keeps in every cluster. */
const PATH = "/api/v1/namespaces/kube-system/configmaps/kube-root-ca.crt";
const EVERY_MS = 100;
const PROGRAM = join(import.meta.dirname, "bystander/main.ts");

/** Resolves when it has its connections. */
export async function startBystander(ground: Ground): Promise<Bystander> {
  const job: BystanderJob = { server: await apiServerOf(ground.kubeconfig), path: PATH, everyMs: EVERY_MS };
  const [program, ...args] = ground.inside([process.execPath, PROGRAM]);
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  const ended = once(child, "close");
  const complaint = text(child.stderr);
  child.stdin.end(JSON.stringify(job));
  let glances: Glance[] = [];
  await new Promise<void>((ready, fail) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line === "ready") ready();
      else glances.push(JSON.parse(line) as Glance);
    });
    void ended.then(async () => fail(new Error(`the bystander ended: ${await complaint}`)));
  });
  return {
    async beside(work) {
      glances = [];
      const from = Date.now();
      const result = await work();
      const until = Date.now();
      // Who began meanwhile and still waits belongs to it too.
      await new Promise((done) => setTimeout(done, 2 * EVERY_MS));
      const seen = glances.filter(({ at }) => at >= from && at < until);
      const refused = seen.find(({ status }) => status !== 200);
      if (refused !== undefined) throw new Error(`the bystander was answered ${refused.status}`);
      return { result, latency: latencyOf(seen.map(({ ms }) => ms)) };
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

export function latencyOf(ms: readonly number[]): Latency {
  return { median: rounded(median(ms)), p95: rounded(percentile(ms, 0.95)), samples: ms.length };
}

/** How much longer a GET takes beside one thing than beside another. */
export function slowdown(beside: Latency, than: Latency): { readonly median: number; readonly p95: number } {
  return { median: rounded(beside.median / than.median), p95: rounded(beside.p95 / than.p95) };
}
