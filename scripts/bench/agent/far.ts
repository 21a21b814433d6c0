// What stands around the agents whose tunnels are measured, as a process of its own: ngrok's edge, and the upstream.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { startNgrokEdge } from "#test/support/ngrok-edge/edge.ts";
import type { EdgeAddress } from "./process.ts";

/** What the process prints once it listens. */
export interface Far extends EdgeAddress {
  /** Where visitors come to the edge, and where they would come to the upstream without it. */
  readonly visitors: number;
  readonly upstream: number;
}

const ANSWER = Buffer.alloc(1024, 0x61);

const upstream = createServer({ noDelay: true, keepAliveTimeout: 60_000 }, (_request, response) => {
  response.writeHead(200, { "content-length": ANSWER.length }).end(ANSWER);
});
await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
const edge = await startNgrokEdge();
const far: Far = {
  serverAddr: edge.serverAddr,
  ca: edge.ca,
  visitors: edge.httpPort,
  upstream: (upstream.address() as AddressInfo).port,
};
process.stdout.write(`${JSON.stringify(far)}\n`);
process.stdin.on("end", () => process.exit()).resume();
