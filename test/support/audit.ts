// What the API server wrote down while something went on: who changed what, read from the audit log from a place onwards.
import { type FileHandle, open } from "node:fs/promises";

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

/** More than any event of ours is long. */
const LINE_BYTES = 4 << 20;

/** Where the log ends now, for `eventsSince`: behind its last whole line, since the next one may be just being written. */
export async function endOf(log: string): Promise<number> {
  await using file = await open(log);
  const { size } = await file.stat();
  const from = Math.max(0, size - LINE_BYTES);
  const tail = await read(file, from, size);
  return from + tail.lastIndexOf("\n") + 1;
}

/** The events that were written since; the API server writes each before it answers. */
export async function eventsSince(log: string, position: number): Promise<AuditEvent[]> {
  await using file = await open(log);
  const { size } = await file.stat();
  const bytes = await read(file, position, size);
  // What comes after the last end of a line is just being written, however much it looks like a whole one.
  const lines = bytes
    .subarray(0, bytes.lastIndexOf("\n") + 1)
    .toString("utf8")
    .split("\n")
    .filter(Boolean);
  return lines.map((line) => JSON.parse(line) as AuditEvent);
}

async function read(file: FileHandle, from: number, to: number): Promise<Buffer> {
  const buffer = Buffer.alloc(Math.max(to - from, 0));
  const { bytesRead } = await file.read(buffer, 0, buffer.length, from);
  return buffer.subarray(0, bytesRead);
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
  return writes(events).filter(isRemoval);
}

/**
 * The same, and of each object that no accepted one names the last that had no answer in its time: on a busy machine such a
 * patch may have been stored all the same, and who asks again finds nothing to take off. An object whose finalizer is still
 * there is the residue's to tell.
 */
export function freeings(events: readonly AuditEvent[]): AuditEvent[] {
  const accepted = finalizerRemovals(events);
  const named = new Set(accepted.map(objectOf));
  const cut = attempts(events).filter(
    (event) => (event.responseStatus?.code ?? 500) >= 500 && isRemoval(event) && !named.has(objectOf(event)),
  );
  return [...accepted, ...new Map(cut.map((event) => [objectOf(event), event])).values()];
}

function isRemoval({ verb, requestObject }: AuditEvent): boolean {
  if (verb !== "patch") return false;
  const text = JSON.stringify(requestObject ?? "");
  return (
    text.includes("ngrok.com/finalizer") &&
    /"op":"remove"[^}]*"path":"\/metadata\/finalizers|"path":"\/metadata\/finalizers[^}]*"op":"remove"/.test(text)
  );
}

function objectOf({ objectRef }: AuditEvent): string {
  return `${objectRef?.resource} ${objectRef?.namespace}/${objectRef?.name}`;
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
