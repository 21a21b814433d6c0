// Names of the cluster by DNS, in the order of resolv.conf, and an end of the process that no look-up holds up.
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { namesToTry, resolvingOf } from "./cancellable-lookup.ts";
import { systemClock } from "./clock.ts";
import { tcpDial } from "./dial.ts";

const CONFIGURATION = "search team.svc.cluster.local svc.cluster.local\noptions edns0 ndots:5\n";
/** The tests' own deadline is the only one: one for the file would be over for the last tests of a busy machine. */
const { signal: patient } = new AbortController();
/** Of a dial, which the stand-ins answer at once. */
const DIAL_MS = 60_000;

test("names are tried as resolv.conf says", () => {
  const resolving = resolvingOf(CONFIGURATION);
  expect(namesToTry("web.team", resolving)).toEqual([
    "web.team.team.svc.cluster.local",
    "web.team.svc.cluster.local",
    "web.team",
  ]);
  expect(namesToTry("web.team", resolvingOf("nameserver 127.0.0.1\nsearch a b\n"))).toEqual([
    "web.team",
    "web.team.a",
    "web.team.b",
  ]);
  expect(namesToTry("web.team.", resolving)).toEqual(["web.team."]);
});

/** A server of DNS that knows one name, at 127.0.0.1 and 127.0.0.2; without a name it says nothing at all. */
async function aDns(knows?: string) {
  const asked: string[] = [];
  const heard = Promise.withResolvers<void>();
  const folder = await mkdtemp(join(tmpdir(), "dns-"));
  const configuration = join(folder, "resolv.conf");
  await writeFile(configuration, CONFIGURATION);
  const socket = createSocket("udp4", (query, from) => {
    heard.resolve();
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString("latin1", at + 1, at + 1 + length));
      at += 1 + length;
    }
    const isA = query.readUInt16BE(at + 1) === 1;
    const name = labels.join(".");
    if (isA) asked.push(name);
    if (knows === undefined) return;
    const answers = name === knows && isA;
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(name === knows ? 0x8180 : 0x8183, 2);
    head.writeUInt16BE(answers ? 2 : 0, 6);
    head.writeUInt32BE(0, 8);
    const records = ["7f000001", "7f000002"].map((ip) => Buffer.from(`c00c000100010000000a0004${ip}`, "hex"));
    socket.send(
      Buffer.concat([head, query.subarray(12, at + 5), ...(answers ? records : [])]),
      from.port,
      from.address,
    );
  });
  await new Promise<void>((done) => socket.bind(0, "127.0.0.1", done));
  return {
    servers: [`127.0.0.1:${socket.address().port}`],
    configuration,
    asked,
    heard: heard.promise,
    async [Symbol.asyncDispose]() {
      await new Promise<void>((done) => socket.close(done));
      await rm(folder, { recursive: true });
    },
  };
}

test("a Service is dialled by the name that workloads use", async () => {
  await using dns = await aDns("web.team.svc.cluster.local");
  const server = createServer((socket) => socket.resume());
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  await tcpDial(
    systemClock,
    DIAL_MS,
    dns.servers,
    dns.configuration,
  )({ host: "web.team", port: address.port }, patient);
  // In this order; what is answered late is asked once more.
  expect([...new Set(dns.asked)]).toEqual(["web.team.team.svc.cluster.local", "web.team.svc.cluster.local"]);
  server.close();
});

test("where none of a host's addresses is listened at, the reason is in words as well", async () => {
  await using dns = await aDns("web.team");
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  await new Promise((done) => server.close(done));
  const to = { host: "web.team", port: address.port };
  await expect(tcpDial(systemClock, DIAL_MS, dns.servers, dns.configuration)(to, patient)).rejects.toMatchObject({
    code: "ECONNREFUSED",
    message: `web.team:${address.port}: connection refused`,
  });
});

test("a name that nobody knows, and a DNS that is not there, are told apart", async () => {
  const to = { host: "nobody.team", port: 80 };
  const dns = await aDns("web.team");
  await expect(tcpDial(systemClock, DIAL_MS, dns.servers, dns.configuration)(to, patient)).rejects.toMatchObject({
    code: "ENOTFOUND",
    message: "nobody.team:80: its name does not resolve",
  });
  await dns[Symbol.asyncDispose]();
  await expect(tcpDial(systemClock, DIAL_MS, dns.servers, dns.configuration)(to, patient)).rejects.toMatchObject({
    code: "EAI_AGAIN",
    message: "nobody.team:80: DNS does not answer",
  });
});

test("a process that is told to end does not wait for a DNS that says nothing", async () => {
  await using dns = await aDns();
  const program = `
    const { tcpDial } = await import("${import.meta.dirname}/dial.ts");
    const { systemClock } = await import("${import.meta.dirname}/clock.ts");
    const stop = new AbortController();
    process.once("SIGTERM", () => stop.abort(new Error("told to end")));
    const dial = tcpDial(systemClock, 60_000, ${JSON.stringify(dns.servers)}, ${JSON.stringify(dns.configuration)});
    await dial({ host: "web.team", port: 80 }, stop.signal).catch((error) => console.log(error.message));`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  child.stdout.on("data", (chunk: Buffer) => void (out += chunk.toString()));
  const ended = new Promise<number | null>((done) => child.once("close", done));
  await dns.heard;
  child.kill("SIGTERM");
  expect({ code: await ended, out }).toEqual({ code: 0, out: "told to end\n" });
  // Who goes on waiting asks again.
  expect(dns.asked).toEqual(["web.team.team.svc.cluster.local"]);
});
