// What ngrok's answers of HTTP 400 and more mean: each becomes a KnownError with its class, ngrok's code and a hint.
// What happens next is decided by the class alone, elsewhere (wire/backoff.ts).
import { KnownError, type ErrorClass, type KnownErrorParts } from "#wire/errors.ts";

/** The codes that something of ours looks at by name. The first eight come from ngrok, the 20,000s are made by operators. */
export const code = {
  domainStillAttached: "ERR_NGROK_446",
  domainDanglingCNAME: "ERR_NGROK_511",
  rateLimited: "ERR_NGROK_1214",
  invalidCIDR: "ERR_NGROK_1406",
  invalidTrafficPolicy: "ERR_NGROK_2201",
  poolingRefused: "ERR_NGROK_18016",
  poolingDiffers: "ERR_NGROK_18017",
  internal: "ERR_NGROK_20000",
  invalidConfiguration: "ERR_NGROK_20001",
  upstreamServiceFailed: "ERR_NGROK_20002",
  targetServiceFailed: "ERR_NGROK_20003",
  bindingUnreachable: "ERR_NGROK_20004",
  bindingDenied: "ERR_NGROK_20005",
  certificateRequestFailed: "ERR_NGROK_20006",
  /** Ours: a creation left and its outcome is unknown. */
  ambiguous: "Ambiguous",
  /** Ours: an answer of 2xx that is not what the API promises. */
  unreadable: "UnreadableAnswer",
  /** Ours: the settings of the endpoint itself are to blame. */
  configuration: "Configuration",
  /** Ours: the agent has no session with ngrok; passes with the next one. */
  noSession: "NoSession",
} as const;

/** What a code means where the HTTP status alone would say too little. */
export const codes: Readonly<Record<string, { readonly class: ErrorClass; readonly hint: string }>> = {
  [code.domainStillAttached]: {
    class: "transient",
    hint: "The domain is still attached to an endpoint at ngrok; it goes once that endpoint is gone.",
  },
  [code.domainDanglingCNAME]: {
    class: "transient",
    hint: "Remove or correct the DNS record (CNAME) that still points from this name to ngrok.",
  },
  [code.invalidCIDR]: {
    class: "invalid",
    hint: "Write the rule's cidr as an IPv4 or IPv6 network with its prefix length.",
  },
  [code.invalidTrafficPolicy]: { class: "invalid", hint: "Correct the traffic policy: ngrok does not accept it." },
  [code.poolingRefused]: {
    class: "transient",
    hint: "Another endpoint with this URL is online and does not pool: set poolingEnabled on both, or stop the other one.",
  },
  [code.poolingDiffers]: {
    class: "transient",
    hint: "Set poolingEnabled to the same value on all endpoints that share this URL.",
  },
  [code.internal]: { class: "transient", hint: "Usually passes: it is tried again." },
  [code.invalidConfiguration]: { class: "invalid", hint: "Correct the operator's configuration." },
  [code.upstreamServiceFailed]: {
    class: "transient",
    hint: "Check that Services may be made in the operator's namespace.",
  },
  [code.targetServiceFailed]: {
    class: "transient",
    hint: "Check that the target namespace exists and takes Services.",
  },
  [code.bindingUnreachable]: { class: "transient", hint: "Check that the bindings forwarder runs and is reachable." },
  [code.bindingDenied]: { class: "invalid", hint: "Check that the account may use Kubernetes bindings." },
  [code.certificateRequestFailed]: { class: "transient", hint: "A new key and certificate request are made." },
};

/** What was asked, for messages: the server's address, and method and path without the query. */
export interface Asked {
  readonly server: string;
  readonly method: string;
  readonly path: string;
}

/** An answer as far as its meaning needs it. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly retryAfterMs: number | undefined;
}

/**
 * The KnownError of an answer that is not 2xx. The message is `<code>: <msg>` as ngrok wrote it, on one line and without
 * its operation id (which differs each time and would make every retry look new).
 *
 * A 404 means "gone" only if ngrok can have said it, in JSON or without a body: a proxy's page must not make a finalizer
 * go while the object lives.
 */
