// undici's index also loads fetch, WebSocket and caches: 50 ms of a hook's start, and half a megabyte of every program. wire/
// needs the pool alone, and, where a proxy stands before the server, what goes through it.
declare module "undici/lib/dispatcher/pool.js" {
  import type { Pool } from "undici";
  const pool: typeof Pool;
  export default pool;
}

declare module "undici/lib/dispatcher/proxy-agent.js" {
  import type { ProxyAgent } from "undici";
  const proxyAgent: typeof ProxyAgent;
  export default proxyAgent;
}

declare module "undici/lib/dispatcher/dispatcher.js" {
  import type { Dispatcher } from "undici";
  const dispatcher: typeof Dispatcher;
  export default dispatcher;
}

declare module "undici/lib/api/api-connect.js" {
  import type { Dispatcher } from "undici";
  const connect: Dispatcher["connect"];
  export default connect;
}
