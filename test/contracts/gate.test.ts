// The drain's contract with every controller of every pod, whatever it watches: while the drain state is not Open, no event of
// any type brings a write, a finalizer, a call to ngrok, or as much as an entry into the controller's own code, save to open
// again what a replica had open (its tests hold that to nothing else). A controller comes in by being registered with its pod;
// a kind by being watched. What only a real API server shows of the same is in the contracts beside this one.
import { expect, test } from "vitest";
import { isOwnKind } from "#api/define-kind.ts";
import type { KubeObject } from "#kube/kind.ts";
import type { LeaderController } from "#operator/runtime/define-controller.ts";
import { agentManager } from "#operator/managers/agent-manager/manager.ts";
import { apiManager } from "#operator/managers/api-manager/manager.ts";
import { bindingsForwarderManager } from "#operator/managers/bindings-forwarder-manager/manager.ts";
import { type AnyController, type Gated, type Heard, silence, startGated } from "#test/support/gated.ts";
import { samplesOf } from "#test/support/one-of-each.ts";

const every = [apiManager, agentManager, bindingsForwarderManager].flatMap(({ controllers }) =>
  // A definition of one kind, as the runtime takes those of all.
  (controllers as readonly unknown[]).map((one) => one as AnyController),
);

type Data = Readonly<Record<string, string>>;
const mark = { policy: "Delete", driver: "hook", by: "pod/hook/1", since: "2026-01-01T00:00:00Z" };
const DRAINING: Data = { phase: "Draining", ...mark };
const DRAINED: Data = { phase: "Drained", ...mark };
const RENDERED: Data = {};

/** What the drain state's ConfigMap holds, from the start of the pod on; undefined: it is not there. */
const closed: readonly { readonly gate: string; readonly states: readonly (Data | undefined)[] }[] = [
  { gate: "holding, since there is no drain state", states: [undefined] },
  { gate: "holding, since the drain state has gone", states: [RENDERED, undefined] },
  { gate: "holding, since the drain state cannot be read", states: [RENDERED, { phase: "Melting" }] },
  { gate: "holding, since the mark was wiped", states: [RENDERED, DRAINING, RENDERED] },
  { gate: "draining", states: [RENDERED, DRAINING] },
  { gate: "drained", states: [RENDERED, DRAINING, DRAINED] },
  { gate: "restarted while draining", states: [DRAINING] },
  { gate: "restarted after drained", states: [DRAINED] },
];

const FEATURES = ["ingress", "gateway", "bindings"] as const;
const cases = every.flatMap((controller) =>
  closed.flatMap((state) =>
    [FEATURES, []].map((features) => ({
      ...state,
      features,
      controller,
      name: features.length > 0 ? controller.name : `${controller.name} with its feature off`,
    })),
  ),
);

test.for(cases)(
  "$name does nothing while $gate (W2, W6, W7, W8, F11)",
  async ({ controller, features, states }, { expect }) => {
    await using gated = await startGated(controller, { features });
    for (const kind of gated.kinds) for (const object of samplesOf(kind)) gated.server.put(kind, object);
    for (const state of states) {
      await gated.state(state);
      // What was tried while it was Open, and failed, is due again in the middle of the closed state.
      if (state === RENDERED) await gated.heard();
    }
    await gated.heard();
    for (const [what, happens] of events(gated)) {
      happens();
      expect({ [what]: await gated.heard() }).toEqual({ [what]: silence });
    }
  },
);

/** Whose events a controller hears of and has nothing to look at for. */
const IDLE = ["listener Pod", "binding-poller BoundEndpoint"];

test.for(every)("$name is told of every kind that it watches, also while it may do nothing", async (controller) => {
  await using gated = await startGated(controller, { features: FEATURES });
  for (const kind of gated.kinds) for (const object of samplesOf(kind)) gated.server.put(kind, object);
  await gated.state(DRAINING);
  await gated.heard();
  const deaf: string[] = [];
  for (const kind of gated.kinds) {
    const before = gated.woken;
    for (const [, happens] of events(gated, [kind])) {
      happens();
      await gated.heard();
    }
    if (gated.woken === before) deaf.push(`${controller.name} ${kind.kind}`);
  }
  expect(deaf).toEqual(IDLE.filter((one) => one.startsWith(`${controller.name} `)));
});

