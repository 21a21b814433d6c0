// undici's index also loads fetch, WebSocket and caches: 50 ms of a hook's start. The pool alone is what wire/ needs.
declare module "undici/lib/dispatcher/pool.js" {
  import type { Pool } from "undici";
  const pool: typeof Pool;
  export default pool;
}
