// The control surface, for tests that run in another process: faults, ledger, state and keys under /__control/.
import type { IncomingMessage, ServerResponse } from "node:http";
import { text as readText } from "node:stream/consumers";
import { objectFrom, readFault } from "./control-input.ts";
import type { NgrokApi } from "./server.ts";

export const controlPrefix = "/__control/";

interface Reply {
  readonly status: number;
  readonly value: unknown;
}

/** Answers one request of the control surface. Never rejects: what is wrong with a request is a 400 that says so. */
export async function serveControl(api: NgrokApi, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  let reply: Reply;
  try {
    const url = new URL(incoming.url ?? "/", "http://control");
    const raw = await readText(incoming);
    reply = await run(api, `${incoming.method} ${url.pathname.slice(controlPrefix.length)}`, {
      query: url.searchParams,
      body: raw === "" ? {} : (JSON.parse(raw) as unknown),
    });
  } catch (error) {
    reply = { status: 400, value: { error: error instanceof Error ? error.message : String(error) } };
  }
  if (response.destroyed) return;
  response.writeHead(reply.status, { "content-type": "application/json" });
  response.end(JSON.stringify(reply.value));
}

const ok = (value: unknown = {}): Reply => ({ status: 200, value });

interface Input {
  readonly query: URLSearchParams;
  readonly body: unknown;
}

async function run(api: NgrokApi, command: string, { query, body }: Input): Promise<Reply> {
  const [verb = "", argument = ""] = command.split("/", 2);
  switch (verb) {
    case "GET state":
      return ok({ collections: api.state(), remote: api.remote(), requests: api.ledger.total });
    case "GET objects":
      return ok(api.objects(argument));
    case "POST objects":
      return ok({ id: await api.add(argument, objectFrom(body)) });
    case "GET ledger":
      return ok({ total: api.ledger.total, counts: api.ledger.counts(), entries: newest(api, query) });
    case "GET faults":
      return ok(api.faults.list());
    case "POST faults":
      return ok({ id: api.faults.add(readFault(body)).id });
    case "DELETE faults":
      if (argument === "") api.faults.clear();
      else if (!api.faults.remove(Number(argument))) return { status: 404, value: { error: `no fault ${argument}` } };
      return ok();
    case "PUT keys":
      setRights(api, objectFrom(body));
      return ok();
    case "POST reset":
      api.reset();
      return ok();
    default:
      return { status: 404, value: { error: `no such command: ${command}` } };
  }
}

/** `{ key, rights }`; rights `none` takes the key away. */
function setRights(api: NgrokApi, { key, rights }: Record<string, unknown>): void {
  if (typeof key !== "string" || key === "") throw new Error("key: expected a string");
  if (rights === "none") api.keys.revoke(key);
  else if (rights === "all" || rights === "no-delete" || rights === "read") api.keys.allow(key, rights);
  else throw new Error("rights: expected all, no-delete, read or none");
}

/** The `limit` (default 100) newest entries, of one method and one path if these are given. */
function newest(api: NgrokApi, query: URLSearchParams): unknown[] {
  const [method, path, limit] = [query.get("method"), query.get("path"), Number(query.get("limit") ?? 100)];
  const chosen = api.ledger
    .entries()
    .filter((entry) => (!method || entry.method === method) && (!path || entry.path === path));
  return chosen.slice(-limit);
}