test.for(every)("$name does something for the same events while it is Open", async (controller) => {
  await using gated = await startGated(controller, { features: FEATURES });
  for (const kind of gated.kinds) for (const object of samplesOf(kind)) gated.server.put(kind, object);
  await gated.state(RENDERED);
  await gated.heard();
  const heard: Heard[] = [];
  for (const [, happens] of events(gated)) {
    happens();
    heard.push(await gated.heard());
  }
  const all = (of: keyof Heard): number => heard.flatMap((one) => one[of]).length;
  expect(all("entered")).toBeGreaterThan(0);
  expect(all("writes") + all("calls")).toBeGreaterThan(0);
});

/** Those that write under the Lease. */
const writers = every.filter(({ role }) => role === "leader");

test.for(writers)(
  "$name ends what it has begun before the Lease is freed, and begins nothing more (W7)",
  async (controller) => {
    await using gated = await startGated(controller, { features: FEATURES });
    const release = gated.server.hold();
    for (const kind of gated.kinds) for (const object of samplesOf(kind)) gated.server.put(kind, unheld(object));
    await gated.state(RENDERED);
    expect(gated.busy).toBeGreaterThan(0);
    await gated.state(DRAINING);
    let isOver = false;
    const stopped = gated.stop().then(() => (isOver = true));
    await gated.pass(1_000);
    expect({ isOver, busy: gated.busy > 0 }).toEqual({ isOver: false, busy: true });
    release();
    await gated.pass(1_000);
    await stopped;
    const written = gated.server.writes.length;
    await gated.pass(30_000);
    expect({ busy: gated.busy, writes: gated.server.writes.length }).toEqual({ busy: 0, writes: written });
  },
);

/** Those that unmake at ngrok, or in the cluster, what they made for an object of ours. */
const unmaking = every.filter(
  (one): one is LeaderController => "cleanup" in one && one.cleanup !== undefined && isOwnKind(one.kind),
);

test.for(unmaking)(
  "$name unmakes nothing while the kind itself goes, which is no wish of a person",
  async (controller) => {
    for (const [crds, unmade] of [
      ["going", false],
      ["there", true],
    ] as const) {
      await using gated = await startGated(controller, { features: FEATURES, crds });
      const samples = samplesOf(controller.kind);
      for (const object of samples) gated.server.put(controller.kind, object);
      await gated.state(RENDERED);
      await gated.heard();
      for (const object of samples) gated.server.put(controller.kind, deleting(object));
      const { writes, calls, entered } = await gated.heard();
      const toObjects = writes.filter((line) => !/\/events$|\/events\/|\/status$/.test(line));
      expect(entered.includes("cleanup"), crds).toBe(unmade);
      expect(toObjects.length + calls.length > 0, crds).toBe(unmade);
    }
  },
);

/** Of each kind: an object comes, changes, is being deleted, is gone; and all of it once more, found by a new list. */
function events({ server, ...gated }: Gated, kinds = gated.kinds): [string, () => void][] {
  const each = kinds.flatMap((kind) =>
    samplesOf(kind).flatMap((object): [string, () => void][] => {
      const name = `${kind.kind} ${object.metadata.name}`;
      return [
        [`${name} is added`, () => server.put(kind, renamed(object, "more"))],
        [`${name} is updated`, () => server.put(kind, touched(object))],
        [`${name} is being deleted`, () => server.put(kind, deleting(object))],
        [`${name} is deleted`, () => server.remove(kind, object)],
        [`${name} comes again`, () => server.put(kind, object)],
      ];
    }),
  );
  const relist = (): void => {
    // First: nobody hears of what happens then.
    server.expire();
    for (const kind of kinds)
      for (const object of samplesOf(kind)) {
        server.put(kind, touched(object));
        server.put(kind, deleting(renamed(object, "late")));
        server.remove(kind, renamed(object, "more"));
      }
  };
  return [...each, ["everything is listed anew", relist]];
}

function renamed(object: KubeObject, suffix: string): KubeObject {
  const { uid: _, ...metadata } = object.metadata;
  return { ...object, metadata: { ...metadata, name: `${object.metadata.name}-${suffix}` } };
}

/** As a person has written it: nobody has put a finalizer on it. */
function unheld(object: KubeObject): KubeObject {
  const { finalizers: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

let changes = 1;

/** As a person edits it: another label, and a new generation. */
function touched(object: KubeObject): KubeObject {
  changes += 1;
  const labels = { ...object.metadata.labels, touched: String(changes) };
  return { ...object, metadata: { ...object.metadata, labels, generation: changes } };
}

function deleting(object: KubeObject): KubeObject {
  return { ...object, metadata: { ...object.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };
}
