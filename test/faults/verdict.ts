// What must hold whatever happened, each as a function from what was written down to what is wrong. The API server's audit
// log and the stand-in's ledger are the witnesses; the operator's own words count only where it has to name something.
import { attempts, finalizerRemovals, podOf, said, writes, type AuditEvent } from "#test/support/audit.ts";
import type { Entry } from "#test/support/ngrok-api/ledger.ts";

/** What one case has left in writing. */
export interface Evidence {
  /** Since the install began. */
  readonly events: readonly AuditEvent[];
  /** The stand-in's requests since then. */
  readonly ledger: readonly Entry[];
  /** Ids at ngrok (registrations not) just before the first `helm uninstall`, and at the end. */
  readonly remoteBefore: readonly string[];
  readonly remoteAfter: readonly string[];
  /** Every line, of hooks and report, that names an object which is kept at ngrok or left alone. */
  readonly kept: string;
  /** Milliseconds since 1970: just before the first `helm uninstall`. */
  readonly began: number;
  /** Name of the Lease that is the write token. */
  readonly lease: string;
}

const OUR_GROUP = /(^|\.)k8s\.ngrok\.com$/;
const REPLICAS = /^system:serviceaccount:[^:]+:[^:]+-(agent|bindings-forwarder)$/;
/** The cluster's own controllers, which collect garbage, are accounts of kube-system. */
const PODS_OF_A_RELEASE = /^system:serviceaccount:(?!kube-system:)/;

/** Under Retain nothing goes at ngrok but the registration, unless a person deleted just that object before the mark. */
export function lostUnderRetain(evidence: Evidence): string[] {
  const { ledger, remoteBefore, remoteAfter, began } = evidence;
  const asked = askedForByPeople(evidence);
  const gone = new Set(remoteBefore.filter((id) => !remoteAfter.includes(id)));
  for (const entry of ledger) {
    const matters = !/^\/(kubernetes_operators|ip_policy_rules)\//.test(entry.path);
    if (entry.method === "DELETE" && entry.changed && matters && wallTime(entry) > began) gone.add(idOf(entry));
  }
  return [...gone].filter((id) => !asked.has(id)).map((id) => `${id} was lost at ngrok under Retain`);
}

/** Under Delete a finalizer goes after ngrok has said 2xx or 404 for the recorded id, or the object is named as kept. */
export function strippedUnderDelete({ events, ledger, kept, began }: Evidence): string[] {
  const ids = recordedIds(events);
  return finalizerRemovals(events).flatMap((removal) => {
    const at = Date.parse(removal.stageTimestamp);
    if (at < began || !OUR_GROUP.test(removal.objectRef?.apiGroup ?? "")) return [];
    const name = `${removal.objectRef?.namespace ?? ""}/${removal.objectRef?.name ?? ""}`;
    // A namesake that a later install has made has an id of its own, which is none of this one's.
    const recorded = [...(ids.get(keyOf(removal)) ?? [])].filter(([, since]) => since <= at).map(([id]) => id);
    const unanswered = recorded.filter(
      (id) => !ledger.some((entry) => isGone(entry, id) && wallTime(entry) + entry.ms <= at) && !kept.includes(id),
    );
    return kept.includes(name) ? [] : unanswered.map((id) => `${said(removal)}: ngrok never said that ${id} is gone`);
  });
}

/** Who has lost the Lease to another writes nothing any more. */
export function writesAfterFence({ events, lease }: Evidence): string[] {
  const former = new Set<string>();
  const late: string[] = [];
  let holder: string | undefined;
  for (const event of inOrder(writes(events))) {
    const pod = podOf(event);
    const taker =
      event.objectRef?.resource === "leases" && event.objectRef.name === lease ? holderIn(event) : undefined;
    if (taker !== undefined && taker !== "" && taker !== holder) {
      if (holder !== undefined) former.add(holder);
      former.delete(taker);
      holder = taker;
    } else if (pod !== undefined && event.objectRef?.resource !== "events") {
      const identity = [...former].find((one) => one.split("/")[1] === pod);
      if (identity !== undefined) late.push(`${said(event)} (pod ${pod}) after ${holder} held the Lease`);
    }
  }
  return late;
}

/** Agents and forwarders say in statuses and events how it goes; all else is for the leader and the drain. Who is refused has tried. */
export function replicasBeyondStatus({ events }: Evidence): string[] {
  return attempts(events)
    .filter(
      ({ user, objectRef }) =>
        REPLICAS.test(user.username) && objectRef?.subresource !== "status" && objectRef?.resource !== "events",
    )
    .map(said);
}

