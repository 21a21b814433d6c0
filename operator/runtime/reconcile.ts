// One reconcile, the same for every controller: gate, claim, apply, status, events, and one switch from what came out to
// the queue. The promises of the house are kept here, so that no controller can forget one.
import { isOwnKind } from "#api/define-kind.ts";
import { claimOf, type OwnClaim } from "#api/keys.ts";
import type { Release } from "#api/release.ts";
import { keyOf, type KubeObject, refOf, targetOf } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";
import type { Writer } from "#kube/writer.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import type { Clock } from "#wire/clock.ts";
import type { Dial } from "#wire/dial.ts";
import { isClass, known, KnownError } from "#wire/errors.ts";
import { adoptionWaits } from "./adoption.ts";
import type { Aside } from "./beside.ts";
import { hasSpec, type Store } from "./cache.ts";
import type { CrdCheck } from "./crd-check.ts";
import {
  type Cached,
  claims,
  type Context,
  failed,
  type LeaderController,
  type ObjectEvent,
  type Outcome,
  type Surroundings,
} from "./define-controller.ts";
import type { Gate } from "./gate.ts";
import type { Log } from "./log.ts";
import { digestFor, Memories, type Memory } from "./memories.ts";
import { nextOf } from "./next.ts";
import { note, notes } from "./notes.ts";
import type { Options } from "./options.ts";
import type { Next } from "./queue.ts";
import { isPutOff, nextFields, nextStatus } from "./status.ts";
import { type Begun, Voice } from "./voice.ts";

/** What one reconciler works with. The writing hands belong to one hold of the Lease and end with it. */
export interface ReconcilerParts<T extends KubeObject> {
  readonly controller: LeaderController<T>;
  readonly store: Store<T>;
  readonly cached: Cached;
  readonly gate: Gate;
  readonly reader: Reader;
  readonly writer: Writer;
  readonly ngrok: NgrokPort | undefined;
  readonly clock: Clock;
  readonly release: Release;
  readonly clusterWide: boolean;
  readonly options: Options;
  readonly crds: CrdCheck;
  /** When the Lease was taken, on `clock`: whatever an earlier process made at ngrok was made before. */
  readonly heldSince: number;
  /** Aborts when the Lease is lost: calls in flight end. */
  readonly signal: AbortSignal;
  /** Nothing is begun any more; what has begun may end. */
  stopping(): boolean;
  readonly log: Log;
  /** Server-side apply of our part of the status; returns the object as stored. */
  writeStatus(object: T, status: object, signal: AbortSignal): Promise<T>;
  event(object: T, event: ObjectEvent): void;
  readonly dial: Dial;
  beside<R>(object: T, aside: Aside<R>): R | undefined;
  /** Another release has stamped the object; says when to look again. */
  stranger(object: T, owner: string): Promise<Next>;
  /** A whole kind is going, or may be: its objects are not cleaned up. Told once a hold. */
  held(kind: LeaderController<T>["kind"], why: string, terminating: boolean): void;
}

/** A kind whose CRD goes, or cannot be read, is looked at again after this long. */
const HELD_AGAIN_MS = 10_000;

export class Reconciler<T extends KubeObject> {
  readonly #parts: ReconcilerParts<T>;
  readonly #claim: OwnClaim;
  readonly #around: Surroundings;
  readonly #voice: Voice<T>;
  readonly #memories: Memories;

