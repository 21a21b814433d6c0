// Objects that another release has stamped: they are left alone, and people are told where nobody else serves them, with
// what to type to hand them over. Nothing is taken over silently, and nothing is ignored silently.
import { isOwnKind, type OwnObject } from "#api/define-kind.ts";
import { DRAIN_OWNER } from "#api/keys.ts";
import type { Release } from "#api/release.ts";
import { ownerOf } from "#api/release.ts";
import { otherInstalls } from "#drain/inventory.ts";
import { keyOf, type Kind, refOf } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";
import type { Clock } from "#wire/clock.ts";
import type { ObjectEvent } from "./define-controller.ts";
import type { Log } from "./log.ts";
import type { Next } from "./queue.ts";

/** How long a living owner may take to say something on an object before we say that it does not. */
const SERVES_WITHIN_MS = 30_000;
/** An owner may be uninstalled meanwhile: no watch of ours tells it. */
const LOOK_AGAIN_MS = 600_000;
/** The list of installs is this old at most. */
const INSTALLS_MS = 15_000;

export interface StrangersParts {
  readonly reader: Reader;
  readonly release: Release;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** False when there was no room for the event. */
type Tell = (event: ObjectEvent) => boolean;

/** here: its KubernetesOperator is there. gone: it is not. unknown: it cannot be seen from here. */
type Seat = "here" | "gone" | "unknown";

/** One for all controllers of a term: each thing is said once. */
export class Strangers {
  readonly #parts: StrangersParts;
  readonly #metAt = new Map<string, number>();
  /** By uid: of which owner in which seat an event has told. An event for each look would be a write for each. */
  readonly #told = new Map<string, string>();
  readonly #logged = new Set<string>();
  #installs: { readonly at: number; readonly owners: Promise<ReadonlySet<string> | undefined> } | undefined;

  constructor(parts: StrangersParts) {
    this.#parts = parts;
  }

  /** Called for an object in our scope that `owner` has stamped; says when to look again. */
  async met(kind: Kind, object: OwnObject, owner: string, tell: Tell): Promise<Next> {
    const seat = await this.#seatOf(owner);
    const again: Next = { is: "later", ms: LOOK_AGAIN_MS };
    if (seat === "here") {
      if (isServed(object)) {
        this.forget(object.metadata.uid);
        this.#leaves(kind, object, owner);
        return again;
      }
      const waited = this.#waitedFor(object);
      if (waited < SERVES_WITHIN_MS) return { is: "later", ms: SERVES_WITHIN_MS - waited };
    }
    this.#tells(kind, object, owner, seat, tell);
    this.#warns(kind, object, owner, seat);
    return again;
  }

  /** An object is gone, or served: how long it was not, and what was told of that, is of no interest any more. */
  forget(uid = ""): void {
    this.#metAt.delete(uid);
    this.#told.delete(uid);
  }

  async #seatOf(owner: string): Promise<Seat> {
    const { reader, release, clock, signal } = this.#parts;
    if (this.#installs === undefined || clock.now() - this.#installs.at > INSTALLS_MS) {
      const owners = otherInstalls(reader, release, signal).then(
        (all) => new Set(all.map((one) => one.owner)),
        () => undefined,
      );
      this.#installs = { at: clock.now(), owners };
    }
    const owners = await this.#installs.owners;
    if (owners === undefined) return "unknown";
    return owners.has(owner) ? "here" : "gone";
  }

  #tells(kind: Kind, object: OwnObject, owner: string, seat: Seat, tell: Tell): void {
    const { uid = "" } = object.metadata;
    const what = `${owner} ${seat}`;
    if (this.#told.get(uid) === what) return;
    const note = this.#note(kind, object, owner, seat);
    const isTold = tell({ type: "Warning", reason: "OwnedByAnotherRelease", note, action: "Reconcile" });
    if (isTold) this.#told.set(uid, what);
  }

  #waitedFor({ metadata: { uid = "" } }: OwnObject): number {
    const now = this.#parts.clock.now();
    const since = this.#metAt.get(uid) ?? now;
    this.#metAt.set(uid, since);
    return now - since;
  }

  #note(kind: Kind, object: OwnObject, owner: string, seat: Seat): string {
    const us = ownerOf(this.#parts.release);
    return `Left alone: it belongs to release ${owner}, ${WHY[seat]}. To hand it over to ${us}: ${handOver(kind, object)}`;
  }

  /** A living neighbour's objects are in order; said once, so that nobody wonders. */
  #leaves(kind: Kind, object: OwnObject, owner: string): void {
    if (!this.#isFirst(`leaves ${owner}`)) return;
    const first = `${kind.kind} ${keyOf(refOf(object))}`;
    this.#parts.log.info({ owner, first }, "objects in our scope are served by another release and left to it");
  }

  #warns(kind: Kind, object: OwnObject, owner: string, seat: Seat): void {
    const { namespace, name } = object.metadata;
    if (!this.#isFirst(`warns ${owner} ${namespace}`)) return;
    const what = { owner, namespace, first: `${kind.kind} ${name}` };
    // With the owner gone everything of the namespace may be handed over at once; a living one would take it back.
    const command =
      seat === "gone" && isOwnKind(kind)
        ? `kubectl -n ${namespace} annotate domains,ippolicies,cloudendpoints,agentendpoints --all ${DRAIN_OWNER}-`
        : handOver(kind, object);
    this.#parts.log.warn(
      { ...what, handOver: command },
      `objects are left alone: they belong to release ${owner}, ${WHY[seat]}`,
    );
  }

  #isFirst(what: string): boolean {
    if (this.#logged.has(what)) return false;
    this.#logged.add(what);
    return true;
  }
}

const WHY: Readonly<Record<Seat, string>> = {
  here: "which is installed but does not serve it",
  gone: "which is not installed any more",
  unknown: "and whether that is installed cannot be seen from here",
};

/** What to type, so that the next reconcile of the object finds nobody's stamp. */
function handOver(kind: Kind, { metadata: { namespace, name } }: OwnObject): string {
  const place = kind.namespaced ? ` -n ${namespace}` : "";
  return `kubectl${place} annotate ${kind.plural} ${name} ${DRAIN_OWNER}-`;
}

/** Some install has said something about it. */
function isServed({ status }: OwnObject): boolean {
  return (status?.conditions?.length ?? 0) > 0;
}
