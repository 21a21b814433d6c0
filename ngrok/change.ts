// What a plan asks of a port: nothing, a creation or a change. Plans are data, so a dry run prints them and a test
// compares them.

/** One step at ngrok. Fields that are undefined are left as they are; empty strings and lists are sent and empty them. */
export type Change<Remote, Body, Patch> =
  | { readonly is: "none"; readonly remote: Remote }
  | { readonly is: "create"; readonly body: Body }
  | { readonly is: "update"; readonly id: string; readonly patch: Patch };

/** What became of a remote object that had to go: ngrok deleted it now, or it was not there any more (404). */
export type Removed = "deleted" | "gone";

/**
 * How fresh a lookup by key has to be. `asOf` is an instant of the client's clock (`clock.now()`): a full list that began
 * then or later may answer. Without it the list begins after the call. A controller that asks "did an earlier process
 * create this?" passes the instant at which it took the write token, so that 2,000 lookups cost one list; after an
 * ambiguous creation it passes the instant of that failure.
 */
export interface Freshness {
  readonly asOf?: number | undefined;
}
