// What the stand-in refuses, with ngrok's numbers and words (https://ngrok.com/docs/errors/reference).
import { newId } from "./ids.ts";

/** An answer of status 400 and above. Without a code it has the form of ngrok's router, which knows no codes. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: number | undefined;
  readonly details: Record<string, string>;

  constructor(status: number, code: number | undefined, msg: string, details?: Record<string, string>) {
    super(msg);
    this.status = status;
    this.code = code;
    this.details = details ?? { operation_id: newId("op") };
  }

  /** The body on the wire. */
  body(): Record<string, unknown> {
    const rest = { status_code: this.status, msg: this.message, details: this.details };
    return this.code === undefined ? rest : { error_code: `ERR_NGROK_${this.code}`, ...rest };
  }
}

/** A path that ngrok does not route, and a method that a path does not take: both answer the same. */
export const noSuchPath = (path: string) => new ApiError(404, undefined, "Not Found", { path });

/** Seen on the real API: the whole credential is quoted, so a client that logs the message leaks the key. */
export const wrongKey = (status: number, key: string) =>
  new ApiError(
    status,
    202,
    `The API authentication you specified does not look like a valid credential. Your credential: '${key}'. ` +
      "API keys and instructions are available on your dashboard: https://dashboard.ngrok.com/api-keys",
  );
export const missingKey = () =>
  new ApiError(401, 200, "The ngrok API requires that you set the Authorization header for authentication.");
export const unreadableKey = () =>
  new ApiError(401, 201, "The ngrok API requires that you use Bearer authentication via the Authorization header.");
/** The catalogue has no page for a key that may read but not change; 204 is the nearest. */
export const notAllowed = (method: string) =>
  new ApiError(403, 204, `This is a valid API token, but it is not allowed to make ${method} requests.`);

export const missingVersion = () =>
  new ApiError(400, 218, "Your request has not specified an API version. Supported versions: 2.");
export const wrongVersion = (version: string) =>
  new ApiError(400, 217, `The provided API version '${version}' is invalid or unsupported. Supported versions: 2.`);

export const unknownParameters = (names: string[]) =>
  new ApiError(400, 231, `The query part of the requested URI includes unknown parameters: ${names.join(", ")}.`);
export const wrongLimit = (value: string, max: number) =>
  new ApiError(400, 233, `The page size limit must be between 1 and ${max} but '${value}' was provided.`);

export const wrongContentType = (type: string) =>
  new ApiError(415, 210, `The content type you specified '${type}' is not supported by the API.`);
export const unexpectedBody = (method: string) =>
  new ApiError(400, 211, `The ${method} request you made does not expect a body, but you provided one.`);
export const unreadableBody = (why: string) => new ApiError(400, 212, `The request body could not be parsed: ${why}.`);
export const bodyTooLarge = (max: number) => new ApiError(413, 212, `The request body is larger than ${max} bytes.`);
export const unknownField = (name: string, supported: string[]) =>
  new ApiError(
    400,
    214,
    `The request parameter '${name}' is unknown and not expected. The supported fields are: ${supported.join(", ")}.`,
  );
export const wrongField = (name: string, why: string) =>
  new ApiError(400, 215, `The value provided for the request parameter '${name}' is invalid: ${why}.`);
export const metadataTooLong = (bytes: number, max: number) =>
  new ApiError(400, 100, `Invalid metadata length: ${bytes} bytes. Max: ${max}`);

export const notFound = (title: string, id: string) =>
  new ApiError(404, 222, `The ${title} resource identified by '${id}' could not be found.`);

export const domainReserved = (host: string) =>
  new ApiError(409, 413, `This domain is already reserved for your account. Failed to reserve '${host}'.`);
export const domainInUse = (host: string) =>
  new ApiError(
    409,
    446,
    `The domain '${host}' could not be deleted because it is still referenced by an edge or cloud endpoint.`,
  );

export const invalidUrl = () =>
  new ApiError(400, 18001, "The provided cloud endpoint configuration is invalid: url is invalid.");
export const invalidScheme = () =>
  new ApiError(400, 18022, "The provided cloud endpoint configuration is invalid: scheme is invalid or not present.");
export const missingPort = () =>
  new ApiError(
    400,
    18003,
    "The provided cloud endpoint configuration is invalid: port is invalid or missing and cannot be inferred from scheme",
  );
export const notReserved = () =>
  new ApiError(400, 18006, "This account does not have any domains or addresses reserved that match the provided URL.");
export const othersDoNotPool = () =>
  new ApiError(
    400,
    18016,
    "The provided cloud endpoint was invalid because pooling was set to enabled when another endpoint exists for this " +
      "url that has pooling disabled.",
  );
export const doesNotPool = () =>
  new ApiError(
    400,
    18017,
    "The provided cloud endpoint was invalid because pooling was set to disabled when another endpoint exists for this url.",
  );
export const invalidTrafficPolicy = (why: string) =>
  new ApiError(400, 2201, `The traffic policy you provided is invalid: ${why}.`);

export const invalidCidr = (cidr: string) => new ApiError(400, 1406, `Invalid CIDR: ${cidr}`);
export const cidrExists = (cidr: string) => new ApiError(409, 1408, `IP Policy Rule with CIDR ${cidr} already exists`);
export const invalidAction = () =>
  new ApiError(400, 1422, "An IP Policy Rule must have an 'action' of either 'allow' or 'deny'.");
export const noSuchPolicy = (id: string) => new ApiError(404, 341, `IP Policy with ID ${id} not found`);

export const invalidOperator = (why: string) =>
  new ApiError(400, 19002, `Failed to validate Kubernetes Operator! Reason: ${why}`);

export const tooManyRequests = (perMinute: number) =>
  new ApiError(429, 1214, `Your account is rate limited to ${perMinute} requests per minute.`);
