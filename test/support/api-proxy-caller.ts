// Who calls the API server, read from the ServiceAccount token that the caller sends. It is decoded, never checked: that
// is the API server's.
/** By the ServiceAccount of the chart: the operator's three pods, the two hooks, or anybody else. */
export type Caller = (typeof NAMED)[number] | "manager" | "other";

export interface Who {
  readonly caller: Caller;
  /** `system:serviceaccount:<namespace>:<name>`, or empty. */
  readonly user: string;
  readonly pod: { readonly name: string; readonly uid: string } | undefined;
}

/** Each account ends with the name of its pod; the manager's is the release's own. */
const NAMED = ["agent", "bindings-forwarder", "drain", "cleanup"] as const;

/** One call as it arrived. */
export interface Call extends Who {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The how manieth call of this caller since the last reset, from 1. */
  readonly n: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: string;
  readonly watch: boolean;
  readonly body: string;
}

/** @param authorization the header, `Bearer <token>` */
export function callerOf(authorization: string | undefined): Who {
  const [, payload] = authorization?.replace(/^Bearer /, "").split(".") ?? [];
  if (payload === undefined) return { caller: "other", user: "", pod: undefined };
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as Claims;
  const user = claims.sub ?? "";
  return { caller: byAccount(user), user, pod: claims["kubernetes.io"]?.pod };
}

interface Claims {
  readonly sub?: string;
  readonly "kubernetes.io"?: { readonly pod?: { readonly name: string; readonly uid: string } };
}

function byAccount(user: string): Caller {
  if (!user.startsWith("system:serviceaccount:")) return "other";
  return NAMED.find((name) => user.endsWith(`-${name}`)) ?? "manager";
}