/** Once marked, a drain under Retain takes nothing of ours out of the cluster, nor Services, but the registration. */
export function takenUnderRetain({ events }: Evidence): string[] {
  const from = markedAt(events);
  return writes(events)
    .filter(
      ({ verb, user, objectRef, requestReceivedTimestamp }) =>
        ["delete", "deletecollection"].includes(verb) &&
        PODS_OF_A_RELEASE.test(user.username) &&
        (OUR_GROUP.test(objectRef?.apiGroup ?? "") || objectRef?.resource === "services") &&
        objectRef?.resource !== "kubernetesoperators" &&
        Date.parse(requestReceivedTimestamp) > from,
    )
    .map(said);
}

/** Whether somebody relaxed the drain, or it relaxed itself, from Delete to Retain: then things stay. */
export function isRelaxed({ events }: Evidence): boolean {
  return writes(events).some(
    ({ objectRef, requestObject }) =>
      objectRef?.resource === "configmaps" && /"policy":"Retain"/.test(JSON.stringify(requestObject ?? "")),
  );
}

const REASON = /^\d\d:\d\d:\d\d (blocked|failed|refused|paused|stopped) /m;
/** Helm's own, of a hook that was killed or not waited for: nobody else can say it then. */
const HELMS_REASON = /^Error: (.*\n)?.*([Jj]ob\b|hooks? |(pre|post)-delete|timed out|deadline|interrupted)/m;
const NEXT = /helm uninstall \S+ -n \S+|run (it|the same helm uninstall) again|helm rollback \S+ \d/;

/**
 * An exit 1 names a reason and what to type; the object is for the scenario's own patterns. What a hook has said itself it
 * follows with the command: the line it begins with is for those that are killed.
 */
export function unexplained(text: string): string[] {
  const at = text.search(REASON);
  if (at < 0 && !HELMS_REASON.test(text)) return ["the output names no reason"];
  return NEXT.test(text.slice(Math.max(at, 0))) ? [] : ["the output names no next command"];
}

/** Ids of objects that people, not controllers, deleted one by one before the drain was marked. */
function askedForByPeople({ events }: Evidence): Set<string> {
  const ids = recordedIds(events);
  const until = markedAt(events);
  const asked = writes(events).filter(
    ({ verb, user, objectRef, requestReceivedTimestamp }) =>
      verb === "delete" &&
      !user.username.startsWith("system:") &&
      OUR_GROUP.test(objectRef?.apiGroup ?? "") &&
      Date.parse(requestReceivedTimestamp) < until,
  );
  return new Set(asked.flatMap((event) => [...(ids.get(keyOf(event))?.keys() ?? [])]));
}

/** Milliseconds since 1970; Infinity when no drain ever began. */
function markedAt(events: readonly AuditEvent[]): number {
  const marked = events.find(
    ({ objectRef, requestObject }) =>
      objectRef?.resource === "configmaps" && /"phase":"Draining"/.test(JSON.stringify(requestObject ?? "")),
  );
  return marked === undefined ? Infinity : Date.parse(marked.requestReceivedTimestamp);
}

/** Every id at ngrok that was ever written into an object's status, by its key, and when it first was (milliseconds since 1970). */
function recordedIds(events: readonly AuditEvent[]): Map<string, Map<string, number>> {
  const ids = new Map<string, Map<string, number>>();
  for (const event of writes(events)) {
    const { objectRef, requestObject } = event;
    if (objectRef?.subresource !== "status" || !OUR_GROUP.test(objectRef.apiGroup ?? "")) continue;
    const id = fieldOf(fieldOf(requestObject, "status"), "id");
    if (typeof id !== "string" || id === "") continue;
    const key = keyOf(event);
    const known = ids.get(key) ?? new Map<string, number>();
    const at = Date.parse(event.requestReceivedTimestamp);
    ids.set(key, known.set(id, Math.min(known.get(id) ?? at, at)));
  }
  return ids;
}

function keyOf({ objectRef }: AuditEvent): string {
  return `${objectRef?.resource ?? ""} ${objectRef?.namespace ?? ""}/${objectRef?.name ?? ""}`;
}

function isGone({ method, path, status }: Entry, id: string): boolean {
  const answered = (status >= 200 && status < 300) || status === 404;
  return method === "DELETE" && answered && path.endsWith(`/${id}`);
}

function idOf({ path }: Entry): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** The ledger's clock began with this process. */
function wallTime({ at }: Entry): number {
  return performance.timeOrigin + at;
}

function holderIn({ requestObject }: AuditEvent): string | undefined {
  const holder = fieldOf(fieldOf(requestObject, "spec"), "holderIdentity");
  return typeof holder === "string" ? holder : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  return value !== null && typeof value === "object" && name in value
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

/** As the API server received them; it writes them down as it ends them. */
function inOrder(events: readonly AuditEvent[]): AuditEvent[] {
  return events.toSorted((a, b) => (a.requestReceivedTimestamp < b.requestReceivedTimestamp ? -1 : 1));
}
