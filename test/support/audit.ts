// What the API server wrote down while something went on: who changed what, read from the audit log from a place onwards.
import { open, stat } from "node:fs/promises";

export interface AuditEvent {
  readonly verb: string;
  /** Path and query as they were sent. */
  readonly requestURI?: string;
  readonly user: { readonly username: string; readonly extra?: Readonly<Record<string, readonly string[]>> };
  readonly objectRef?: {
    readonly apiGroup?: string;
    readonly resource: string;
    readonly subresource?: string;
    readonly namespace?: string;
    readonly name?: string;
  };
  readonly requestObject?: unknown;
  readonly responseStatus?: { readonly code?: number };
  /** `authorization.k8s.io/decision` and the like. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly requestReceivedTimestamp: string;
  /** When the answer was complete. */
  readonly stageTimestamp: string;
}

/** Where the log ends now, for `eventsSince`. */
export async function endOf(log: string): Promise<number> {
  return (await stat(log)).size;
}

/** The events that were written since; the API server writes each before it answers. */
export async function eventsSince(log: string, position: number): Promise<AuditEvent[]> {
  await using file = await open(log);
  const { size } = await file.stat();
  const buffer = Buffer.alloc(Math.max(size - position, 0));
  await file.read(buffer, 0, buffer.length, position);
  const lines = buffer.toString("utf8").split("\n").filter(Boolean);
  // The last line may be one that is just being written.
  return lines.flatMap((line, at) =>
    at === lines.length - 1 && !line.endsWith("}") ? [] : [JSON.parse(line) as AuditEvent],
  );
}

const WRITES = ["create", "update", "patch", "delete", "deletecollection"];
/** Questions that are asked by a POST. */
const QUESTIONS = ["authorization.k8s.io", "authentication.k8s.io"];

/** The changes that somebody asked for, accepted or refused; questions and tokens are none. */
export function attempts(events: readonly AuditEvent[]): AuditEvent[] {
  return events.filter(
    ({ verb, objectRef }) =>
      WRITES.includes(verb) && !QUESTIONS.includes(objectRef?.apiGroup ?? "") && objectRef?.subresource !== "token",
  );
}

/** Those that were accepted. */
export function writes(events: readonly AuditEvent[]): AuditEvent[] {
  return attempts(events).filter(({ responseStatus }) => (responseStatus?.code ?? 500) < 300);
}

/** The accepted patches that took a finalizer of ours off. */
export function finalizerRemovals(events: readonly AuditEvent[]): AuditEvent[] {
  return writes(events).filter(({ verb, requestObject }) => {
    if (verb !== "patch") return false;
    const text = JSON.stringify(requestObject ?? "");
    return (
      text.includes("ngrok.com/finalizer") &&
      /"op":"remove"[^}]*"path":"\/metadata\/finalizers|"path":"\/metadata\/finalizers[^}]*"op":"remove"/.test(text)
    );
  });
}

/** `patch cloudendpoints shop/web by system:...`, for readable failures. */
export function said({ verb, user, objectRef }: AuditEvent): string {
  const { resource = "?", subresource, namespace, name = "" } = objectRef ?? {};
  return `${verb} ${resource}${subresource ? `/${subresource}` : ""} ${namespace ? `${namespace}/` : ""}${name} by ${user.username}`;
}

/** The pod whose token it was; undefined for who is no pod. */
export function podOf({ user }: AuditEvent): string | undefined {
  return user.extra?.["authentication.kubernetes.io/pod-name"]?.[0];
}
