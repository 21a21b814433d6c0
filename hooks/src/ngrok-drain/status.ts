// `ngrok-drain status`: where the drain is, who drives it and how far it has come; with --watch a line for each change,
// from watches of the three objects that say it.
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { namesOf } from "#api/release.ts";
import { type DrainState, parseState, stateRef } from "#drain/state.ts";
import type { Kind, KubeObject, Ref } from "#kube/kind.ts";
import { ConfigMap, type ConfigMapObject, Lease, type LeaseObject } from "#kube/kinds.ts";
import { follow } from "#kube/watch.ts";
import { asError, type KnownError } from "#wire/errors.ts";
import { type Asked, type DrainCommand, EXIT, type World } from "./command.ts";
import { policyInForce } from "./in-force.ts";
import { changeLine, type Status, statusPage } from "./status-page.ts";

export const statusCommand: DrainCommand = {
  name: "status",
  summary: "Say where the drain is, who drives it, and how far it has come. Changes nothing.",
  options: [["-w, --watch", "a line for each change, until the install is drained and its KubernetesOperator gone"]],
  examples: [
    ["status", "did that uninstall get through?"],
    ["status --watch", "follow a running uninstall from a second terminal"],
    ["status -o json | jq .drain.errors", "what could not be freed yet, and why"],
  ],
  exits: "0 said (with --watch: drained), 3 the drain state is not readable, 1 error",
  run,
};

interface Sources {
  state: ConfigMapObject | undefined;
  lease: LeaseObject | undefined;
  operator: KubernetesOperator | undefined;
}

async function run(world: World, { options }: Asked): Promise<number> {
  if (options["watch"] === true) return await watch(world);
  const { install, read, signal } = world;
  const at = placesOf(world);
  const status = statusOf(world, {
    state: await read.get(ConfigMap, stateRef(install.release), signal),
    lease: await read.get(Lease, at.lease, signal),
    operator: await read.get(KubernetesOperator, at.operator, signal),
  });
  world.answer(status, statusPage(status));
  return status.state.phase === "Unknown" ? EXIT.unknown : EXIT.ok;
}

function placesOf({ install }: World) {
  const { namespace, name } = install.release;
  return { lease: { name: namesOf(install.release).lease, namespace }, operator: { name, namespace } };
}

function statusOf({ install }: World, { state: object, lease, operator }: Sources): Status {
  const state: DrainState = parseState(object);
  const { policy, from } = policyInForce(state, install.policy, operator);
  const ready = operator?.status?.conditions?.find(({ type }) => type === "Ready");
  return {
    command: "status",
    release: install.release,
    state,
    policy,
    policyFrom: from,
    writer: lease?.spec?.holderIdentity || null,
    operator:
      operator === undefined
        ? null
        : { deleting: operator.metadata.deletionTimestamp !== undefined, ready: ready?.message ?? null },
    // Without a phase it is a wish for the next drain, and the state says that.
    drain: operator?.status?.drain?.phase === undefined ? null : operator.status.drain,
  };
}

/** Ends when the install is drained; the KubernetesOperator goes last. */
async function watch(world: World): Promise<number> {
  const { install } = world;
  const at = placesOf(world);
  const done = new AbortController();
  const signal = AbortSignal.any([world.signal, done.signal]);
  const sources: Sources = { state: undefined, lease: undefined, operator: undefined };
  const synced = new Set<string>();
  let last = "";
  const changed = (): void => {
    if (synced.size < 3) return;
    const status = statusOf(world, sources);
    const line = changeLine(status);
    if (line !== last) world.tell(status, line);
    last = line;
    if (status.state.phase === "Drained" && status.operator === null) done.abort(new Error("drained"));
  };
  const one = async <T extends KubeObject>(kind: Kind<T>, place: Ref, set: (object: T | undefined) => void) =>
    await follow(
      world.connection,
      kind,
      { namespace: place.namespace, fieldSelector: `metadata.name=${place.name}` },
      {
        changed: (object) => {
          set(object);
          changed();
        },
        removed: () => {
          set(undefined);
          changed();
        },
        synced: () => {
          synced.add(kind.kind);
          changed();
        },
        absent: () => {
          synced.add(kind.kind);
          changed();
        },
        trouble: (error: KnownError) => world.say("trouble", error.message),
      },
      signal,
    );
  try {
    await Promise.all([
      one(ConfigMap, stateRef(install.release), (object) => (sources.state = object)),
      one(Lease, at.lease, (object) => (sources.lease = object)),
      one(KubernetesOperator, at.operator, (object) => (sources.operator = object)),
    ]);
  } catch (error) {
    if (world.signal.aborted) throw asError(world.signal.reason);
    if (!done.signal.aborted) throw error;
  }
  return EXIT.ok;
}