export function errorOf(answer: Refusal, asked: Asked, redact: (text: string) => string = (text) => text): KnownError {
  const { status } = answer;
  const body = parsed(answer.text);
  const foreign = body === undefined && answer.text.trim() !== "";
  const known = body?.code === undefined ? undefined : codes[body.code];
  const [errorClass, hint] = known === undefined ? byStatus(status, foreign, asked) : [known.class, known.hint];
  const parts: KnownErrorParts = { status };
  if (body?.code !== undefined) parts.code = body.code;
  if (answer.retryAfterMs !== undefined) parts.retryAfterMs = answer.retryAfterMs;
  if (hint !== undefined) parts.hint = hint;
  return new KnownError(errorClass, redact(messageOf(answer, body, asked)), parts);
}

/** True when a creation may have taken effect although it failed: look before creating again. */
export function mayExist(error: unknown): boolean {
  return error instanceof KnownError && error.code === code.ambiguous;
}

/**
 * True when a creation may have been refused while the thing is there: because it is, or because the account may have no
 * more, which ngrok may say first. A key that is not valid, or was used too often, is no reason to look.
 */
export function mayBeTaken(error: KnownError): boolean {
  const { status, code: said } = error;
  if (status === 429) return said !== undefined && said !== code.rateLimited;
  return status !== undefined && status !== 401 && status < 500;
}

/** A creation that left and whose outcome nobody told. */
export function ambiguous(error: KnownError, asked: Asked): KnownError {
  const parts: KnownErrorParts = {
    code: code.ambiguous,
    hint: "It is looked up before it is created again.",
    cause: error,
  };
  if (error.status !== undefined) parts.status = error.status;
  if (error.retryAfterMs !== undefined) parts.retryAfterMs = error.retryAfterMs;
  return new KnownError(
    "transient",
    `${asked.method} ${asked.path} was sent and its outcome is unknown: ${error.message}`,
    parts,
  );
}

/** An answer of 2xx that is not what the API promises; `what` says what is wrong with it. */
export function unreadable(what: string, status?: number): KnownError {
  const parts: KnownErrorParts = {
    code: code.unreadable,
    hint: "Check that apiUrl leads to ngrok's API and not to something else, such as a proxy's page.",
  };
  if (status !== undefined) parts.status = status;
  return new KnownError("transient", `ngrok's answer cannot be read: ${what}`, parts);
}

function byStatus(status: number, foreign: boolean, asked: Asked): readonly [ErrorClass, string | undefined] {
  if (status === 401)
    return ["invalid", "The ngrok API key is not valid or was revoked: give the operator a valid one."];
  if (status === 403) {
    return [
      "invalid",
      "The ngrok API key is not valid for this, or was revoked: give the operator one that may do it.",
    ];
  }
  if (status === 404 || status === 410) {
    return foreign
      ? ["invalid", `Check apiUrl: ${asked.server} does not answer as ngrok's API does.`]
      : ["gone", undefined];
  }
  if (status === 429) return ["throttled", "ngrok limits the rate of calls of this account; the call is made later."];
  if (status === 408 || status === 409 || status === 425) return ["transient", undefined];
  if (status >= 500)
    return ["transient", "ngrok's API has a fault or is not reachable behind its proxy; it is tried again."];
  if (status < 400) return ["invalid", `Check apiUrl: ${asked.server} redirects instead of answering.`];
  return ["invalid", undefined];
}

interface Body {
  readonly code: string | undefined;
  readonly msg: string;
}

function parsed(text: string): Body | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
  const said = "error_code" in json && typeof json.error_code === "string" ? json.error_code : "";
  const msg = "msg" in json && typeof json.msg === "string" ? json.msg : "";
  return { code: said === "" ? undefined : said, msg };
}

function messageOf(answer: Refusal, body: Body | undefined, asked: Asked): string {
  const msg = oneLine(body?.msg ?? "", 2_000);
  if (body?.code !== undefined) return msg === "" ? body.code : `${body.code}: ${msg}`;
  const said = msg === "" ? oneLine(body === undefined ? answer.text : "", 160) : msg;
  const start = `HTTP ${answer.status} from ${asked.server} to ${asked.method} ${asked.path}`;
  return said === "" ? start : `${start}: ${said}`;
}

/** A server's text in a message of ours: short, and without what would forge a line of a log. */
export function oneLine(text: string, max = 500): string {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
  return line.length > max ? `${line.slice(0, max)}…` : line;
}
