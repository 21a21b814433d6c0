// Whose refusal it is decides what may be given up: only ngrok's own lets the last hook strip a finalizer.
import { test } from "vitest";
import { refusalError } from "#kube/errors.ts";
import { errorOf } from "#ngrok/errors.ts";
import { KnownError } from "#wire/errors.ts";
import { ngrokOf, ngrokRefuses } from "./hands.ts";

const asked = { server: "https://api.ngrok.com", method: "DELETE", path: "/endpoints/ep_1" };
const ngrok = (status: number, text: string) => errorOf({ status, text, retryAfterMs: undefined }, asked);
const kubernetes = (status: number, reason?: string) => {
  const text = JSON.stringify({ kind: "Status", ...(reason === undefined ? {} : { reason }) });
  return refusalError({ method: "DELETE", path: "/apis/x", status, text });
};
const noKey = () => {
  try {
    return ngrokOf({ ngrok: undefined } as Parameters<typeof ngrokOf>[0]);
  } catch (error) {
    return error;
  }
};

test.for([
  ["a key that may not", ngrok(403, '{"error_code":"ERR_NGROK_206","status_code":403,"msg":"no"}'), true],
  ["a key that is not valid", ngrok(401, '{"error_code":"ERR_NGROK_202","status_code":401,"msg":"no"}'), true],
  ["no key at all", noKey(), true],
  ["a name that is still in use", ngrok(400, '{"error_code":"ERR_NGROK_446","status_code":400,"msg":"no"}'), false],
  ["a fault of ngrok's", ngrok(503, ""), false],
  ["a right that Kubernetes does not give", kubernetes(403, "Forbidden"), false],
  ["a login that Kubernetes does not know", kubernetes(401, "Unauthorized"), false],
  ["Kubernetes' refusal without a word", kubernetes(403), false],
  ["no answer", new KnownError("transient", "reset"), false],
] as const)("%s", ([, error, refuses], { expect }) => {
  expect(ngrokRefuses(error)).toBe(refuses);
});
