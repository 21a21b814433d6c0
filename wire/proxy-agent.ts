// undici's way through a proxy, without the rest of undici. It asks the proxy by `connect`, which undici's index puts on its
// dispatchers: that is done here in its place.
import connect from "undici/lib/api/api-connect.js";
import Dispatcher from "undici/lib/dispatcher/dispatcher.js";
import ProxyAgent from "undici/lib/dispatcher/proxy-agent.js";

Object.assign(Dispatcher.prototype, { connect });

export { ProxyAgent };
