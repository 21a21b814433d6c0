// Refusals as API servers (1.37) really word them, and what each means.
import { expect, test } from "vitest";
import { refusalError, watchError } from "./errors.ts";

interface Case {
  readonly name: string;
  readonly status: number;
  readonly reason?: string;
  readonly message?: string;
  readonly causes?: readonly { reason?: string; message?: string; field?: string }[];
  readonly method?: string;
  readonly expected: object;
}

function refused({ status, reason, message, causes, method = "PATCH" }: Omit<Case, "name" | "expected">) {
  const details = causes === undefined ? {} : { causes };
  const text = JSON.stringify({
    kind: "Status",
    apiVersion: "v1",
    status: "Failure",
    message,
    reason,
    details,
    code: status,
  });
  return refusalError({ method, path: "/api/v1/namespaces/default/configmaps/a", status, text });
}

const cases: readonly Case[] = [
  {
    name: "a test of a JSON patch failed",
    status: 422,
    reason: "Invalid",
    message: "the server rejected our request due to an error in our request",
    expected: { class: "conflict", code: "Conflict" },
  },
  {
    name: "a field is invalid",
    status: 422,
    reason: "Invalid",
    message: 'ConfigMap "a" is invalid: metadata.labels: Invalid value',
    causes: [{ reason: "FieldValueInvalid", field: "metadata.labels" }],
    expected: { class: "invalid", code: "Invalid" },
  },
  {
    name: "a new finalizer on an object that is being deleted",
    status: 422,
    reason: "Invalid",
    message: 'ConfigMap "a" is invalid: metadata.finalizers: Forbidden',
    causes: [
      {
        reason: "FieldValueForbidden",
        message: "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers",
        field: "metadata.finalizers",
      },
    ],
    expected: { class: "gone", code: "Deleting" },
  },
  {
    name: "a server-side apply with another uid",
    status: 422,
    reason: "Invalid",
    causes: [{ reason: "FieldValueInvalid", message: "field is immutable", field: "metadata.uid" }],
    expected: { class: "conflict", code: "Conflict" },
  },
  {
    name: "a policy's denial, though it comes as 422",
    status: 422,
    reason: "Invalid",
    message:
      "configmaps \"a\" is forbidden: ValidatingAdmissionPolicy 'no-deny' with binding 'no-deny' denied request: no",
    causes: [{ message: "ValidatingAdmissionPolicy 'no-deny' with binding 'no-deny' denied request: no" }],
    expected: { class: "invalid", code: "AdmissionDenied", hint: expect.stringContaining("no-deny") },
  },
  {
    name: "a webhook's denial",
    status: 403,
    reason: "Forbidden",
    message: 'admission webhook "guard.example.com" denied the request: frozen',
    expected: { class: "invalid", code: "AdmissionDenied", hint: expect.stringContaining("guard.example.com") },
  },
  {
    name: "a dead webhook",
    status: 500,
    reason: "InternalError",
    message: 'Internal error occurred: failed calling webhook "dead.example.com": failed to call webhook: Post',
    expected: { class: "transient", code: "WebhookFailed", hint: expect.stringContaining("dead.example.com") },
  },
  {
    name: "a missing right",
    status: 403,
    reason: "Forbidden",
    message:
      'ingresses.networking.k8s.io "web" is forbidden: User "system:serviceaccount:ngrok:drain" cannot patch resource "ingresses" in API group "networking.k8s.io" in the namespace "default"',
    expected: {
      class: "invalid",
      code: "Forbidden",
      hint: 'Allow system:serviceaccount:ngrok:drain the verb "patch" on ingresses in API group networking.k8s.io in namespace default (RBAC).',
    },
  },
  {
    name: "a terminating namespace",
    status: 403,
    reason: "Forbidden",
    message: "unable to create new content in namespace term because it is being terminated",
    causes: [{ reason: "NamespaceTerminating", field: "metadata.namespace" }],
    expected: { class: "invalid", code: "NamespaceTerminating" },
  },
  {
    name: "a full quota",
    status: 403,
    reason: "Forbidden",
    message: 'pods "a" is forbidden: exceeded quota: small, requested: pods=1',
    expected: { class: "invalid", code: "QuotaExceeded" },
  },
  {
    name: "credentials that are not accepted",
    status: 401,
    reason: "Unauthorized",
    expected: { class: "invalid", code: "Unauthorized" },
  },
  { name: "no such object", status: 404, reason: "NotFound", expected: { class: "gone", code: "NotFound" } },
  {
    name: "a stale resourceVersion",
    status: 409,
    reason: "Conflict",
    expected: { class: "conflict", code: "Conflict" },
  },
  { name: "it exists", status: 409, reason: "AlreadyExists", expected: { class: "conflict", code: "AlreadyExists" } },
  { name: "an expired list", status: 410, reason: "Expired", expected: { class: "gone", code: "Expired" } },
  { name: "too many requests", status: 429, reason: "TooManyRequests", expected: { class: "throttled" } },
  { name: "a server's fault", status: 503, reason: "ServiceUnavailable", expected: { class: "transient" } },
  {
    name: "a timeout of the server",
    status: 504,
    reason: "Timeout",
    expected: { class: "transient", code: "Timeout" },
  },
  {
    name: "a request that is not understood",
    status: 400,
    reason: "BadRequest",
    expected: { class: "invalid", code: "BadRequest" },
  },
];

test.for(cases)("$name", ({ expected, ...refusal }) => {
  expect(refused(refusal)).toMatchObject({ ...expected, status: refusal.status });
});

test("a POST that is refused without a cause is no conflict: nothing was tested", () => {
  expect(refused({ status: 422, reason: "Invalid", method: "POST" })).toMatchObject({ class: "invalid" });
});

test("an answer that is no Status keeps its text, and a redirect asks whether this is an API server", () => {
  const at = { method: "GET", path: "/apis/nope.io" };
  expect(refusalError({ ...at, status: 404, text: "404 page not found\n" })).toMatchObject({
    class: "gone",
    message: "GET /apis/nope.io: 404 page not found",
  });
  expect(refusalError({ ...at, status: 302, text: "" })).toMatchObject({
    class: "invalid",
    hint: expect.stringContaining("API server") as string,
  });
});

test("how long to wait is taken from the header, else from the Status", () => {
  const text = JSON.stringify({ kind: "Status", reason: "TooManyRequests", details: { retryAfterSeconds: 3 } });
  const at = { method: "GET", path: "/api/v1/pods", status: 429, text };
  expect(refusalError(at).retryAfterMs).toBe(3_000);
  expect(refusalError({ ...at, retryAfterMs: 1_000 }).retryAfterMs).toBe(1_000);
});

test("of a Secret that was refused nothing is repeated", () => {
  const text = JSON.stringify({
    kind: "Status",
    reason: "BadRequest",
    message: 'json parse error ({"data":{"key":"s3cr3t"',
  });
  const error = refusalError({ method: "POST", path: "/api/v1/namespaces/ngrok/secrets", status: 400, text });
  expect(`${error.message} ${error.hint ?? ""}`).not.toContain("s3cr3t");
});

test("a watch's ERROR event is sorted by its code", () => {
  const expired = { kind: "Status", code: 410, reason: "Expired", message: "too old resource version: 1 (217)" };
  expect(watchError(expired, "/api/v1/pods")).toMatchObject({ class: "gone", code: "Expired" });
  expect(watchError({ kind: "Status", code: 500, message: "etcd" }, "/api/v1/pods")).toMatchObject({
    class: "transient",
  });
  expect(watchError("nonsense", "/api/v1/pods")).toMatchObject({ class: "transient" });
});
