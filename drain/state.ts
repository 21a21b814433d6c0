// The memory that outlives the drain: ConfigMap `<fullname>-drain-state`. Helm renders it without data; hook, leader and
// CLI mark it; every pod reads it. Unknown is closed: who cannot read it writes nothing.
import type { Release } from "#api/release.ts";
import { namesOf } from "#api/release.ts";
import type { DrainPolicy } from "#api/schema.ts";
import type { Connection } from "#kube/connection.ts";
import type { KubeObject } from "#kube/kind.ts";
import { ConfigMap } from "#kube/kinds.ts";
import type { Reader } from "#kube/reader.ts";
import { FenceLost, isClass, known } from "#wire/errors.ts";

export type Driver = "hook" | "leader" | "cli";

export interface Mark {
  readonly policy: DrainPolicy;
  readonly driver: Driver;
  /** Who marked, for people: a pod or a person's command. */
  readonly by: string;
  /** RFC 3339; only for people. */
  readonly since: string;
  /** UID of the Job whose hook marked: it stays beside an Open, so that the hook's next pod knows a cancel of its drain. */
  readonly job?: string | undefined;
}

export type DrainState =
  /** `wish` as of Open: what a mark that no longer counts was relaxed to. */
  | { readonly phase: "Unknown"; readonly why: string; readonly wish?: "Retain" }
  /** `explicit` is the word Open itself, which alone opens what has been seen closed; `wish` an unmarked policy. */
  | { readonly phase: "Open"; readonly explicit: boolean; readonly wish?: "Retain"; readonly job?: string }
  | ({ readonly phase: "Draining" | "Drained" } & Mark);

export type StateObject = KubeObject & { data?: Record<string, string> };

export function isPolicy(text: unknown): text is DrainPolicy {
  return text === "Delete" || text === "Retain";
}

const COPIED =
  "the drain's mark was made on another ConfigMap, as a restored backup brings it; ngrok-drain cancel opens, helm uninstall drains";

/** What one reading of the ConfigMap says by itself; the latch (stateReader) adds what was seen before. */
export function parseState(object: StateObject | undefined): DrainState {
  if (object === undefined) return { phase: "Unknown", why: "the drain state ConfigMap is not there" };
  const { phase, policy, driver, by, since, uid, job } = object.data ?? {};
  const wish = policy === "Retain" ? { wish: "Retain" as const } : {};
  if (phase === undefined || phase === "Open")
    return { phase: "Open", explicit: phase === "Open", ...wish, ...(job === undefined ? {} : { job }) };
  if (phase !== "Draining" && phase !== "Drained")
    return { phase: "Unknown", why: `data.phase is ${JSON.stringify(phase)}`, ...wish };
  // A backup brings the mark of its day back, in an object that the API server has made anew: nobody asks for that drain now.
  if (uid !== undefined && object.metadata.uid !== undefined && uid !== object.metadata.uid)
    return { phase: "Unknown", why: COPIED, ...wish };
  return {
    phase,
    // An unreadable policy under a mark is the careful one.
    policy: isPolicy(policy) ? policy : "Retain",
    driver: driver === "hook" || driver === "cli" ? driver : "leader",
    by: by ?? "unknown",
    since: since ?? "",
  };
}

const WIPED = "the drain state was wiped after a drain had begun; only data.phase Open opens again";

/** The policy of a mark, or the one that is wished for; undefined when the state says none. */
function saidBy(state: DrainState): DrainPolicy | undefined {
  return "policy" in state ? state.policy : state.wish;
}

function asRetain(state: DrainState): DrainState {
  return "policy" in state ? { ...state, policy: "Retain" } : { ...state, wish: "Retain" };
}

/**
 * What holds in a drain under `held`, for every driver. A state that cannot be read now, or was wiped, takes no Retain back:
 * `now` comes from a reader that remembers it.
 */
export function policyUnder(held: Mark, now: DrainState): DrainPolicy {
  return held.policy === "Retain" || saidBy(now) === "Retain" ? "Retain" : "Delete";
}

export interface StateReader {
  /** The latest known state, from the watch or a fresh read. */
  readonly now: DrainState;
  /** A consistent GET, never from a cache. A failed read is Unknown, not an exception. */
  fresh(signal: AbortSignal): Promise<DrainState>;
  /** The same for who wants the object too; a failed read throws and changes nothing. */
  read(signal: AbortSignal): Promise<StateObject | undefined>;
  /** Fed by whoever watches the ConfigMap; undefined when it was deleted. */
  observe(object: StateObject | undefined): DrainState;
}

/**
 * A reader with a latch: after Draining or Drained only an explicit Open opens again, and a Retain that was read stays Retain
 * until then, whatever is read next or cannot be read.
 */
