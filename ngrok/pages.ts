// ngrok's lists, page after page.
import { entries, object, text } from "./answer.ts";
import type { Caller } from "./call.ts";
import { unreadable } from "./errors.ts";

const PAGE_SIZE = "100";

/**
 * The entries of a list as its pages come; `field` is the name of the list in the answer. Ends where ngrok names no next
 * page, or with an empty one. Throws class transient when ngrok names a next page that is not of this list.
 */
export async function* pages(
  call: Caller,
  path: string,
  field: string,
  signal: AbortSignal,
): AsyncIterable<readonly unknown[]> {
  let query: Record<string, string> = { limit: PAGE_SIZE };
  const seen = new Set<string>();
  while (true) {
    const answer = object(await call({ method: "GET", path, query, signal }), `the list ${path}`);
    const page = entries(answer, field);
    if (page.length > 0) yield page;
    const next = text(answer, "next_page_uri");
    if (next === "" || page.length === 0) return;
    if (seen.has(next)) throw unreadable(`the list ${path} names the same next page twice`);
    seen.add(next);
    query = queryOfNext(next, path);
  }
}

/**
 * ngrok names the next page by an absolute address, which behind a proxy is not the one that we call. Only its query is
 * taken: the API key goes nowhere but to our base.
 */
function queryOfNext(next: string, path: string): Record<string, string> {
  const url = URL.canParse(next, "https://api.ngrok.com") ? new URL(next, "https://api.ngrok.com") : undefined;
  if (url === undefined || !url.pathname.endsWith(path)) {
    throw unreadable(`the list ${path} goes on at another place, "${next.slice(0, 200)}"`);
  }
  return Object.fromEntries(url.searchParams);
}
