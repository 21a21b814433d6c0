// What the edge refuses and in which words: ngrok's codes, as an agent shows them to its user.

export interface Refusal {
  readonly message: string;
  /** E.g. `ERR_NGROK_107`. */
  readonly code?: string;
}

/** The text of a refusal as it goes over the wire: the agent takes the code from a line of its own. */
export function wireText({ message, code }: Refusal): string {
  return code === undefined ? message : `${message}\n\n${code}\n`;
}

export const refusals = {
  noAuthtoken: {
    message: "Usage of ngrok requires a verified account and authtoken.",
    code: "ERR_NGROK_4018",
  },
  /** ngrok repeats the token: https://ngrok.com/docs/errors/err_ngrok_107/ */
  wrongAuthtoken: (authtoken: string): Refusal => ({
    message: `The authtoken you specified is properly formed, but it is invalid.\nYour authtoken: ${authtoken}`,
    code: "ERR_NGROK_107",
  }),
  online: (url: string): Refusal => ({
    message: `The endpoint '${url}' is already online. Stop it first, or start both endpoints with pooling enabled.`,
    code: "ERR_NGROK_334",
  }),
  policy: (why: string): Refusal => ({
    message: `The traffic policy is invalid: ${why}.`,
    code: "ERR_NGROK_2201",
  }),
  place: (place: string): Refusal => ({ message: `'${place}' is not a place that an endpoint can have.` }),
  proto: { message: "Endpoints are http, https, tcp or tls." },
  labels: { message: "This edge binds no labeled endpoints." },
  unknown: (type: number): Refusal => ({ message: `This edge does not know calls of type ${type}.` }),
} as const;
