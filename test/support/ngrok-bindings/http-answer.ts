// An endpoint that answers HTTP by itself with what it was told of who asks: enough to see a request go all the way.
import { createServer } from "node:http";
import { type Duplex, duplexPair } from "node:stream";
import type { ConnRequest } from "./messages.ts";

/** For `endpoints` of the ingress: 200 and `{ endpoint, pod, method, url }` for each request. */
export function httpAnswer(request: ConnRequest): Duplex {
  const [ours, theirs] = duplexPair();
  const server = createServer((incoming, response) => {
    const { host, port, pod } = request;
    const { method, url } = incoming;
    response.setHeader("content-type", "application/json");
    response.end(`${JSON.stringify({ endpoint: `${host}:${port}`, pod, method, url })}\n`);
  });
  // A server takes any stream for a connection; it never listens by itself.
  server.emit("connection", ours);
  theirs.on("close", () => ours.destroy());
  return theirs;
}
