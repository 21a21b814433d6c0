// How a connection of the cluster becomes one to an endpoint at ngrok: on a connection to the binding ingress we say which
// endpoint is meant and which pod asks, ngrok agrees, and from then on its bytes are the endpoint's.
import type { Duplex } from "node:stream";
import { asError, KnownError, type KnownErrorParts } from "#wire/errors.ts";
import { codes, oneLine } from "./errors.ts";
import { type ConnRequest, type ConnResponse, decodeResponse, encodeRequest } from "./mux-messages.ts";

/** What a length of two bytes can say; a longer message would say a wrong one. */
const LONGEST_REQUEST = 0xffff;
/** An answer is some names and sentences: a longer one is not ngrok's. */
export const LONGEST_ANSWER = 16_384;

/** `code` of what is wrong with the exchange itself, beside ngrok's own codes. */
export const muxCode = {
  tooLarge: "RequestTooLarge",
  unreadable: "UnreadableAnswer",
  cutOff: "CutOff",
} as const;

export interface Upgraded<S extends Duplex> {
  /** Carries the endpoint's bytes; what came with the answer is still to be read. */
  readonly stream: S;
  readonly endpointId: string;
  readonly proto: string;
  /** What ngrok wants a person to know. */
  readonly notices: readonly string[];
}

/**
 * Asks on `stream` for an endpoint. The signal bounds the time: ngrok may need some to reach it. The stream must be new
 * and have no listener for data. When this throws, the caller has to destroy it.
 *
 * Throws KnownError: invalid when the request is too large (code RequestTooLarge) or ngrok refuses it for good;
 * transient when ngrok's refusal may pass, when the answer cannot be read, or when the stream ends or breaks before it.
 * Throws the signal's reason.
 */
export async function upgrade<S extends Duplex>(
  stream: S,
  request: ConnRequest,
  signal: AbortSignal,
): Promise<Upgraded<S>> {
  signal.throwIfAborted();
  stream.write(frameOf(request));
  const head = await read(stream, 2, signal);
  const length = head.readUInt16LE();
  if (length > LONGEST_ANSWER) throw unreadable(`${length} bytes long, and ${LONGEST_ANSWER} are the most`);
  const answer = decoded(length === 0 ? Buffer.alloc(0) : await read(stream, length, signal));
  if (answer.errorCode !== "" || answer.errorMessage !== "") throw refused(answer);
  const { endpointId, proto, notices } = answer;
  return { stream, endpointId, proto, notices };
}

/** Length, little endian, and message. */
function frameOf(request: ConnRequest): Buffer {
  const message = encodeRequest(request);
  if (message.length > LONGEST_REQUEST) {
    const { namespace, name } = request.podIdentity;
    throw new KnownError(
      "invalid",
      `the request for ${request.host}:${request.port} has ${message.length} bytes, and ${LONGEST_REQUEST} are the most`,
      {
        code: muxCode.tooLarge,
        hint: `Shorten the annotations of Pod ${namespace}/${name} that begin with ngrok.com/ or k8s.ngrok.com/: they are sent to ngrok.`,
      },
    );
  }
  const length = Buffer.alloc(2);
  length.writeUInt16LE(message.length);
  return Buffer.concat([length, message]);
}

/** Just `count` bytes; what comes after them stays in the stream. */
async function read(stream: Duplex, count: number, signal: AbortSignal): Promise<Buffer> {
  return await new Promise<Buffer>((resolve, reject) => {
    const settle = (end: () => void): void => {
      stream.off("readable", look).off("end", ended).off("close", ended).off("error", broken);
      signal.removeEventListener("abort", aborted);
      end();
    };
    const look = (): void => {
      const bytes = stream.read(count) as Buffer | null;
      // Of a stream that ends, what is left is handed out although it is less.
      if (bytes !== null && bytes.length < count) settle(() => reject(cutOff()));
      else if (bytes !== null) settle(() => resolve(bytes));
    };
    const ended = (): void => settle(() => reject(cutOff()));
    const broken = (error: Error): void => settle(() => reject(cutOff(error)));
    const aborted = (): void => settle(() => reject(asError(signal.reason)));
    stream.on("readable", look).on("end", ended).on("close", ended).on("error", broken);
    signal.addEventListener("abort", aborted, { once: true });
    if (signal.aborted) aborted();
    else if (stream.destroyed || stream.readableEnded) ended();
    else look();
  });
}

function decoded(message: Uint8Array): ConnResponse {
  try {
    return decodeResponse(message);
  } catch (error) {
    throw unreadable(error instanceof Error ? error.message : String(error));
  }
}

function unreadable(what: string): KnownError {
  return new KnownError("transient", `the answer of ngrok's binding ingress cannot be read: ${what}`, {
    code: muxCode.unreadable,
    hint: "Check that the KubernetesOperator's status.bindingsIngressEndpoint, as seen from the forwarder, is ngrok's binding ingress and not something else, such as a proxy.",
  });
}

/** In TLS 1.3 a certificate is refused only after our side has taken the connection for good. */
function cutOff(cause?: Error): KnownError {
  const alert = cause === undefined ? undefined : /alert (?:number \d+|[a-z ]+)/i.exec(cause.message)?.[0];
  const isCertificate = cause !== undefined && /certificate|unknown ca|unknown_ca|access denied/i.test(cause.message);
  const parts: KnownErrorParts = {
    code: muxCode.cutOff,
    hint: isCertificate
      ? "ngrok does not accept this install's certificate: delete its Secret, the operator has a new one signed."
      : "Usually passes; if not, ngrok may not accept this install's certificate (delete its Secret, the operator has a new one signed), or the KubernetesOperator's status.bindingsIngressEndpoint leads to something else, such as a proxy.",
    ...(cause === undefined ? {} : { cause }),
  };
  const why = cause === undefined ? "" : `: ${alert ?? cause.message}`;
  return new KnownError("transient", `the binding ingress ended the connection before it had answered${why}`, parts);
}

/** In the words that people look for. What passes by itself is known by its code; anything else is a person's matter. */
function refused({ errorCode, errorMessage }: ConnResponse): KnownError {
  const known = codes[errorCode];
  return new KnownError(
    known?.class ?? "invalid",
    `binding upgrade failure: [${errorCode}]: ${oneLine(errorMessage)}`,
    {
      code: errorCode,
      hint: known?.hint ?? "Check at ngrok that the endpoint is online and that its traffic policy admits this pod.",
    },
  );
}