  constructor(parts: ReconcilerParts<T>) {
    this.#parts = parts;
    this.#memories = new Memories(parts.clock);
    this.#voice = new Voice({
      kind: parts.controller.kind,
      log: parts.log,
      clock: parts.clock,
      event: (object, event) => parts.event(object, event),
    });
    this.#claim = parts.controller.claim?.(parts.release) ?? claimOf(parts.release);
    const { release, clusterWide, options, cached } = parts;
    this.#around = { release, clusterWide, options, cached };
  }

  /** Never throws but for the loss of the Lease. */
  async work(key: string): Promise<Next> {
    const { controller, store, gate, signal } = this.#parts;
    const object = store.at(key);
    if (signal.aborted || this.#parts.stopping()) return { is: "done" };
    if (object === undefined) return await this.#make(key);
    if (controller.serves?.(object, this.#around) === false) return { is: "done" };
    const stamp = object.metadata.annotations?.[this.#claim.stamp];
    if (!gate.open) return { is: "done" };
    if (stamp !== undefined && stamp !== this.#claim.owner) return await this.#parts.stranger(object, stamp);
    // Nothing is wanted by an object without a spec, and nothing was made for it.
    if (!hasSpec(object)) return await this.#letGo(object);
    if (object.metadata.deletionTimestamp !== undefined) return await this.#cleanUp(object);
    const isHeld = this.#isHeld(object);
    const isClaimed = claims(controller, object, this.#around);
    if (controller.letsGo === true && isHeld && !isClaimed) return await this.#cleanUp(object);
    const metForMs = this.#parts.clock.now() - this.#memories.of(object).metAt;
    const ms = isHeld || !isClaimed ? undefined : adoptionWaits(object, this.#around, metForMs);
    return ms === undefined ? await this.#apply(object) : { is: "later", ms };
  }

  /** An object is gone: nothing about it is worth keeping. */
  forget(uid: string | undefined): void {
    this.#memories.forget(uid);
    this.#voice.forget(uid);
  }

  /** The next reconcile of the object reads the remote side again. */
  distrust(key: string): void {
    this.#memories.distrust(this.#parts.store.at(key)?.metadata.uid);
  }

  /** The object that has to exist; its own watch event, or the answer of the creation, brings it back here. */
  async #make(key: string): Promise<Next> {
    const { controller, writer, release, options, store, gate, signal } = this.#parts;
    const { makes, kind } = controller;
    if (makes === undefined || key !== keyOf(makes.at(release)) || !gate.open) return { is: "done" };
    const object = makes.object(release, options);
    if (object === undefined) return { is: "done" };
    try {
      store.put(await writer.create(kind, object, signal));
      this.#voice.made(key);
      return { is: "later", ms: 0 };
    } catch (error) {
      if (isClass(error, "conflict")) return { is: "done" };
      this.#voice.makeFailed(key, known(error));
      return { is: "retry", error: known(error) };
    }
  }

  async #apply(object: T): Promise<Next> {
    let current = object;
    let begun: Begun | undefined;
    let isStale = false;
    const { controller, reader, signal } = this.#parts;
    const memory = this.#memories.of(object);
    try {
      const { object: claimed, claimed: when } = await this.#ensureClaim(object);
      current = claimed;
      const isNoted = when === "now" || (await notes(controller, claimed, memory, { reader, signal }));
      memory.claimedHere ||= when === "now" || !isNoted;
      const context = this.#context(current, memory, async (action) => {
        if (action === "create" && when === "before" && !(await this.#stillHeld(current))) {
          isStale = true;
          throw new KnownError("gone", `${keyOf(refOf(current))} is not what it was`, { code: "Stale" });
        }
        if (action === "create" && !isNoted) await this.#show(current, note());
        begun = action;
        memory.begunAt = this.#parts.clock.now();
        this.#voice.begins(current, action);
      });
      const outcome = await this.#outcome(current, context);
      // The watch brings what there is instead.
      if (isStale) return { is: "done" };
      if (begun !== undefined) memory.begunAt = this.#parts.clock.now();
      memory.sent = outcome.sent === undefined ? "" : digestFor(this.#parts.controller.kind, current, outcome.sent);
      this.#voice.ended(current, outcome, begun);
      if (begun !== undefined || !isPutOff(current, outcome)) await this.#show(current, outcome);
      if (outcome.is === "done") this.#voice.forget(current.metadata.uid);
      return nextOf(outcome);
    } catch (error) {
      // Only claim and status come here: the API server's word, not ngrok's.
      memory.sent = "";
      if (isClass(error, "gone")) return { is: "done" };
      if (!isClass(error, "conflict")) this.#voice.claimFailed(current, known(error));
      return { is: "retry", error: known(error) };
    }
  }

  async #outcome(current: T, context: Context): Promise<Outcome<T>> {
    try {
      return await this.#parts.controller.apply(current, context);
    } catch (error) {
      if (this.#parts.signal.aborted) throw error;
      return failed(error);
    }
  }

  /**
   * Whether the object stands with our claim, past the watch: another writer, a drain that was cancelled, may have freed or
   * deleted it, and what is made at ngrok for nobody is never deleted.
   */
  async #stillHeld(object: T): Promise<boolean> {
    const { controller, reader, store, signal } = this.#parts;
    const latest = await reader.get(controller.kind, refOf(object), signal);
    if (latest === undefined || latest.metadata.uid !== object.metadata.uid) return false;
    store.put(latest);
    if (latest.metadata.deletionTimestamp !== undefined) return false;
    return !claims(controller, latest, this.#around) || this.#isHeld(latest);
  }

  async #ensureClaim(object: T): Promise<{ object: T; claimed: "now" | "before" }> {
    const { controller, writer, store, signal } = this.#parts;
    const { annotations } = object.metadata;
    const had = this.#isHeld(object);
    if (!claims(controller, object, this.#around)) {
      if (had) await writer.removeFinalizer(targetOf(this.#parts.controller.kind, object), this.#claim, "off", signal);
      return { object, claimed: "before" };
    }
    if (had && annotations?.[this.#claim.stamp] === this.#claim.owner) return { object, claimed: "before" };
    const after = await writer.addFinalizer(controller.kind, object, this.#claim, signal);
    store.put(after);
    return { object: after, claimed: had ? "before" : "now" };
  }

  #context(object: T, memory: Memory, begin: Context["begin"]): Context {
    const { signal, reader, writer, ngrok, clock, heldSince } = this.#parts;
    return {
      ...this.#around,
      signal,
      reader,
      writer,
      ngrok,
      clock,
      claimed: memory.claimedHere && memory.begunAt === undefined ? "now" : "before",
      metAt: memory.metAt,
      asOf: Math.max(heldSince, memory.begunAt ?? heldSince),
      unchanged: (sent) => memory.sent === digestFor(this.#parts.controller.kind, object, sent),
      begin,
      event: (event) => this.#parts.event(object, event),
      dial: this.#parts.dial,
      beside: (aside) => this.#parts.beside(object, aside),
    };
  }

  async #show(object: T, outcome: Outcome<T>): Promise<void> {
    const { controller, clock, signal, store } = this.#parts;
    const at = `${clock.date().toISOString().slice(0, 19)}Z`;
    const status =
      outcome.shown === undefined
        ? nextFields(object, outcome.status)
        : nextStatus(object, outcome.shown, at, controller.leaves);
    if (status === undefined) return;
    try {
      store.put(await this.#parts.writeStatus(object, status, signal));
    } catch (error) {
      if (!isClass(error, "gone", "conflict")) this.#voice.statusFailed(object, known(error));
      throw error;
    }
  }

  async #letGo(object: T): Promise<Next> {
    const { controller, writer, signal } = this.#parts;
    if (object.metadata.deletionTimestamp === undefined) {
      if (isOwnKind(controller.kind) && this.#memories.isNewWithoutSpec(object)) this.#voice.lacksSpec(object);
      return { is: "done" };
    }
    if (controller.cleanup === undefined) return { is: "done" };
    await writer.removeFinalizer(targetOf(controller.kind, object), this.#claim, "off", signal);
    return { is: "done" };
  }

  /** Only this object is to go, not its kind, and not because of a drain: then what we made for it goes, then the claim. */
  async #cleanUp(object: T): Promise<Next> {
    const { controller, reader: read, writer: write, ngrok, release, cached, clusterWide, signal } = this.#parts;
    if (!this.#isHeld(object) || controller.cleanup === undefined) return { is: "done" };
    if (!(await this.#kindStays())) return { is: "later", ms: HELD_AGAIN_MS };
    // Read again: the state may have been marked while the CRD was looked at.
    if (!this.#parts.gate.open || signal.aborted || this.#parts.stopping()) return { is: "done" };
    if (isOwnKind(controller.kind)) this.#voice.deletes(object);
    try {
      const undone = await controller.cleanup(object, { read, write, ngrok, cached, clusterWide }, release, signal);
      if (object.metadata.deletionTimestamp === undefined)
        await this.#show(object, { is: "done", ...controller.takesBack?.(object) });
      await write.removeFinalizer(targetOf(controller.kind, object), this.#claim, "off", signal);
      if (isOwnKind(controller.kind)) this.#voice.deleted(object, undone);
      return { is: "done" };
    } catch (error) {
      if (signal.aborted) return { is: "done" };
      this.#voice.deleteFailed(object, known(error));
      return { is: "retry", error: known(error) };
    }
  }

  /** A user's kind has no CRD, or one whose end ends nothing of ours. */
  async #kindStays(): Promise<boolean> {
    const { controller, crds, signal } = this.#parts;
    if (!isOwnKind(controller.kind)) return true;
    const standing = await crds.standing(controller.kind, signal);
    if (standing.is === "there") return true;
    this.#parts.held(controller.kind, standing.why, standing.is === "terminating");
    return false;
  }

  #isHeld({ metadata }: KubeObject): boolean {
    return metadata.finalizers?.some((one) => this.#claim.finalizers.includes(one)) ?? false;
  }
}
