// `bench hook-start`: from the start of the drain hook's process to its first answer from an API server. The server is a
// stand-in of one, so that what is measured is the program alone: Node, the bundle, its configuration, TLS, one request.
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeIdentities, writeKubeconfig } from "#tools/cluster/embedded/certificates.ts";
import { median, rounded } from "./arithmetic.ts";
import type { BundledProgram } from "./bundled-program.ts";
import { hookEnvironment } from "./hook-process.ts";
import type { Say } from "./say.ts";

export interface HookStartResult {
  readonly bench: "hook-start";
  readonly timed: string;
  readonly runs: number;
  readonly medianSeconds: number;
  readonly minSeconds: number;
  /** `node -e 0` from start to end, alternating with the hook: what no program can be faster than. */
  readonly nodeAloneSeconds: number;
  readonly bundleMB: number;
}

const TIMED =
  "from before the process was spawned to the end of the answer to its first request over HTTPS, which a server of this " +
  "process gives at once; medians of all runs but the first";

export interface HookStartOptions {
  readonly runs: number;
  readonly hook: BundledProgram;
}

export async function benchHookStart({ runs, hook }: HookStartOptions, say: Say): Promise<HookStartResult> {
  const folder = await mkdtemp(join(tmpdir(), "ngrok-operator-bench-start-"));
  try {
    await makeIdentities({ folder, addresses: ["127.0.0.1"], node: "none" });
    const answered: { tell: () => void } = { tell: () => {} };
    await using server = await serve(folder, () => answered.tell());
    const kubeconfig = join(folder, "admin.kubeconfig");
    await writeKubeconfig(folder, "admin", `https://127.0.0.1:${(server.address() as AddressInfo).port}`, kubeconfig);
    const env = hookEnvironment({
      release: { name: "bench", namespace: "bench-release", fullname: "bench" },
      policy: "Retain",
      ngrokUrl: "http://127.0.0.1:1",
      ngrokKey: "bench-key",
      kubeconfig,
    });
    const starts: number[] = [];
    const bare: number[] = [];
    for (let run = 0; run <= runs; run += 1) {
      const start = await startOf(hook, { ...env, ...hook.env }, answered);
      const alone = await nodeAlone();
      // The first one reads Node and the bundle from disk.
      if (run === 0) continue;
      starts.push(start);
      bare.push(alone);
    }
    say.line(`hook ${starts.map((one) => one.toFixed(3)).join(" ")} s; node alone ${median(bare).toFixed(3)} s`);
    return {
      bench: "hook-start",
      timed: TIMED,
      runs,
      medianSeconds: rounded(median(starts)),
      minSeconds: rounded(Math.min(...starts)),
      nodeAloneSeconds: rounded(median(bare)),
      bundleMB: rounded(hook.bytes / 1e6),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Answers every request with a 403 as an API server would; `answered` is told once the whole answer has left. */
async function serve(identities: string, answered: () => void): Promise<Server> {
  const [key, cert] = await Promise.all(
    ["apiserver.key", "apiserver.crt"].map(async (file) => await readFile(join(identities, file))),
  );
  const body = JSON.stringify({ apiVersion: "v1", kind: "Status", status: "Failure", reason: "Forbidden", code: 403 });
  const server = createServer({ key, cert }, (_request, response) => {
    response.once("finish", answered);
    response.writeHead(403, { "content-type": "application/json" }).end(body);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return server;
}

const DEADLINE_MS = 30_000;

/** Seconds to the first answer; the process is ended then. */
async function startOf(
  hook: BundledProgram,
  env: Record<string, string>,
  answered: { tell: () => void },
): Promise<number> {
  const began = performance.now();
  const child = spawn(process.execPath, [...hook.flags, hook.path], {
    env,
    stdio: "ignore",
    timeout: DEADLINE_MS,
    killSignal: "SIGKILL",
  });
  const ended = new Promise<void>((done) => child.once("close", () => done()));
  const first = new Promise<number>((done) => (answered.tell = () => done((performance.now() - began) / 1000)));
  const lost = ended.then((): never => {
    throw new Error(`the hook's process ended, or took ${DEADLINE_MS} ms, without a request`);
  });
  lost.catch(() => {}); // after the answer it is to end
  const seconds = await Promise.race([first, lost]);
  child.kill("SIGKILL");
  await ended;
  return seconds;
}

async function nodeAlone(): Promise<number> {
  const began = performance.now();
  const child = spawn(process.execPath, ["-e", "0"], { stdio: "ignore" });
  await new Promise<void>((done) => child.once("close", () => done()));
  return (performance.now() - began) / 1000;
}
