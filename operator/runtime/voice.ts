// What a reconcile says about an object, to people: events in the words that releases so far have used, and log lines with
// the object's key.
import { isOwnKind, type OwnKind } from "#api/define-kind.ts";
import type { Undone } from "#drain/hands.ts";
import { keyOf, type Kind, type KubeObject, refOf } from "#kube/kind.ts";
import type { Clock } from "#wire/clock.ts";
import { type KnownError, known } from "#wire/errors.ts";
import type { ObjectEvent, Outcome } from "./define-controller.ts";
import { failureEvent } from "./events.ts";
import type { Log } from "./log.ts";
import { type Facts, News } from "./news.ts";

export type Begun = "create" | "update";

export interface VoiceParts<T extends KubeObject> {
  readonly kind: Kind;
  readonly log: Log;
  readonly clock: Clock;
  readonly event: (object: T, event: ObjectEvent) => void;
}

export class Voice<T extends KubeObject> {
  readonly #parts: VoiceParts<T>;
  readonly #news: News;

  constructor(parts: VoiceParts<T>) {
    this.#parts = parts;
    this.#news = new News(parts.log, parts.clock);
  }

  /** An object is in order again, or gone: whatever is said of it next is news. */
  forget(uid = ""): void {
    this.#news.forget(uid);
  }

  /** A user's object is neither made nor changed by us, whatever is made for it. */
  begins(object: T, action: Begun): void {
    if (!isOwnKind(this.#parts.kind)) return;
    const word = action === "create" ? "Creating" : "Updating";
    this.#normal(object, word, `${word} ${this.#name(object)}`, capital(action));
  }

  /** How an apply ended, for whoever looks at the object or the log. */
  ended(object: T, outcome: Outcome<T>, begun: Begun | undefined): void {
    const { kind } = this.#parts;
    if (isOwnKind(kind)) this.#tellEnd(kind, object, outcome, begun);
    this.#log(object, outcome);
  }

  #tellEnd(kind: OwnKind, object: T, outcome: Outcome<T>, begun: Begun | undefined): void {
    if (outcome.is === "failed") {
      const action = begun ?? (isKnown(kind, object) ? "update" : "create");
      const verb = action === "create" ? "Failed to Create" : "Failed to update";
      const reason = action === "create" ? "CreateError" : "UpdateError";
      this.#failure(object, reason, `${verb} ${this.#name(object)}`, capital(action), known(outcome.error));
    } else if (begun !== undefined) {
      const word = begun === "create" ? "Created" : "Updated";
      this.#parts.log.info({ object: this.#key(object) }, word.toLowerCase());
      this.#normal(object, word, `${word} ${this.#name(object)}`, capital(begun));
    }
  }

  lacksSpec(object: T): void {
    const { plural } = this.#parts.kind;
    const note = `spec is missing, so nothing is done for the object: write it (kubectl explain ${plural}.spec shows its fields) or delete the object`;
    this.#parts.log.warn({ object: this.#key(object) }, note);
    this.#parts.event(object, { type: "Warning", reason: "ConfigError", note, action: "Reconcile" });
  }

  claimFailed(object: T, error: KnownError): void {
    this.#warn(object, facts(error), "cannot write the object");
  }

  statusFailed(object: T, error: KnownError): void {
    this.#failure(object, "StatusError", `Failed to write the status of ${this.#name(object)}`, "UpdateStatus", error);
  }

  made(key: string): void {
    this.#news.forget(key);
    this.#parts.log.info({ object: `${this.#parts.kind.kind} ${key}` }, "made");
  }

  makeFailed(key: string, error: KnownError): void {
    this.#news.warn(key, { object: `${this.#parts.kind.kind} ${key}`, ...facts(error) }, "cannot make the object");
  }

  deletes(object: T): void {
    this.#normal(object, "Deleting", `Deleting ${this.#name(object)}`, "Delete");
  }

  deleted(object: T, undone: Undone): void {
    const { remote } = undone;
    const kept = remote === "kept" ? { why: undone.why } : {};
    this.#parts.log.info({ object: this.#key(object), remote, ...kept }, "deleted");
    const note = `Deleted ${this.#name(object)}${remote === "kept" ? `; ${undone.id ?? "what"} stays at ngrok: ${undone.why}` : ""}`;
    this.#normal(object, "Deleted", note, "Delete");
  }

  deleteFailed(object: T, error: KnownError): void {
    this.#warn(object, facts(error), "cannot delete");
    if (error.class === "conflict") return;
    this.#failure(object, "DeleteError", `Failed to delete ${this.#name(object)}`, "Delete", error);
  }

  #log(object: T, outcome: Outcome<T>): void {
    switch (outcome.is) {
      case "done":
        return;
      case "wait":
        this.#parts.log.debug({ object: this.#key(object), reason: outcome.reason, ms: outcome.ms }, "waits");
        return;
      case "stop": {
        const { reason, hint } = outcome;
        this.#warn(object, { reason, hint }, "cannot go on until somebody changes something");
        return;
      }
      case "failed":
        this.#warn(object, facts(known(outcome.error)), "failed");
    }
  }

  #warn(object: T, what: Facts, msg: string): void {
    this.#news.warn(object.metadata.uid ?? "", { object: this.#key(object), ...what }, msg);
  }

  #normal(object: T, reason: string, note: string, action: string): void {
    this.#parts.event(object, { type: "Normal", reason, note, action });
  }

  #failure(object: T, reason: string, what: string, action: string, error: KnownError): void {
    this.#parts.event(object, failureEvent(error, { reason, note: `${what}: ${error.message}`, action }));
  }

  /** `CloudEndpoint shop/web`, as logs name an object. */
  #key(object: T): string {
    return `${this.#parts.kind.kind} ${keyOf(refOf(object))}`;
  }

  /** `CloudEndpoint/web`, as events name one. */
  #name(object: T): string {
    return `${this.#parts.kind.kind}/${object.metadata.name}`;
  }
}

/** Whether it has been created already. A kind whose status shows no id is never created at ngrok, only kept up to date. */
function isKnown(kind: OwnKind, { status }: KubeObject & { readonly status?: { readonly id?: string } }): boolean {
  return kind.status.properties?.["id"] === undefined || status?.id !== undefined;
}

function facts(error: KnownError): Facts {
  const { message, code, hint, retryAfterMs } = error;
  return { err: message, code, class: error.class, hint, retryAfterMs };
}

function capital(action: Begun): string {
  return action === "create" ? "Create" : "Update";
}
