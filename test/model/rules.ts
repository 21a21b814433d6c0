// What must hold in every interleaving, watched write by write: one writer, no remote deletion under Retain, no finalizer
// without its remote object gone under Delete, none added after the drain, one policy under one mark. The cleanup writes
// without the Lease: when nobody is left to rival it, under the policy that it was given, and it makes nothing.
import { claimOf, FINALIZERS } from "#api/keys.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { ownKinds } from "#api/own-kinds.ts";
import type { Release } from "#api/release.ts";
import { namesOf } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import { type DrainState, parseState } from "#drain/state.ts";
import { ConfigMap, Ingress, Lease, Pod, Service } from "#kube/kinds.ts";
import type { ApiServer, Change, Stored } from "./api-server.ts";
import type { Line, Sent } from "./network.ts";
import type { Ngrok } from "./ngrok.ts";
import type { Time } from "./time.ts";

/** A policy that was relaxed reaches who drives with the next renewal of its Lease, or that one gives up. */
const HEARD_WITHIN_MS = 15_000;

interface Marked {
  /** The hold of the Lease that was the last one when it was made. */
  readonly hold: number;
  readonly at: number;
  readonly first: DrainPolicy;
  retainSince: number | undefined;
}

export class Rules {
  readonly broken: string[] = [];
  /** Remote ids of objects that a person deleted by themselves. */
  readonly deletedByHand = new Set<string>();
  /** Remote ids of objects that went with their kind. */
  readonly wentWithKind = new Set<string>();
  /** Instants at which a cancel was promised; no leader may mark on after it, unless asked again. */
  cancelledAt: number | undefined;
  state: DrainState = { phase: "Open", explicit: false };
  sent: Sent | undefined;
  #mark: Marked | undefined;
  #drained = false;
  readonly #holds: Line[] = [];
  /** Pods of the operator: each of them may write, to its end. */
  readonly #operatorPods = new Set<string>();
  /** What the values said to each cleanup. */
  readonly #cleanups = new Map<Line, DrainPolicy>();
  /** Who has read that this drain is one under Retain, and when. */
  readonly #heardRetain = new Map<Line, number>();
  #lastWriter = 0;
  readonly #time: Time;
  readonly #ngrok: Ngrok;
  readonly #release: Release;

  constructor(time: Time, ngrok: Ngrok, release: Release) {
    this.#time = time;
    this.#ngrok = ngrok;
    this.#release = release;
  }

  /** 0 for who never held the Lease. */
  holdOf(line: Line): number {
    return this.#holds.lastIndexOf(line) + 1;
  }

  /** Fed with each cleanup hook as it starts. */
  cleansUp(line: Line, policy: DrainPolicy): void {
    this.#cleanups.set(line, policy);
  }

