// What the operator wants of an ngrok agent, whatever speaks the agent's protocol: one session a process, and endpoints
// that are opened and closed on it. Knows no Kubernetes kind.

export type Binding = "public" | "internal" | "kubernetes";

/** A certificate with its key, PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface AgentUpstream {
  /** As people write it: an origin, a host, `https://`, or a bare port. */
  readonly url: string;
  readonly protocol?: "http1" | "http2";
  /** The version of the PROXY protocol that tells the upstream the visitor's address. */
  readonly proxyProtocol?: "1" | "2";
  /** What is shown to an upstream that asks for a certificate. */
  readonly certificates: readonly KeyPair[];
}

/** TLS ends at the agent, not at ngrok. */
export interface AgentTermination extends KeyPair {
  /** Whose certificates of visitors are trusted, PEM; without it visitors are asked for none. */
  readonly clientCAs?: string;
  /** Whether a visitor without a certificate is turned away; default true. */
  readonly required?: boolean;
}

/** Everything that decides what an endpoint does: equal specs are equal endpoints. */
export interface AgentSpec {
  /** As people write it: `https://app.example.com`, `tcp://1.tcp.ngrok.io:12345`, a host, `tls://`, or "". */
  readonly url: string;
  /** One listener each; empty for ngrok's default. */
  readonly bindings: readonly Binding[];
  readonly upstream: AgentUpstream;
  /** JSON, or "" for none. */
  readonly trafficPolicy: string;
  readonly metadata: string;
  readonly termination?: AgentTermination;
}

/** An endpoint that is open. */
export interface Opened {
  /** As ngrok has assigned it. */
  readonly url: string;
  /** False once nothing comes through it any more: its session is over, or ngrok has stopped it. */
  readonly isOpen: boolean;
  /** Nothing new comes through it from now on; what runs goes on. Throws when ngrok does not answer; safe to call again. */
  close(): Promise<void>;
}

export type AgentState =
  | { readonly is: "connecting" }
  | { readonly is: "up" }
  /** It is tried again all the time. */
  | { readonly is: "down"; readonly why: string }
  /** For good, until the process starts anew. */
  | { readonly is: "stopped"; readonly why: string };

export interface AgentPort {
  readonly state: AgentState;
  /** Called when the state changes. Returns the end of the listening. */
  onChange(listener: () => void): () => void;
  /**
   * Opens an endpoint on all of its bindings, or on none. Throws KnownError: invalid for what a person has to change,
   * transient for the rest; with a hint where there is something to do.
   *
   * @param had where it was before: where the URL leaves the host to ngrok, it is asked for that one first.
   * @param ended called when ngrok has ended the endpoint and its session goes on.
   */
  open(spec: AgentSpec, signal: AbortSignal, had?: string, ended?: () => void): Promise<Opened>;
}
