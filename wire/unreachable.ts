// Why a call got no answer, in words that name the server and what a person can do.
import { FenceLost, KnownError, type ErrorClass } from "./errors.ts";

interface Reason {
  readonly class: ErrorClass;
  readonly what: string;
  readonly hint: string;
}

const certificate = (what: string): Reason => ({
  class: "invalid",
  what,
  hint: "Check the CA certificate that is trusted for this server, and the name and dates in the server's certificate.",
});

const reasons: Readonly<Record<string, Reason>> = {
  ECONNREFUSED: {
    class: "transient",
    what: "connection refused",
    hint: "Check that the server runs and that address and port are right.",
  },
  ENOTFOUND: { class: "transient", what: "its name does not resolve", hint: "Check the host name and DNS." },
  EAI_AGAIN: { class: "transient", what: "DNS does not answer", hint: "Check the host name and DNS." },
  EHOSTUNREACH: { class: "transient", what: "no route to it", hint: "Check the network and egress policies." },
  ENETUNREACH: { class: "transient", what: "no route to it", hint: "Check the network and egress policies." },
  ETIMEDOUT: {
    class: "transient",
    what: "connecting timed out",
    hint: "Check the network, proxy and egress policies.",
  },
  UND_ERR_CONNECT_TIMEOUT: {
    class: "transient",
    what: "connecting timed out",
    hint: "Check the network, proxy and egress policies.",
  },
  ECONNRESET: {
    class: "transient",
    what: "the connection was reset",
    hint: "Usually passes: the call is tried again.",
  },
  EPIPE: { class: "transient", what: "the connection was closed", hint: "Usually passes: the call is tried again." },
  UND_ERR_SOCKET: {
    class: "transient",
    what: "the connection was closed",
    hint: "Usually passes: the call is tried again.",
  },
  EPROTO: {
    class: "invalid",
    what: "it does not speak TLS as expected",
    hint: "Check http:// against https:// and the port.",
  },
  ERR_SSL_WRONG_VERSION_NUMBER: {
    class: "invalid",
    what: "it does not speak TLS",
    hint: "Check http:// against https:// and the port.",
  },
  CERT_HAS_EXPIRED: certificate("its certificate has expired"),
  ERR_TLS_CERT_ALTNAME_INVALID: certificate("its certificate is for another name"),
  DEPTH_ZERO_SELF_SIGNED_CERT: certificate("its certificate is self-signed"),
  SELF_SIGNED_CERT_IN_CHAIN: certificate("its certificate's chain is not trusted"),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: certificate("its certificate is not trusted"),
  UNABLE_TO_GET_ISSUER_CERT: certificate("its certificate is not trusted"),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: certificate("its certificate is not trusted"),
  CERT_SIGNATURE_FAILURE: certificate("its certificate is not trusted"),
};

/** A failed connection as a KnownError. KnownError and FenceLost pass unchanged. */
export function unreachable(error: unknown, server: string): KnownError | FenceLost {
  if (error instanceof KnownError || error instanceof FenceLost) return error;
  const code = codeOf(error);
  const reason = code === undefined ? undefined : reasons[code];
  if (reason !== undefined) {
    return new KnownError(reason.class, `${server}: ${reason.what}`, {
      code: String(code),
      hint: reason.hint,
      cause: error,
    });
  }
  const message = error instanceof Error && error.message !== "" ? error.message : String(code ?? error);
  return new KnownError("transient", `${server}: ${message}`, {
    ...(code === undefined ? {} : { code }),
    cause: error,
  });
}

/** No answer within the deadline of the call. */
export function noAnswer(server: string, ms: number): KnownError {
  return new KnownError("transient", `no answer from ${server} within ${Math.round(ms)} ms`, {
    code: "Timeout",
    hint: "Check that the server is reachable from here and not overloaded.",
  });
}

function codeOf(error: unknown, depth = 0): string | undefined {
  if (typeof error !== "object" || error === null || depth > 3) return undefined;
  const known = "code" in error && typeof error.code === "string" ? error.code : undefined;
  if (known !== undefined && known in reasons) return known;
  const inner = "cause" in error ? codeOf(error.cause, depth + 1) : undefined;
  if (inner !== undefined) return inner;
  if ("errors" in error && Array.isArray(error.errors)) return codeOf(error.errors[0], depth + 1) ?? known;
  return known;
}
