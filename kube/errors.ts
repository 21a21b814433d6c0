// What an API server's refusal means: every Status becomes a KnownError of the closed list, with a hint for a person.
import { KnownError, type ErrorClass, type KnownErrorParts } from "#wire/errors.ts";

/** The API server's own form of an error (meta/v1 Status). */
interface Status {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: {
    readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
    readonly retryAfterSeconds?: number;
  };
}

export interface Refusal {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly text: string;
  readonly retryAfterMs?: number | undefined;
}

/** Code of a list or watch whose resourceVersion the server no longer has: start over with a new list. */
export const EXPIRED = "Expired";
/** Code of a write to an object that is being deleted and takes no new finalizer. */
export const DELETING = "Deleting";

/** An answer of 300 or more as the error that it is. */
export function refusalError(refusal: Refusal): KnownError {
  const status = parseStatus(refusal.text);
  return statusError(status ?? {}, refusal, status === undefined ? refusal.text.trim() : undefined);
}

/** The object of a watch's ERROR event. */
export function watchError(object: unknown, path: string): KnownError {
  const status = isStatus(object) ? object : {};
  return statusError(status, { method: "WATCH", path, status: status.code ?? 500 });
}

interface Sorted {
  readonly class: ErrorClass;
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
}

function statusError(status: Status, at: Omit<Refusal, "text">, plain?: string): KnownError {
  const sorted = sort(status, at);
  const seconds = status.details?.retryAfterSeconds;
  const retryAfterMs = at.retryAfterMs ?? (seconds === undefined || seconds === 0 ? undefined : seconds * 1000);
  const code = sorted.code ?? (status.reason === "" ? undefined : status.reason);
  const parts: KnownErrorParts = {
    status: at.status,
    ...(code === undefined ? {} : { code }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(sorted.hint === undefined ? {} : { hint: sorted.hint }),
  };
  return new KnownError(sorted.class, sorted.message ?? messageOf(status, at, plain), parts);
}

function sort(status: Status, at: Omit<Refusal, "text">): Sorted {
  const message = status.message ?? "";
  switch (at.status) {
    case 401:
      return {
        class: "invalid",
        code: "Unauthorized",
        message: `${at.method} ${at.path}: the API server does not accept our credentials`,
        hint: "Log in again or renew the kubeconfig; in a pod: its ServiceAccount or the pod itself was deleted.",
      };
    case 403:
      return forbidden(status, message);
    case 404:
      return { class: "gone", code: "NotFound" };
    case 409:
      return { class: "conflict", code: status.reason === "AlreadyExists" ? "AlreadyExists" : "Conflict" };
    case 410:
      return { class: "gone", code: EXPIRED };
    case 422:
      return unprocessable(status, message, at);
    case 429:
      return { class: "throttled", code: "TooManyRequests" };
  }
  if (at.status === 408) return { class: "transient", code: "Timeout" };
  if (at.status >= 500) return fault(message);
  if (at.status < 400) {
    return {
      class: "invalid",
      message: `${at.method} ${at.path}: answered with a redirect (${at.status})`,
      hint: "This does not look like a Kubernetes API server: check the address.",
    };
  }
  return admission(message) ?? { class: "invalid" };
}

/** 403 has four meanings that only the message tells apart. */
function forbidden(status: Status, message: string): Sorted {
  const rbac =
    /User "([^"]*)" cannot (\S+) resource "([^"]*)"(?: in API group "([^"]*)")?(?: in the namespace "([^"]*)")?/.exec(
      message,
    );
  if (rbac !== null) {
    const [, user, verb, resource, group, namespace] = rbac;
    const what = group === undefined || group === "" ? resource : `${resource} in API group ${group}`;
    const where = namespace === undefined ? "in the whole cluster" : `in namespace ${namespace}`;
    return {
      class: "invalid",
      code: "Forbidden",
      hint: `Allow ${user} the verb "${verb}" on ${what} ${where} (RBAC).`,
    };
  }
  if (
    status.details?.causes?.some((cause) => cause.reason === "NamespaceTerminating") ||
    /being terminated|is terminating/.test(message)
  ) {
    return {
      class: "invalid",
      code: "NamespaceTerminating",
      hint: "The namespace or the CustomResourceDefinition is being deleted: nothing new can be created in it.",
    };
  }
  if (message.includes("exceeded quota")) {
    return {
      class: "invalid",
      code: "QuotaExceeded",
      hint: "Raise the ResourceQuota of the namespace, or free some of it.",
    };
  }
  return admission(message) ?? { class: "invalid", code: "Forbidden" };
}

/** A webhook or a policy said no: it, not RBAC, has to be changed. */
function admission(message: string): Sorted | undefined {
  const webhook = /admission webhook "([^"]+)" denied/.exec(message)?.[1];
  const policy = /ValidatingAdmissionPolicy '([^']+)'/.exec(message)?.[1];
  if (webhook === undefined && policy === undefined) return undefined;
  const who = webhook === undefined ? `ValidatingAdmissionPolicy ${policy}` : `admission webhook ${webhook}`;
  return { class: "invalid", code: "AdmissionDenied", hint: `The ${who} refuses this change: let it pass there.` };
}

function unprocessable(status: Status, message: string, at: Omit<Refusal, "text">): Sorted {
  const causes = status.details?.causes ?? [];
  if (causes.length === 0 && admission(message) === undefined && at.method === "PATCH") {
    // The server names nothing when a test of a JSON patch fails or its path is missing.
    return {
      class: "conflict",
      code: "Conflict",
      message: `${at.path}: somebody else changed it, the guarded patch did not apply`,
    };
  }
  if (causes.some((cause) => cause.field === "metadata.finalizers" && /being deleted/.test(cause.message ?? ""))) {
    return { class: "gone", code: DELETING };
  }
  if (causes.length > 0 && causes.every((cause) => cause.field === "metadata.uid")) {
    return { class: "conflict", code: "Conflict", message: `${at.path}: another object has this name now` };
  }
  return admission(message) ?? { class: "invalid" };
}

function fault(message: string): Sorted {
  const webhook = /failed calling webhook "([^"]+)"/.exec(message)?.[1];
  if (webhook === undefined) return { class: "transient" };
  return {
    class: "transient",
    code: "WebhookFailed",
    hint: `The admission webhook ${webhook} does not answer: repair it, or delete its webhook configuration.`,
  };
}

function messageOf(status: Status, at: Omit<Refusal, "text">, plain: string | undefined): string {
  const place = `${at.method} ${at.path}`;
  // The server may quote what was sent: of a Secret nothing is repeated.
  if (/\/secrets(\/|$)/.test(at.path) && (at.status === 400 || at.status === 422)) {
    return `${place}: ${at.status} ${status.reason ?? "refused"}`;
  }
  const said = status.message ?? plain ?? "";
  return `${place}: ${said === "" ? at.status : said.slice(0, 600)}`;
}

function parseStatus(text: string): Status | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return isStatus(parsed) ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function isStatus(object: unknown): object is Status {
  return typeof object === "object" && object !== null && "kind" in object && object.kind === "Status";
}
