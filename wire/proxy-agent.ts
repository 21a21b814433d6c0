// undici's way through a proxy, without the rest of undici.
import type { ProxyAgent } from "undici";
import connect from "undici/lib/api/api-connect.js";
import Dispatcher from "undici/lib/dispatcher/dispatcher.js";
import Agent from "undici/lib/dispatcher/proxy-agent.js";

/** Throws what undici throws at options that cannot be. */
export function proxyAgent(options: ProxyAgent.Options): ProxyAgent {
  // It asks the proxy by `connect`, which undici's index would have put on its dispatchers.
  Object.assign(Dispatcher.prototype, { connect });
  return new Agent(options);
}