export function stateReader(reader: Reader, release: Release): StateReader {
  let now: DrainState = { phase: "Unknown", why: "the drain state has not been read yet" };
  let closed = false;
  let retained = false;
  let newest = -1;
  /** A watch may be behind a read: what is older than what was seen says nothing new. */
  const isOlder = (object: StateObject | undefined, seen: number): boolean => {
    const version = Number(object?.metadata.resourceVersion ?? Number.NaN);
    if (version < seen) return true;
    if (!Number.isNaN(version)) newest = version;
    return false;
  };
  const settle = (state: DrainState): DrainState => {
    if (state.phase === "Open" && state.explicit) closed = false;
    const says = saidBy(state) === "Retain";
    // A wish can be withdrawn; under a mark, and while nothing can be read, Retain stays.
    retained = closed || state.phase === "Unknown" ? retained || says : says;
    if (state.phase === "Draining" || state.phase === "Drained") closed = true;
    const latched: DrainState = state.phase === "Open" && closed ? { phase: "Unknown", why: WIPED } : state;
    now = retained ? asRetain(latched) : latched;
    return now;
  };
  const read = async (signal: AbortSignal): Promise<StateObject | undefined> => {
    const before = newest;
    const object: StateObject | undefined = await reader.get(ConfigMap, stateRef(release), signal);
    // What was seen before a consistent read began is not newer than it, even where it looks so: a restored backup counts
    // from an earlier number. Only what came meanwhile may be.
    const seen = newest === before ? -1 : newest;
    if (!isOlder(object, seen)) settle(parseState(object));
    return object;
  };
  return {
    get now() {
      return now;
    },
    observe: (object) => (isOlder(object, newest) ? now : settle(parseState(object))),
    read,
    async fresh(signal) {
      try {
        await read(signal);
        return now;
      } catch (error) {
        return settle({ phase: "Unknown", why: `the drain state cannot be read: ${known(error).message}` });
      }
    },
  };
}

export function stateRef(release: Release): { name: string; namespace: string } {
  return { name: namesOf(release).drainState, namespace: release.namespace };
}

/** What a person types to relax Delete to Retain, before the mark or after it; without double quotes, which Helm 4 escapes. */
export function relaxCommand(release: Release): string {
  const { name, namespace } = stateRef(release);
  return `kubectl -n ${namespace} patch configmap ${name} --type merge -p 'data: {policy: Retain}'`;
}

/** What a person types to cancel a drain, until the KubernetesOperator is being deleted; null takes the old policy away. */
export function openCommand(release: Release): string {
  const { name, namespace } = stateRef(release);
  return `kubectl -n ${namespace} patch configmap ${name} --type merge -p 'data: {phase: Open, policy: null}'`;
}

/** Whether a person has taken back the uninstall of this very Job: marked by it, or named by the cancel, and Open now. */
export function isCancelOf(state: DrainState, job: string | undefined): boolean {
  return job !== undefined && state.phase === "Open" && state.explicit && state.job === job;
}

/** The mark that results when `wanted` meets what is there: the first seals the policy, later only Delete -> Retain. */
export function sealed(current: DrainState, wanted: Mark): Mark {
  const policy = policyUnder(wanted, current);
  if (!("policy" in current)) return { ...wanted, policy };
  return { ...wanted, policy, since: current.since === "" ? wanted.since : current.since };
}

/**
 * Marks the state Draining and returns the mark that holds. A missing ConfigMap is created already marked, with the
 * metadata by which Helm knows its own, but only while pods of the release run that must read it (`ifAbsent`).
 * The write is guarded by the resourceVersion that was read. Throws FenceLost where the Job that marks was cancelled.
 */
export async function mark(
  at: Connection,
  reader: Reader,
  release: Release,
  wanted: Mark,
  ifAbsent: "create" | "skip",
  signal: AbortSignal,
): Promise<Mark> {
  for (;;) {
    const object: StateObject | undefined = await reader.get(ConfigMap, stateRef(release), signal);
    if (object === undefined && ifAbsent === "skip") return wanted;
    const now = parseState(object);
    if (isCancelOf(now, wanted.job)) throw new FenceLost("the drain was cancelled");
    const result = sealed(now, wanted);
    try {
      await write(at, release, object, dataOf("Draining", result), signal);
      return result;
    } catch (error) {
      // Somebody else wrote between our read and our write: what they wrote counts, so read again.
      if (!isClass(error, "conflict", "gone")) throw error;
    }
  }
}

/**
 * Turns a held mark into Drained; a policy that a person relaxed meanwhile stays relaxed. Throws FenceLost when the drain
 * was cancelled meanwhile.
 */
export async function markDrained(
  at: Connection,
  reader: Reader,
  release: Release,
  held: Mark,
  signal: AbortSignal,
): Promise<void> {
  const object: StateObject | undefined = await reader.get(ConfigMap, stateRef(release), signal);
  if (object === undefined) return;
  const now = parseState(object);
  // A cancel since the last renewal: the operator may be at work again.
  if (now.phase === "Open" && now.explicit) throw new FenceLost("the drain was cancelled");
  const current = sealed(now, held);
  await write(at, release, object, dataOf("Drained", current), signal);
}

function dataOf(phase: "Draining" | "Drained", held: Mark): Record<string, string> {
  const { policy, driver, since, by, job } = held;
  return { phase, policy, driver, since, by, ...(job === undefined ? {} : { job }) };
}

async function write(
  at: Connection,
  release: Release,
  object: StateObject | undefined,
  data: Record<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const { name, namespace } = stateRef(release);
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  if (object === undefined) {
    const body = { ...helmsOwn(release), data };
    const made = (await at.request({ method: "POST", path, body, signal })) as StateObject | undefined;
    // Closed from its first moment; whose mark it is can be told only now.
    if (made?.metadata.uid !== undefined) await write(at, release, made, data, signal);
    return;
  }
  const { uid, resourceVersion } = object.metadata;
  const marked = uid === undefined ? data : { ...data, uid };
  const same = Object.entries(marked).every(([key, value]) => object.data?.[key] === value);
  if (same) return;
  const body = { metadata: { resourceVersion }, data: marked };
  await at.request({
    method: "PATCH",
    path: `${path}/${name}`,
    contentType: "application/merge-patch+json",
    body,
    signal,
  });
}

/** Without these Helm would skip the object at uninstall and refuse it at the next install. */
function helmsOwn(release: Release): KubeObject {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      ...stateRef(release),
      labels: { "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": release.name },
      annotations: { "meta.helm.sh/release-name": release.name, "meta.helm.sh/release-namespace": release.namespace },
    },
  };
}
