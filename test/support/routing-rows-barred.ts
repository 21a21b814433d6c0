// The rows that no cluster holds, since the API server with Gateway API does not take them: what a file says all the same is
// read, and told.
import { type Fields, gatewayRow, type GatewayRowParts, hostOf } from "./routing-parts.ts";
import type { Places, Row } from "./routing-rows.ts";

export function barredRows({ shop }: Places): Row[] {
  const one = (name: string, barred: string, makes: Row["makes"], given: GatewayRowParts): Row => ({
    ...gatewayRow(shop, name, makes, given),
    barred,
  });
  const passed = { mode: "Passthrough" };
  const noTls = "tls must not be specified for protocols";
  const to = (ref: Fields): Pick<GatewayRowParts, "route"> => ({ route: { rule: { backendRefs: [ref] } } });
  return [
    one("https-passed", "tls mode must be Terminate for protocol HTTPS", "nothing", {
      listener: { tls: passed },
      told: "ngrok ends the TLS of HTTPS itself",
    }),
    one("http-tls", noTls, "nothing", {
      listener: { port: 80, protocol: "HTTP", tls: passed },
      told: "HTTP has no TLS",
    }),
    one("tcp-tls", noTls, "nothing", {
      listener: { port: 5439, protocol: "TCP", hostname: undefined, tls: passed },
      spec: { addresses: [{ type: "Hostname", value: hostOf("tcp-tls") }] },
      route: { kind: "TCPRoute" },
      told: "TCP has no TLS",
    }),
    one("star", "spec.listeners[0].hostname", "nothing", {
      listener: { hostname: "*" },
      told: '"*" is no host of its own',
    }),
    one("blank", "spec.listeners[0].hostname", "nothing", { listener: { hostname: "" }, told: "HostnameRequired" }),
    one("star-route", "spec.hostnames[0]", ["http://star-route."], { route: { spec: { hostnames: ["*"] } } }),
    one("no-backend-port", "Must have port for Service reference", ["GatewayAPI-Unresolved-Backend"], {
      ...to({ name: "no-backend-port" }),
      told: "is missing: write the port of the Service",
    }),
    one("no-backend-name", "spec.rules[0].backendRefs[0].name", ['"kind":"CloudEndpoint"', "Fallback-404"], {
      ...to({ name: "", port: 80 }),
    }),
    one("no-such-filter", "spec.rules[0].filters[0].type", ["http://no-such-filter."], {
      route: { rule: { filters: [{ type: "Teleport" }] } },
      told: '"Teleport" is not supported',
    }),
  ];
}
