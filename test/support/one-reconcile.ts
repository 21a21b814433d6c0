// One reconcile by the runtime, with hands that only take notes.
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import { holds } from "#api/conditions.ts";
import { DRAIN_OWNER, FINALIZER, FINALIZER_CANONICAL } from "#api/keys.ts";
import { stateReader } from "#drain/state.ts";
import type { KubeObject } from "#kube/kind.ts";
import type { Reader } from "#kube/reader.ts";
import type { Writer } from "#kube/writer.ts";
import { Cache } from "#operator/runtime/cache.ts";
import type { Standing } from "#operator/runtime/crd-check.ts";
import {
  type Context,
  defineController,
  done,
  type LeaderController,
  type Outcome,
} from "#operator/runtime/define-controller.ts";
import { gate } from "#operator/runtime/gate.ts";
import { openLog } from "#operator/runtime/log.ts";
import type { Options } from "#operator/runtime/options.ts";
import { Reconciler } from "#operator/runtime/reconcile.ts";
import type { KnownError } from "#wire/errors.ts";
import { aCloudEndpoint } from "./builders.ts";
import { nothingCached } from "./cached.ts";
import { testClock } from "./clock.ts";

const release = { name: "ngrok", namespace: "ops", fullname: "ngrok" };
const OWNER = "ops/ngrok";
export const shown = { fields: { id: "ep_1" }, findings: [holds("Ready", "CloudEndpointActive", "it is")] };
export const claimed = {
  metadata: { uid: "u", resourceVersion: "1", finalizers: [FINALIZER], annotations: { [DRAIN_OWNER]: OWNER } },
};
/** What the API server notes of a claim of ours; the watch does not keep it. */
const byUs = [
  {
    manager: "ngrok-operator",
    operation: "Update",
    fieldsV1: {
      "f:metadata": { "f:finalizers": { [`v:"${FINALIZER}"`]: {}, [`v:"${FINALIZER_CANONICAL}"`]: {} } },
    },
  },
];
export const deleting = { metadata: { ...claimed.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } };

export interface Setup {
  readonly object?: Parameters<typeof aCloudEndpoint>[0];
  readonly apply?: (context: Context) => Outcome<CloudEndpoint> | Promise<Outcome<CloudEndpoint>>;
  readonly cleanup?: LeaderController["cleanup"];
  readonly controller?: Partial<LeaderController<CloudEndpoint>>;
  readonly phase?: "Open" | "Draining";
  readonly standing?: Standing;
  readonly stopping?: boolean;
  readonly statusError?: KnownError;
  /** What the server holds, where that is not what the watch has brought. */
  readonly latest?: KubeObject | "gone";
}

/** Runs one reconcile; `did` is what it asked of its hands, in order, `lines` what it warned of. */
export function aReconcile(setup: Setup = {}) {
  const {
    object = { metadata: { uid: "u", resourceVersion: "1" } },
    apply = () => done<CloudEndpoint>({ shown }),
    phase = "Open",
  } = setup;
  const did: string[] = [];
  const contexts: Context[] = [];
  const store = new Cache().add(CloudEndpoint);
  store.put(aCloudEndpoint(object));
  const clock = testClock();
  const lines: string[] = [];
  const door = gate(stateReader({} as Reader, release), clock);
  door.observe({ metadata: { name: "s" }, ...(phase === "Open" ? {} : { data: { phase } }) });
  const writer = {
    addFinalizer: async (_: unknown, one: CloudEndpoint) => {
      did.push("claim");
      return await Promise.resolve({
        ...one,
        metadata: { ...one.metadata, ...claimed.metadata, resourceVersion: "2" },
      });
    },
    removeFinalizer: async () => {
      did.push("free");
      return await Promise.resolve("removed");
    },
  } as unknown as Writer;
  const controller = defineController<CloudEndpoint>({
    name: "test",
    manager: "api-manager",
    role: "leader",
    kind: CloudEndpoint,
    rbac: [],
    apply: async (_, context) => {
      contexts.push(context);
      did.push("apply");
      return await apply(context);
    },
    cleanup: async (...args) => {
      did.push("cleanup");
      return (await setup.cleanup?.(...args)) ?? { remote: "deleted" };
    },
    ...setup.controller,
  });
  const latest = () => (setup.latest === "gone" ? undefined : (setup.latest ?? [...store.values()][0]));
  const reconciler = new Reconciler<CloudEndpoint>({
    controller,
    store,
    cached: nothingCached,
    gate: door,
    reader: {
      get: () => Promise.resolve(latest()),
      async *pages() {
        const found = latest();
        const items = found === undefined ? [] : [{ ...found, metadata: { managedFields: byUs, ...found.metadata } }];
        yield await Promise.resolve({ items });
      },
    } as unknown as Reader,
    writer,
    ngrok: undefined,
    clock,
    release,
    clusterWide: true,
    options: {} as Options,
    crds: { standing: async () => await Promise.resolve(setup.standing ?? { is: "there" as const }) },
    heldSince: 7,
    signal: new AbortController().signal,
    stopping: () => setup.stopping ?? false,
    log: openLog({ level: "warn", encoder: "json", secrets: [] }, { write: (line) => lines.push(line) }),
    writeStatus: async (one, status) => {
      did.push("status");
      if (setup.statusError !== undefined) throw setup.statusError;
      return await Promise.resolve({ ...one, status, metadata: { ...one.metadata, resourceVersion: "3" } });
    },
    event: (_, { reason }) => did.push(reason),
    dial: () => Promise.resolve(),
    beside: () => undefined,
    stranger: async (_, owner) => {
      did.push(`stranger ${owner}`);
      return await Promise.resolve({ is: "later", ms: 1 });
    },
    held: (_, why, terminating) => did.push(`held: ${why}${terminating ? ", terminating" : ""}`),
  });
  const work = async () => await reconciler.work("default/web");
  const forget = () => reconciler.forget("u");
  return { did, contexts, store, clock, lines, work, forget, distrust: () => reconciler.distrust("default/web") };
}
