// What the agent's SDK says when something fails, sorted into the closed list: it says it in words, with ngrok's code at
// the end of them. Never a credential in a message: ngrok repeats the token that it refuses, so that is hidden here.
import { KnownError, type ErrorClass } from "#wire/errors.ts";
import { codes, oneLine } from "./errors.ts";

interface Meaning {
  readonly class: ErrorClass;
  readonly hint: string;
}

const AUTHTOKEN: Meaning = {
  class: "invalid",
  hint: "give the operator a valid authtoken (credentials.authtoken of the chart, or the key AUTHTOKEN of its Secret) and restart the agents",
};
const SESSIONS: Meaning = {
  class: "transient",
  hint: "the account has as many agent sessions as it may have: end others, or run fewer agents (agent.replicaCount)",
};

/** Of codes that only agents meet. */
const agentCodes: Readonly<Record<string, Meaning>> = {
  ERR_NGROK_105: AUTHTOKEN,
  ERR_NGROK_106: AUTHTOKEN,
  ERR_NGROK_107: AUTHTOKEN,
  ERR_NGROK_4018: AUTHTOKEN,
  ERR_NGROK_108: SESSIONS,
  ERR_NGROK_334: {
    class: "transient",
    hint: "another endpoint with this URL is online and does not pool: stop it, or start it with pooling enabled",
  },
};

/** In words that the SDK has for what went wrong beneath the protocol. */
const words: readonly { readonly says: RegExp; readonly hint: string }[] = [
  {
    says: /tls handshake/i,
    hint: "the certificate of ngrok's edge is not trusted: check serverAddr, rootCAs and extraCA of the chart, and proxies on the way",
  },
  {
    says: /failed to establish tcp|dns|resolve|lookup/i,
    hint: "ngrok's edge is not reached: check serverAddr, DNS, and whether pods may connect to the outside",
  },
  {
    says: /deserialize rpc/i,
    hint: "what answered is not ngrok's edge, or was cut off: check serverAddr of the chart, and proxies on the way",
  },
];

/** What ngrok says, without the token: these texts get as far as a status, which more people may read than the Secret. */
export function withoutToken(said: string, authtoken: string): string {
  const token = authtoken.trim();
  return token === "" ? said : said.replaceAll(token, "[authtoken]");
}

/** @param what was tried, e.g. `connect to ngrok`. @param authtoken that ngrok may repeat. */
export function agentError(error: unknown, what: string, authtoken = ""): KnownError {
  if (error instanceof KnownError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const said = withoutToken(text, authtoken);
  const code = codeOf(error, said);
  const message = `cannot ${what}: ${oneLine(said.replace(/\s*error_code: (ERR_NGROK_\d+)\s*$/, " ($1)"))}`;
  const meaning = code === undefined ? undefined : (agentCodes[code] ?? codes[code]);
  const hint = meaning?.hint ?? words.find(({ says }) => says.test(said))?.hint;
  return new KnownError(meaning?.class ?? "transient", message, {
    ...(code === undefined ? {} : { code }),
    ...(hint === undefined ? {} : { hint }),
    ...(said === text ? { cause: error } : {}),
  });
}

/** The SDK sets the code only on some of its errors; it stands at the end of the text of all. */
function codeOf(error: unknown, said: string): string | undefined {
  const own = (error as { readonly errorCode?: unknown } | null)?.errorCode;
  return typeof own === "string" && own !== "" ? own : /error_code: (ERR_NGROK_\d+)/.exec(said)?.[1];
}