  /** Fed with every answer that reaches a process: whoever has read Retain may not forget it, whatever he reads next. */
  heard(line: Line, answer: unknown): void {
    const object = answer as Partial<Stored> | undefined;
    if (object?.metadata?.name !== namesOf(this.#release).drainState || isOpened(this.state)) return;
    const said = parseState(object as Stored);
    if ("policy" in said && said.policy === "Retain" && !this.#heardRetain.has(line))
      this.#heardRetain.set(line, this.#time.now);
  }

  /** Fed with everything that the API server stores. */
  changed(change: Change): void {
    const { kind, before, after } = change;
    if (kind === Pod && isOperators(after ?? before)) this.#podChanged(before, after);
    if (kind === Lease) this.#leaseChanged(before, after);
    if (kind === ConfigMap && (after ?? before)?.metadata.name === namesOf(this.#release).drainState)
      this.#stateChanged(after);
    const { sent } = this;
    if (sent?.fenced === true) this.#writes(sent);
    if (sent?.from.role === "cleanup") this.#cleaned(change, sent);
    if (holds(after) && !holds(before)) this.#claimed(after);
    if (holds(before) && !holds(after)) this.#freed(before);
  }

  /** Fed with each domain that is reserved, and the Domain that wants it. */
  reserved(host: string, wanted: Stored | undefined): void {
    const { sent } = this;
    if (sent === undefined) return;
    this.#writes(sent);
    if (sent.from.role === "cleanup") this.#break(`${sent.from.process.name} reserved ${host}, and may only give back`);
    if (!holds(wanted)) this.#break(`${sent.from.process.name} reserved ${host}, and nothing in the cluster holds it`);
  }

  /** Fed with each DELETE that ngrok accepts. */
  deletedRemotely(collection: string, id: string): void {
    const { sent } = this;
    if (sent === undefined) return;
    this.#writes(sent);
    if (collection === "kubernetes_operators") return;
    if (this.#cleanups.get(sent.from) === "Retain")
      this.#break(`${sent.from.process.name} deleted ${id} at ngrok, and its values say Retain (F8)`);
    if (this.#forgetsRetain(sent) && !this.deletedByHand.has(id))
      this.#break(`${sent.from.process.name} had read that this drain keeps, and deleted ${id} at ngrok (F8)`);
    const mark = this.#mark;
    if (mark === undefined) {
      if (sent.from.role === "leader" && this.wentWithKind.has(id))
        this.#break(`${sent.from.process.name} deleted ${id} at ngrok because its whole kind was going (F1)`);
      return;
    }
    if (mark.retainSince === undefined) return;
    const byHand = this.deletedByHand.has(id) && sent.hold <= mark.hold && sent.from.role === "leader";
    const heard = mark.retainSince === mark.at ? 0 : HEARD_WITHIN_MS;
    if (!byHand && sent.sentAt > mark.retainSince + heard)
      this.#break(`${sent.from.process.name} deleted ${id} at ngrok under Retain (F8)`);
  }

  /** What a run that says success must have left behind. */
  uninstalled(server: ApiServer): void {
    for (const kind of [...ownKinds, Ingress, Service]) {
      for (const object of server.all(kind)) {
        if (holds(object)) this.#break(`uninstalled, but ${kind.kind} ${object.metadata.name} is still held (F2)`);
      }
    }
    if (server.get(KubernetesOperator, this.#release.name, this.#release.namespace) !== undefined)
      this.#break("uninstalled, but the KubernetesOperator is still there");
  }

  #podChanged(before: Stored | undefined, after: Stored | undefined): void {
    if (after !== undefined) this.#operatorPods.add(after.metadata.name);
    else if (before !== undefined) this.#operatorPods.delete(before.metadata.name);
  }

  #leaseChanged(before: Stored | undefined, after: Stored | undefined): void {
    const { sent } = this;
    const holder = after?.spec?.["holderIdentity"];
    const taken =
      holder !== undefined &&
      holder !== "" &&
      (before?.spec?.["holderIdentity"] !== holder || before.spec["acquireTime"] !== after?.spec?.["acquireTime"]);
    if (taken && sent !== undefined) this.#holds.push(sent.from);
  }

  #stateChanged(after: Stored | undefined): void {
    const before = this.state;
    const state = parseState(after);
    this.state = state;
    if (isOpened(state)) this.#heardRetain.clear();
    if ("policy" in state && state.policy === "Delete" && this.#forgetsRetain(this.sent))
      this.#break(`${this.sent?.from.process.name} had read that this drain keeps, and marked Delete (F8)`);
    if (state.phase === "Open") {
      // An explicit Open ends the mark; a wiped one is written back, or a new beginning.
      this.#mark = undefined;
      this.#drained = false;
      return;
    }
    if (state.phase === "Unknown") return;
    if (before.phase !== "Drained" && state.phase === "Drained") this.#drained = true;
    if (state.phase === "Draining") this.#drained = false;
    if (this.#mark === undefined) {
      const at = this.#time.now;
      const first = state.policy;
      this.#mark = { hold: this.#holds.length, at, first, retainSince: first === "Retain" ? at : undefined };
      if (this.cancelledAt !== undefined && state.driver === "leader")
        this.#break("the drain was cancelled, and the leader marked it again (F7)");
      return;
    }
    if (state.policy === "Delete" && this.#mark.retainSince !== undefined)
      this.#break("the mark went back from Retain to Delete (F8)");
    if (state.policy === "Retain") this.#mark.retainSince ??= this.#time.now;
  }

  #writes({ from, what, hold }: Sent): void {
    if (this.#cleanups.has(from)) {
      const [rival] = this.#operatorPods;
      if (rival !== undefined) this.#break(`${from.process.name} wrote, and ${rival} may write as well: ${what} (F12)`);
      return;
    }
    if (hold === 0) this.#break(`${from.process.name} never held the Lease, and wrote: ${what}`);
    else if (hold < this.#lastWriter)
      this.#break(`${from.process.name} wrote as holder ${hold} after holder ${this.#lastWriter}: ${what} (F12)`);
    this.#lastWriter = Math.max(this.#lastWriter, hold);
  }

  /** It frees and deletes. What it makes is the report; Lease and drain state it can take away, and not take. */
  #cleaned({ kind, before, after }: Change, { from: { process }, what }: Sent): void {
    const { drainState, report } = namesOf(this.#release);
    const { name = "" } = (after ?? before)?.metadata ?? {};
    const made = before === undefined && !(kind === ConfigMap && name.startsWith(report));
    const taken = after !== undefined && (kind === Lease || (kind === ConfigMap && name === drainState));
    if (made || taken || (holds(after) && !holds(before)))
      this.#break(`${process.name} may only free and delete, and wrote: ${what}`);
  }

  #claimed(object: Stored | undefined): void {
    const { sent } = this;
    if (sent === undefined) return;
    if (this.#drained)
      this.#break(`${sent.from.process.name} put our finalizer on ${object?.metadata.name} after the drain (F4)`);
    else if (this.#mark !== undefined && sent.hold > this.#mark.hold)
      this.#break(`${sent.from.process.name} put our finalizer on ${object?.metadata.name} during the drain (F4)`);
  }

  #freed(object: Stored | undefined): void {
    const { sent } = this;
    const mark = this.#mark;
    const id = object?.status?.["id"];
    if (sent === undefined || mark === undefined || mark.retainSince !== undefined) return;
    if (this.#heardRetain.has(sent.from)) return;
    // Retain wins, and values can say it after a drain under Delete that was killed.
    if (this.#cleanups.get(sent.from) === "Retain") return;
    if (object?.kind === KubernetesOperator.kind || typeof id !== "string") return;
    if (this.#ngrok.has(id))
      this.#break(`${sent.from.process.name} freed ${object?.metadata.name} under Delete, and ${id} is still at ngrok`);
  }

  #forgetsRetain(sent: Sent | undefined): boolean {
    return sent !== undefined && sent.sentAt > (this.#heardRetain.get(sent.from) ?? Infinity);
  }

  #break(sentence: string): void {
    this.broken.push(`${(this.#time.now / 1000).toFixed(3)}s ${sentence}`);
  }
}

function isOpened(state: DrainState): boolean {
  return state.phase === "Open" && state.explicit;
}

function holds(object: Stored | undefined): boolean {
  return object?.metadata.finalizers?.some((one) => FINALIZERS.includes(one)) ?? false;
}

function isOperators(pod: Stored | undefined): boolean {
  return pod?.metadata.labels?.["app.kubernetes.io/component"] === "controller";
}

/** Finalizer and stamp, as the operator writes them. */
export function claimed(release: Release): Pick<Stored["metadata"], "finalizers" | "annotations"> {
  const { finalizer, stamp, owner } = claimOf(release);
  return { finalizers: [finalizer], annotations: { [stamp]: owner } };
}
