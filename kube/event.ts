// Events for people (events.k8s.io/v1). Told beside the work: whoever tells one is never stopped by it, and the same
// event told again is counted in its series instead of being written anew.
import { createHash } from "node:crypto";
import { systemClock, type Clock } from "#wire/clock.ts";
import { isClass } from "#wire/errors.ts";
import type { Connection } from "./connection.ts";
import type { KubeObject } from "./kind.ts";
import { Event, type EventObject } from "./kinds.ts";
import { apiVersionOf, listPath, objectPath } from "./paths.ts";

export interface EventToTell {
  /** What it is about, as it was read (with apiVersion, kind and uid). */
  readonly regarding: KubeObject;
  readonly type: "Normal" | "Warning";
  /** UpperCamelCase, up to 128 characters. */
  readonly reason: string;
  /** What was done or tried, UpperCamelCase. */
  readonly action: string;
  /** For a person; cut at 1,024 characters. */
  readonly note: string;
  /** Who tells it: the controller's name. */
  readonly controller: string;
  /** The pod, or whatever tells apart instances; default the controller. */
  readonly instance?: string;
  /** How often it happened so far; from 2 on it is told as a series. */
  readonly count?: number;
}

const TIMEOUT_MS = 5_000;

/** Writes the event. Never throws: "lost" when it could not be written (for a counter), "told" otherwise. */
export async function emit(
  connection: Connection,
  event: EventToTell,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<"told" | "lost"> {
  const object = eventOf(event, clock.date());
  const version = Event.versions[0];
  try {
    if ((event.count ?? 1) > 1 && (await addToSeries(connection, object, event.count ?? 2, signal))) return "told";
    await connection.request({
      method: "POST",
      path: listPath(Event, version, object.metadata.namespace),
      body: object,
      signal,
      timeoutMs: TIMEOUT_MS,
    });
    return "told";
  } catch (error) {
    if (!isClass(error, "conflict")) return "lost";
  }
  try {
    return (await addToSeries(connection, object, 2, signal)) ? "told" : "lost";
  } catch {
    return "lost";
  }
}

/** All fields but the series are immutable, so equal events share a name made of what they say. False when it has expired. */
async function addToSeries(
  connection: Connection,
  event: EventObject,
  count: number,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    await connection.request({
      method: "PATCH",
      path: objectPath(Event, Event.versions[0], { name: event.metadata.name, namespace: event.metadata.namespace }),
      contentType: "application/merge-patch+json",
      body: { series: { count, lastObservedTime: event.eventTime } },
      signal,
      timeoutMs: TIMEOUT_MS,
    });
    return true;
  } catch (error) {
    if (isClass(error, "gone")) return false;
    throw error;
  }
}

/** Characters of a note that the API server takes. */
export const NOTE_MAX = 1024;

function eventOf(event: EventToTell, now: Date): EventObject {
  const { apiVersion, kind, metadata } = event.regarding;
  const note = event.note.slice(0, NOTE_MAX);
  const instance = (event.instance ?? event.controller).slice(0, 128);
  const said = [metadata.uid, event.type, event.reason, event.action, note, event.controller, instance].join("\n");
  const hash = createHash("sha256").update(said).digest("hex").slice(0, 16);
  return {
    apiVersion: apiVersionOf(Event, Event.versions[0]),
    kind: Event.kind,
    metadata: {
      name: `${metadata.name.slice(0, 230).replace(/[.-]+$/, "")}.${hash}`,
      // Events about cluster-scoped objects stand in "default": the API server wants it so.
      namespace: metadata.namespace ?? "default",
    },
    eventTime: now.toISOString().replace("Z", "000Z"),
    reportingController: event.controller,
    reportingInstance: instance,
    action: event.action,
    reason: event.reason,
    type: event.type,
    note,
    regarding: {
      ...(apiVersion === undefined ? {} : { apiVersion }),
      ...(kind === undefined ? {} : { kind }),
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      name: metadata.name,
      ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
      ...(metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }),
    },
  };
}
