// The account at ngrok that the demo works with: our stand-ins in memory, or a real one. Pods of an embedded cluster have
// no way out, so a real account is reached through a relay on this machine.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Cluster } from "#tools/cluster/provider.ts";
import type { Way } from "./features.ts";
import { BOUND_URL, type Fronts, NO_FRONTS, startNgrok } from "./fronts.ts";

const REAL_API = "https://api.ngrok.com";
const KEY = "stand-in-key";
/** What a population makes at ngrok; registrations are the operator's own. */
const COLLECTIONS = {
  endpoints: "endpoints",
  reserved_domains: "reserved_domains",
  ip_policies: "ip_policies",
} as const;

export interface Account extends AsyncDisposable {
  readonly what: string;
  /** As pods reach it. */
  readonly url: string;
  readonly key: string;
  /** Where requests come in and leave; a real account's are not ours to start. */
  readonly fronts: Fronts;
  /** How much is there of what was made from the cluster, by collection. */
  remote(): Promise<Record<string, number>>;
  /** What was done to objects of the account's own, in words. */
  harm(): readonly string[];
  /** Deletes what the demo made and the policy kept; a stand-in forgets by itself. */
  clean(): Promise<void>;
}

/** Where pods find a program of this machine; only the embedded cluster's wire is ours to listen on. */
function listenOn({ provider, hostIp }: Pick<Cluster, "provider" | "hostIp">): string {
  return provider === "embedded" ? hostIp : "0.0.0.0";
}

/** With `bindings` among the ways it has an endpoint of its own, which is to be bound into the cluster. */
export async function standIn(
  cluster: Pick<Cluster, "provider" | "hostIp">,
  ways: readonly Way[] = [],
): Promise<Account> {
  const ngrok = await startNgrok(ways, { host: listenOn(cluster), name: cluster.hostIp }, KEY);
  const { api, fronts } = ngrok;
  const own = api.objects("endpoints").map(({ id }) => id);
  const lost = (): number => own.length - api.objects("endpoints").filter(({ id }) => own.includes(id)).length;
  return {
    what: ["the stand-in of ngrok's API", ...ways.map((way) => `${FRONT[way]} at ${addressOf(fronts, way)}`)].join(
      ", ",
    ),
    url: `http://${cluster.hostIp}:${api.port}`,
    key: KEY,
    fronts,
    remote: async () => {
      const { endpoints = 0, reserved_domains = 0, ip_policies = 0, reserved_addrs = 0 } = api.state();
      const made = endpoints - (own.length - lost());
      return await Promise.resolve({ endpoints: made, reserved_domains, ip_policies, reserved_addrs });
    },
    harm: () => (lost() === 0 ? [] : [`the account's own endpoint ${BOUND_URL} is gone from ngrok`]),
    clean: async () => await Promise.resolve(),
    [Symbol.asyncDispose]: async () => await ngrok[Symbol.asyncDispose](),
  };
}

const FRONT: Readonly<Record<Way, string>> = { agent: "its edge", bindings: "its binding ingress" };

function addressOf({ edge, ingress }: Fronts, way: Way): string {
  return (way === "agent" ? edge?.serverAddr : ingress?.address) ?? "";
}

/** Rejects at once, with the remedy, when the key is missing or ngrok does not take it. */
export async function checkKey(key: string | undefined, base: string = REAL_API): Promise<string> {
  if (!key) {
    throw new Error("--live needs NGROK_API_KEY: make a key at https://dashboard.ngrok.com/api-keys and export it");
  }
  const answer = await ask("GET", `${base}/api_keys?limit=1`, key).catch((error: unknown) => {
    throw new Error(
      `${base} cannot be reached (${error instanceof Error ? error.message : String(error)}): check the network, or leave out --live`,
    );
  });
  if (answer.status === 401 || answer.status === 403) {
    throw new Error(
      `ngrok does not take NGROK_API_KEY (${answer.status}): make a new one at https://dashboard.ngrok.com/api-keys`,
    );
  }
  return key;
}

/** A real account; `population` marks what the demo makes there. */
export async function live(
  cluster: Pick<Cluster, "provider" | "hostIp">,
  key: string,
  population: string,
  base: string = REAL_API,
): Promise<Account> {
  const relay = await startRelay(listenOn(cluster), base);
  const marked = async (): Promise<[collection: string, id: string][]> => {
    const lists = Object.entries(COLLECTIONS).map(async ([path, field]) => {
      const items = await all(`${base}/${path}?limit=100`, field, key);
      return items
        .filter(({ metadata }) => metadata.includes(`"population":"${population}"`))
        .map(({ id }): [string, string] => [path, id]);
    });
    return (await Promise.all(lists)).flat();
  };
  return {
    what: "your account at ngrok, through a relay on this machine",
    url: `http://${cluster.hostIp}:${(relay.address() as AddressInfo).port}`,
    key,
    fronts: NO_FRONTS,
    harm: () => [],
    remote: async () => {
      const counts: Record<string, number> = Object.fromEntries(Object.keys(COLLECTIONS).map((path) => [path, 0]));
      for (const [path] of await marked()) counts[path] = (counts[path] ?? 0) + 1;
      return counts;
    },
    clean: async () => {
      for (const [path, id] of await marked()) {
        const { ok, status } = await ask("DELETE", `${base}/${path}/${id}`, key);
        if (!ok && status !== 404)
          throw new Error(`ngrok did not delete /${path}/${id} (${status}): delete it in the dashboard`);
      }
    },
    [Symbol.asyncDispose]: async () => await relay[Symbol.asyncDispose](),
  };
}

interface Item {
  readonly id: string;
  readonly metadata: string;
}

async function all(url: string, field: string, key: string): Promise<Item[]> {
  const items: Item[] = [];
  for (let next: string | undefined = url; next;) {
    const answer: Response = await ask("GET", next, key);
    if (!answer.ok) throw new Error(`${next} answered ${answer.status}: check what the key may do`);
    const page = (await answer.json()) as Record<string, unknown> & { next_page_uri?: string | null };
    items.push(...(page[field] as Item[]));
    next = page.next_page_uri ?? undefined;
  }
  return items;
}

async function ask(method: string, url: string, key: string): Promise<Response> {
  const headers = { authorization: `Bearer ${key}`, "ngrok-version": "2" };
  return await fetch(url, { method, headers, signal: AbortSignal.timeout(20_000) });
}

/** Passes requests on to ngrok as they are, with the links in the answers led back through here. */
async function startRelay(host: string, base: string): Promise<Server> {
  const relay = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const {
        authorization = "",
        "content-type": type = "application/json",
        "user-agent": agent = "",
      } = request.headers;
      const headers = { authorization, "content-type": type, "user-agent": agent, "ngrok-version": "2" };
      const body = chunks.length === 0 ? {} : { body: Buffer.concat(chunks) };
      const method = request.method ?? "GET";
      fetch(`${base}${request.url}`, { method, headers, ...body, signal: AbortSignal.timeout(60_000) })
        .then(async (answer) => {
          const text = (await answer.text()).replaceAll(base, `http://${request.headers.host}`);
          const retry = answer.headers.get("retry-after");
          response.writeHead(answer.status, {
            "content-type": "application/json",
            ...(retry && { "retry-after": retry }),
          });
          response.end(text);
        })
        .catch(() => response.destroy());
    });
  });
  await new Promise<void>((done, fail) => {
    relay.once("error", fail);
    relay.listen(0, host, done);
  });
  return relay;
}
