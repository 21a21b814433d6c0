// What a test says to the process in which the SDK runs, and what that says back, over the channel of its parent.

/** Calls of a builder in order, e.g. `["domain", "app.test"]`; bytes go as `{ bytes: base64 }`. */
export type BuilderCall = readonly [method: string, ...args: unknown[]];

export type Order =
  | { readonly do: "connect"; readonly calls: readonly BuilderCall[] }
  | {
      readonly do: "bind";
      readonly session: number;
      readonly proto: "http" | "tcp" | "tls";
      readonly calls: readonly BuilderCall[];
      readonly to: string;
    }
  | { readonly do: "closeListener"; readonly listener: number }
  | { readonly do: "closeSession"; readonly session: number };

export interface Answer {
  readonly id: number;
  /** The number of the session or listener that was made. */
  readonly made?: number;
  readonly url?: string;
  readonly endpoint?: string;
  readonly error?: { readonly message: string; readonly errorCode?: string };
}

/** What the SDK called back with. */
export interface Told {
  readonly told: "disconnected" | "stop" | "restart" | "update" | "heartbeat" | "listenerEnded";
  readonly text: string;
}
