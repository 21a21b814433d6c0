// The edge as a program: what it prints and writes is enough for an agent to connect.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "vitest";
import { startSdk } from "#test/support/ngrok-edge/agent/agent.ts";

const free = ["--port", "0", "--http-port", "0", "--tls-port", "0"];

async function started(ca: string) {
  const script = join(import.meta.dirname, "ngrok-edge.ts");
  const child = spawn(process.execPath, [script, "--ca", ca, ...free], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const until = async (part: string): Promise<string[]> => {
    const said: string[] = [];
    while (!said.at(-1)?.includes(part)) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`it ended before it said '${part}': ${said.join("\n")}`);
      said.push(String(value));
    }
    return said;
  };
  const told = (await until("Ctrl-C")).join("\n");
  return {
    child,
    until,
    told,
    serverAddr: /serverAddr=(\S+)/.exec(told)?.[1] ?? "",
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      child.kill("SIGTERM");
      await once(child, "exit");
    },
  };
}

test("an agent connects with what it prints and writes, and a later run keeps the authority", async ({ expect }) => {
  const folder = await mkdtemp(join(tmpdir(), "ngrok-edge-"));
  const file = join(folder, "ca.crt");
  try {
    await using sdk = startSdk();
    for (let run = 0; run < 2; run += 1) {
      await using edge = await started(file);
      const { serverAddr } = edge;
      expect(edge.told).toContain("chart -f dist/images/values.yaml --set apiURL=http://localhost:4300 ");
      expect(edge.told).toContain(`--set serverAddr=${serverAddr} --set extraCA.configMapName=ngrok-edge-ca`);
      const session = await sdk.connect({ serverAddr, ca: await readFile(file, "utf8") }, [["authtoken", "stand-in"]]);
      await session.bind({ to: "http://127.0.0.1:9", calls: [["domain", `run-${run}.test`]] });
      edge.child.stdin.write("list\n");
      expect((await edge.until("list: done")).join("\n")).toContain(`https://run-${run}.test -> http://127.0.0.1:9/`);
    }
    await rm(`${file}.key`);
    await writeFile(file, "somebody's own");
    await expect(started(file)).rejects.toThrow("it ended before");
    expect(await readFile(file, "utf8")).toBe("somebody's own");
  } finally {
    await rm(folder, { recursive: true });
  }
});
