// ngrok's API in memory: collections by path, and a ledger of what was made and deleted.
import type { HttpRequest } from "#wire/http.ts";
import { Refused } from "./api-server.ts";

type Fields = Record<string, unknown> & { id: string };

/** Name of the list in an answer, by collection. */
const fields: Readonly<Record<string, string>> = {
  reserved_domains: "reserved_domains",
  endpoints: "endpoints",
  kubernetes_operators: "operators",
  ip_policies: "ip_policies",
  reserved_addrs: "reserved_addrs",
};

export class Ngrok {
  readonly #objects = new Map<string, Fields>();
  #ids = 0;
  onCreate: (collection: string, body: Record<string, unknown>) => void = () => undefined;
  onDelete: (collection: string, id: string) => void = () => undefined;

  /** What is there, as the wire shows it. */
  has(id: string): boolean {
    return [...this.#objects.values()].some((one) => one.id === id);
  }

  find(collection: string, wanted: (object: Fields) => boolean): Fields | undefined {
    return this.#list(collection).find(wanted);
  }

  make(collection: string, body: object): string {
    this.#ids += 1;
    const id = `${collection.slice(0, 2)}_${this.#ids}`;
    this.#objects.set(`${collection}/${id}`, { ...body, id, uri: `https://ngrok/${collection}/${id}` });
    return id;
  }

  answer({ method, path, body }: Pick<HttpRequest, "method" | "path" | "body">): unknown {
    const [, collection = "", id] = path.replace(/\?.*$/, "").split("/");
    const given = body === undefined ? {} : (JSON.parse(String(body)) as Record<string, unknown>);
    if (collection === "api_keys") return { keys: [] };
    if (id === undefined) {
      if (method === "GET") return { [fields[collection] ?? collection]: this.#list(collection) };
      if (collection === "reserved_domains" && this.find(collection, (one) => one["domain"] === given["domain"]))
        throw new Refused(409, "Conflict", "the domain is reserved already");
      this.onCreate(collection, given);
      return this.#objects.get(`${collection}/${this.make(collection, given)}`);
    }
    const key = `${collection}/${id}`;
    const object = this.#objects.get(key);
    if (object === undefined) throw new Refused(404, "NotFound", `${key} not found`);
    if (method === "DELETE") {
      this.onDelete(collection, id);
      this.#objects.delete(key);
      return {};
    }
    if (method === "PATCH") this.#objects.set(key, { ...object, ...given });
    return this.#objects.get(key);
  }

  #list(collection: string): Fields[] {
    return [...this.#objects].flatMap(([key, object]) => (key.startsWith(`${collection}/`) ? [object] : []));
  }
}
