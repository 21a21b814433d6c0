// A bare caller for tests: one request as a client of ngrok sends it, and whatever comes back.

export interface CallOptions {
  /** Default `a-key`; null sends none. */
  readonly key?: string | null;
  /** Added to the headers, or null to leave one out. */
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly signal?: AbortSignal;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed JSON; an empty object when there was none. */
  readonly body: Record<string, unknown>;
  /** The body as it came. */
  readonly text: string;
}

/** Sends one request. `target` is a path, or a whole URL such as next_page_uri. Rejects as fetch does. */
export async function call(
  api: { readonly url: string },
  method: string,
  target: string,
  body?: unknown,
  options: CallOptions = {},
): Promise<Answered> {
  const headers = new Headers({ "ngrok-version": "2" });
  if (options.key !== null) headers.set("authorization", `Bearer ${options.key ?? "a-key"}`);
  if (body !== undefined) headers.set("content-type", "application/json");
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (value === null) headers.delete(name);
    else headers.set(name, value);
  }
  const response = await fetch(new URL(target, api.url), {
    method,
    headers,
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    ...(options.signal && { signal: options.signal }),
  });
  const text = await response.text();
  const json = response.headers.get("content-type")?.startsWith("application/json") && text !== "";
  return {
    status: response.status,
    headers: response.headers,
    body: json ? (JSON.parse(text) as Record<string, unknown>) : {},
    text,
  };
}

/** POSTs and returns the id of what was made. Throws with the answer when nothing was. */
export async function make(api: { readonly url: string }, path: string, body: unknown): Promise<string> {
  const { status, body: made, text } = await call(api, "POST", path, body);
  if (status !== 201) throw new Error(`POST ${path}: ${status} ${text}`);
  return String(made["id"]);
}
