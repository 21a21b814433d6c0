// What a drain would do, counted under both policies without doing it: the steps are those of plan.ts, and the undo of
// each kind runs against a stand-in that only counts, so that a forecast cannot differ from the run.
import type { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { findCondition } from "#api/conditions.ts";
import { metadataText } from "#api/metadata.ts";
import type { Release } from "#api/release.ts";
import type { Metadata } from "#api/schema.ts";
import type { KubeObject } from "#kube/kind.ts";
import type { Page as ListPage, Reader } from "#kube/reader.ts";
import type { Writer } from "#kube/writer.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import { KnownError } from "#wire/errors.ts";
import type { Undone, UndoHands } from "./hands.ts";
import type { Page } from "./inventory.ts";
import type { Row } from "./kinds.ts";
import { kindNameOf, nameOf } from "./names.ts";
import { isOurs } from "./ours.ts";
import { type Found, plan } from "./plan.ts";

/** One kind in numbers. */
export interface KindCount {
  readonly row: Row;
  /** Objects with a finalizer of ours, this install's or another's. */
  finalizer: number;
  /** Those of them that are this install's. */
  ours: number;
  /** Under Delete: calls to ngrok at most, and what would become of what is there. */
  calls: number;
  remoteDeleted: number;
  readonly remoteKept: Map<string, number>;
}

export interface DryRun {
  readonly kinds: Map<string, KindCount>;
  /** Objects with our finalizer that are not this install's, and why: `httproute shop/web`. */
  readonly left: Map<string, string>;
  /** Objects of our own kinds that somebody else's finalizer holds too: they outlive their deletion. */
  readonly foreign: Map<string, readonly string[]>;
  /** Kinds that could not be listed: never an empty one. */
  readonly unknown: Map<string, KnownError>;
}

export function newDryRun(): DryRun {
  return { kinds: new Map(), left: new Map(), foreign: new Map(), unknown: new Map() };
}

/** Takes one page of the inventory into the count. */
export async function countPage(run: DryRun, page: Page, release: Release, signal: AbortSignal): Promise<void> {
  if ("unknown" in page) {
    run.unknown.set(kindNameOf(page.row), page.unknown);
    return;
  }
  const name = kindNameOf(page.row);
  const kind = run.kinds.get(name) ?? newKind(page.row);
  run.kinds.set(name, kind);
  for (const found of page.found) {
    kind.finalizer += 1;
    await countObject(run, kind, found, release, signal);
  }
}

async function countObject(
  run: DryRun,
  kind: KindCount,
  found: Found,
  release: Release,
  signal: AbortSignal,
): Promise<void> {
  const step = plan(found, "Delete");
  const name = nameOf(found.row, found.object);
  if (!isOurs(found.whose)) {
    run.left.set(name, step.why);
    return;
  }
  kind.ours += 1;
  if (found.foreign.length > 0 && found.row.whose === "ours") run.foreign.set(name, found.foreign);
  if (step.act === "free") return;
  const { calls, undone } = await undoneOnPaper(found.row, found.object, release, signal);
  kind.calls += calls;
  if (undone.remote === "deleted") kind.remoteDeleted += 1;
  if (undone.remote === "kept") kind.remoteKept.set(undone.why, (kind.remoteKept.get(undone.why) ?? 0) + 1);
}

/** What a Delete would ask of ngrok for one object of ours, at most, and what would become of what is there. */
export async function undoneOnPaper(
  { undo }: Row,
  object: KubeObject,
  release: Release,
  signal: AbortSignal,
): Promise<{ readonly calls: number; readonly undone: Undone }> {
  if (undo === undefined) return { calls: 0, undone: { remote: "none" } };
  const stand = standIn(object);
  const undone = await undo(object, stand.hands, release, signal);
  return { calls: stand.calls(), undone };
}

function newKind(row: Row): KindCount {
  return { row, finalizer: 0, ours: 0, calls: 0, remoteDeleted: 0, remoteKept: new Map() };
}

/**
 * ngrok and the cluster for one undo: every call counts, what is looked up at ngrok is there and ours, and nothing leaves
 * the process. The count is therefore the most that the run would ask. An endpoint that was still waiting when it was last
 * told of has none: only a crash in the moment of its creation would have left one.
 */
function standIn(object: KubeObject): { readonly hands: UndoHands; calls(): number } {
  let calls = 0;
  const called = <T>(answer: T): Promise<T> => {
    calls += 1;
    return Promise.resolve(answer);
  };
  const never = (): never => {
    throw new KnownError("invalid", "an undo asked for what the forecast does not know: this is a bug");
  };
  const { name, namespace } = object.metadata;
  const { spec, status } = object as KubeObject & { spec?: { metadata?: Metadata }; status?: CloudEndpoint["status"] };
  const isWaiting = findCondition(status?.conditions, "CloudEndpointCreated")?.status === "False";
  const remote = { id: "looked-up", uri: "", description: "", metadata: metadataText(spec?.metadata) };
  const remove = () => called("deleted" as const);
  const ngrok: NgrokPort = {
    domains: { find: () => called({ ...remote, domain: "", resolvesTo: [] }), change: never, remove },
    endpoints: {
      find: never,
      matching: () =>
        called(
          isWaiting
            ? []
            : [{ ...remote, type: "cloud", url: "", trafficPolicy: "", bindings: [], poolingEnabled: false }],
        ),
      change: never,
      remove,
    },
    ipPolicies: {
      find: never,
      matching: () => called([]),
      change: never,
      remove,
      rules: never,
      changeRule: never,
      removeRule: never,
    },
    operators: {
      find: never,
      matching: never,
      change: never,
      remove: never,
      boundEndpoints: never,
      keyAndRequest: never,
    },
    addresses: {
      find: () => called({ ...remote, addr: "", region: "", metadata: JSON.stringify({ namespace, name }) }),
      matching: never,
      change: never,
      remove,
    },
    verifyKey: never,
  };
  // Past the cache the object is there, and something was begun for it: that asks the most of ngrok.
  const pages = async function* <T extends KubeObject>(): AsyncGenerator<ListPage<T>> {
    yield await Promise.resolve({ items: [{ ...object, status: status ?? {} } as unknown as T], resourceVersion: "" });
  };
  const read: Reader = { get: () => Promise.resolve(undefined), pages, served: never };
  const write: Writer = {
    create: never,
    remove: never,
    patch: never,
    patchStatus: never,
    addFinalizer: never,
    removeFinalizer: never,
  };
  return { hands: { read, write, ngrok }, calls: () => calls };
}
