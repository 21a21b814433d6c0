// The address that a LoadBalancer Service listens on: the user's, or one that is reserved at ngrok and written down on it.
import { mayBeMadeFor } from "#drain/made-for.ts";
import { Service, type ServiceObject } from "#kube/kinds.ts";
import { keyOf, refOf } from "#kube/kind.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import { known, KnownError } from "#wire/errors.ts";
import type { Context } from "../../runtime/define-controller.ts";
import { failureEvent } from "../../runtime/events.ts";
import { noKey } from "../../runtime/key.ts";
import { legacyAnnotations } from "../../endpoint/legacy-keys.ts";
import { annotation, fieldOf, readOn } from "../../translate/annotations.ts";
import type { Listen } from "../../translate/service.ts";
import { COMPUTED_URL, leavesAddress, recordUrl, reservationOf, reservedForAnother } from "./plan.ts";

export interface Listening {
  readonly service: ServiceObject;
  readonly url: string;
  /** Where it listened before, at an address of ours: released and forgotten once the endpoints have moved. */
  readonly leaves?: boolean;
}

/** ngrok gave no address; an event has told of it already. */
export interface Unreserved {
  readonly error: unknown;
  /** What is written down on it is another Service's, whose visitors its endpoints must not take. */
  readonly isAnothers?: boolean;
}

/** The URL to listen at, written down on the Service. */
export async function settleListening(
  service: ServiceObject,
  listen: Listen,
  context: Context,
): Promise<Listening | Unreserved> {
  switch (listen.is) {
    case "given":
      // What was written down is all that is known of the address: written over, it would stay reserved for ever.
      if (leavesAddress(annotation(service, "computed-url")?.value ?? "", listen.url))
        return { url: listen.url, service, leaves: true };
      return { url: listen.url, service: await record(service, listen.url, context) };
    case "recorded": {
      // Nobody tells us of changes there: it is looked up once a life, and whenever something else changes.
      const lost = context.unchanged(sentFor(service, listen.url))
        ? undefined
        : await whyNotAt(listen.address, service, context);
      if (lost === undefined) return { url: listen.url, service };
      warn(context, "TCPAddrNotReserved", `${listen.address} ${lost.why}: another address is reserved`);
      if (!lost.isAnothers) return await reserve(await record(service, undefined, context), context);
      // Until there is another it stays written down: the next pass has to know as well whose it is.
      const listening = await reserve(service, context);
      return "error" in listening ? { ...listening, isAnothers: true } : listening;
    }
    case "reserve":
      if (listen.problem !== undefined) {
        const field = fieldOf(annotation(service, "computed-url") ?? { key: COMPUTED_URL });
        warn(context, "FailedToParseComputedURL", `${field}: ${listen.problem}; it is written anew`);
      }
      return await reserve(service, context);
  }
}

/** What a pass has settled and told: where this is another, the address is looked up and legacy keys are told of. */
export function sentFor(service: ServiceObject, url: string): string {
  return [url, ...legacyAnnotations(service, readOn(Service))].join(" ");
}

/** Why it may not listen at the address that is written down on it. */
async function whyNotAt(
  addr: string,
  service: ServiceObject,
  context: Context,
): Promise<{ readonly why: string; readonly isAnothers: boolean } | undefined> {
  const reserved = await portOf(context).addresses.find({ addr }, context.signal);
  if (reserved === undefined) return { why: "is not reserved any more", isAnothers: false };
  const other = reservedForAnother(service, reserved.metadata, (at) => context.cached.get(Service, at));
  return other && { why: `is reserved for ${keyOf(other)}`, isAnothers: true };
}

/** Reserves an address, or finds the one whose reservation was not written down any more. */
async function reserve(service: ServiceObject, context: Context): Promise<Listening | Unreserved> {
  const { claimed, asOf, signal } = context;
  const body = reservationOf(service);
  try {
    const { addresses } = portOf(context);
    const found = claimed === "now" ? [] : await addresses.matching({ metadata: body.metadata, asOf }, signal);
    // Another cluster's Service of the same name has the same words at ngrok.
    const left = found.find((one) => mayBeMadeFor(service.metadata, one));
    if (left === undefined) await context.begin("create");
    const { addr } = left ?? (await addresses.change({ is: "create", body }, signal));
    const url = `tcp://${addr}`;
    return { url, service: await record(service, url, context) };
  } catch (error) {
    signal.throwIfAborted();
    const failure = known(error);
    const said = { reason: "FailedToReserveTCPAddr", note: failure.message, action: "Reconcile" };
    context.event(failureEvent(failure, said));
    return { error };
  }
}

/** Writes the URL down on the Service; undefined takes it away. */
export async function record(
  service: ServiceObject,
  url: string | undefined,
  context: Context,
): Promise<ServiceObject> {
  const operations = recordUrl(service, url);
  if (operations.length === 0) return service;
  const { uid = "" } = service.metadata;
  return await context.writer.patch(Service, refOf(service), uid, operations, context.signal);
}

function portOf({ ngrok, release }: Context): NgrokPort {
  if (ngrok === undefined) throw new KnownError("invalid", noKey(release));
  return ngrok;
}

function warn({ event }: Context, reason: string, note: string): void {
  event({ type: "Warning", reason, note, action: "Reconcile" });
}
