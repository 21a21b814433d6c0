// The ceilings: proxies in as few lines of the same language as it takes. One speaks TCP alone; the other says over TLS the
// one thing that the binding ingress has to hear, and knows neither pods nor limits nor anything that may go wrong.
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import process from "node:process";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { wayIn } from "./way-in.ts";

/** What the process is told, as JSON. */
export interface PlainProxy {
  /** Where each of its ports leads. */
  readonly targets: readonly {
    readonly port: number;
    /** Over TLS: what is said first, in base64. */
    readonly hello?: string;
  }[];
  readonly tls?: SecureContextOptions;
}

const { targets, tls = {} } = JSON.parse(process.argv[2] ?? "") as PlainProxy;
const secureContext = createSecureContext(tls);

const ports = await Promise.all(
  targets.map(async ({ port, hello }) => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
      if (hello === undefined) pass(client, connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true }));
      else
        wayIn(port, hello, secureContext).then(
          (upstream) => pass(client, upstream),
          () => client.destroy(),
        );
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  }),
);
process.stdout.write(`${JSON.stringify(ports)}\n`);
process.stdin.on("end", () => process.exit()).resume();

function pass(client: Socket, upstream: Socket): void {
  client.on("error", () => upstream.destroy()).pipe(upstream);
  upstream.on("error", () => client.destroy()).pipe(client);
}
