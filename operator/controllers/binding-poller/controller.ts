// The poller: which endpoints ngrok serves into this cluster, as BoundEndpoints of the release's namespace. Asked at once
// when the registration changes, then every ten seconds, or more seldom where there are many; nothing at ngrok is changed by
// it.
import { BoundEndpoint } from "#api/bound-endpoint.ts";
import { isTrue } from "#api/conditions.ts";
import { KubernetesOperator } from "#api/kubernetes-operator.ts";
import { allow } from "#api/rbac.ts";
import { ownerOf } from "#api/release.ts";
import { refOf, targetOf } from "#kube/kind.ts";
import type { NgrokPort } from "#ngrok/client.ts";
import type { RemoteBoundEndpoint } from "#ngrok/operators.ts";
import { known, type KnownError } from "#wire/errors.ts";
import { failureText } from "../../endpoint/conditions.ts";
import { defineKeyed, type KeyContext, type KeyOutcome, source } from "../../runtime/define-keyed.ts";
import { failureEvent } from "../../runtime/events.ts";
import { CLOSED } from "../../runtime/pen.ts";
import { aggregate } from "./aggregate.ts";
import { planBindings, type Settings, type Step } from "./plan.ts";

/** From the end of one look to the next, */
const POLL_MS = 10_000;
/** or so many times what the look took, the waits for its turns included: the calls of an account are not for it alone, */
const COSTS = 10;
/** but no longer than this. */
const SELDOM_MS = 60_000;
/** Writes at once. */
const AT_ONCE = 8;
/** Sentences in one event; the others are counted. */
const TOLD = 3;
const NOT_WHOLE =
  "no BoundEndpoint is taken away while ngrok lists an endpoint without id or URL: remove that at ngrok, or give it a URL";
/** The one key: all of the account's bound endpoints are one list. */
const ALL = "bound-endpoints";

export const bindingPollerController = defineKeyed({
  name: "binding-poller",
  manager: "api-manager",
  role: "leader",
  // With bindings off as well: what was made while they were on goes.
  sources: [
    source({
      kind: KubernetesOperator,
      keys: ({ before, after, first }) => (first || registration(before) !== registration(after) ? [ALL] : []),
    }),
    // Read, never heard: what becomes of one is seen at the next poll.
    source({ kind: BoundEndpoint, within: "release", keys: () => [] }),
  ],
  rbac: [
    allow(KubernetesOperator, ["list", "watch"], {
      scope: "release",
      why: "knows under which id this install is registered",
    }),
    allow(BoundEndpoint, ["list", "watch", "delete"], {
      scope: "release",
      why: "takes away the BoundEndpoints of addresses that ngrok serves here no more, or that nobody wants served",
    }),
    allow(BoundEndpoint, ["create", "patch"], {
      scope: "release",
      when: "bindings",
      why: "makes a BoundEndpoint for each address that ngrok serves here, and keeps it up to date",
    }),
    allow(BoundEndpoint, ["patch"], {
      scope: "release",
      part: "status",
      when: "bindings",
      why: "shows which endpoints share an address",
    }),
  ],
  apply,
});

/** What of the install's own object decides whether, and under which id, there is anything to ask for. */
function registration(operator: KubernetesOperator | undefined): string | undefined {
  const { metadata, status } = operator ?? {};
  if (metadata === undefined || metadata.deletionTimestamp !== undefined) return undefined;
  return isTrue(status?.conditions, "Registered") ? status?.id || undefined : undefined;
}

async function apply(_key: string, context: KeyContext): Promise<KeyOutcome> {
  const { cached, release, ngrok, options, clock } = context;
  const there = [...cached.all(BoundEndpoint)].filter(({ metadata }) => metadata.namespace === release.namespace);
  if (!options.features.includes("bindings")) {
    const failed = await settle(planBindings([], there, settingsOf(context)).steps, context);
    return failed === undefined ? { is: "done" } : { is: "failed", error: failed };
  }
  const operator = cached.get(KubernetesOperator, { name: release.name, namespace: release.namespace });
  const id = registration(operator);
  // Without them there is nothing to be done; their coming is heard of.
  if (operator === undefined || id === undefined || ngrok === undefined) return { is: "done" };
  const tell = (problems: readonly string[]): void => tellProblems(operator, problems, context);
  const began = clock.now();
  let remote: readonly RemoteBoundEndpoint[];
  try {
    remote = await listed(id, ngrok, context.signal);
  } catch (error) {
    const failure = known(error);
    if (context.signal.aborted || !["gone", "invalid"].includes(failure.class)) throw error;
    tell([`the endpoints bound to ${id} cannot be listed: ${failureText(failure)}`]);
    if (failure.class === "invalid") throw error;
    return { is: "wait", ms: POLL_MS, reason: "ngrok does not know the registration" };
  }
  const ms = Math.min(SELDOM_MS, Math.max(POLL_MS, COSTS * (clock.now() - began)));
  const { addresses, problems, isWhole } = aggregate(remote);
  const plan = planBindings(addresses, there, settingsOf(context));
  const failed = await settle(isWhole ? plan.steps : plan.steps.filter(({ is }) => is !== "remove"), context);
  if (failed?.code === CLOSED || failed?.class === "conflict") return { is: "failed", error: failed };
  tell([
    ...(isWhole ? [] : [NOT_WHOLE]),
    ...problems,
    ...plan.problems,
    ...(failed === undefined ? [] : [failureText(failed)]),
  ]);
  return { is: "wait", ms, reason: "the bound endpoints are asked for again" };
}

async function listed(id: string, ngrok: NgrokPort, signal: AbortSignal): Promise<readonly RemoteBoundEndpoint[]> {
  const remote: RemoteBoundEndpoint[] = [];
  for await (const page of ngrok.operators.boundEndpoints(id, signal)) remote.push(...page);
  return remote;
}

function settingsOf({ release, options }: KeyContext): Settings {
  const { serviceLabels, serviceAnnotations } = options.bindings;
  const { namespace } = release;
  return { namespace, managerName: options.managerName, stamp: ownerOf(release), serviceLabels, serviceAnnotations };
}

/**
 * Does the steps, a few at once; one that fails keeps no other from being done. Returns what decides when to come again: a
 * state that is not Open any more, else the gravest failure.
 */
async function settle(steps: readonly Step[], context: KeyContext): Promise<KnownError | undefined> {
  const removes = steps.some(({ is }) => is === "remove");
  const mayRemove = !removes || (await context.mayRemove([BoundEndpoint]));
  const rest = steps.filter(({ is }) => is !== "remove" || mayRemove).values();
  let failed: KnownError | undefined;
  const work = async (): Promise<void> => {
    for (const step of rest) {
      if (failed?.code === CLOSED) return;
      try {
        await settleOne(step, context);
      } catch (error) {
        if (context.signal.aborted) throw error;
        const failure = told(step, error, context);
        // What a person has to mend is said before what passes by itself.
        if (failed === undefined || failure.code === CLOSED || failure.class === "invalid") failed = failure;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return failed;
}

async function settleOne(step: Step, { writer, show, event, signal }: KeyContext): Promise<void> {
  const { object } = step;
  if (step.is === "remove") {
    // "gone" is as good.
    await writer.remove(targetOf(BoundEndpoint, object), signal);
    return;
  }
  if (step.is === "create") {
    const made = await writer.create(BoundEndpoint, object, signal);
    event(BoundEndpoint, made, { type: "Normal", reason: "Created", note: `Serves ${object.spec.endpointURL}` });
    await show(BoundEndpoint, made, step.shown);
    return;
  }
  if (step.operations.length > 0) {
    await writer.patch(BoundEndpoint, refOf(object), object.metadata.uid ?? "", step.operations, signal);
    event(BoundEndpoint, object, { type: "Normal", reason: "Updated", note: `Serves ${object.spec.endpointURL}` });
  }
  if (step.shown !== undefined) await show(BoundEndpoint, object, step.shown);
}

/** The failure, in a sentence that names the address; said on the object where there is one. */
function told({ is, object }: Step, error: unknown, { event }: KeyContext): KnownError {
  const failure = known(error);
  if (failure.class === "gone" || failure.class === "conflict" || is === "create") return failure;
  const reason = is === "remove" ? "Delete" : "UpdateFailed";
  event(BoundEndpoint, object, failureEvent(failure, { reason, note: failure.message }));
  return failure;
}

/** In one event, so that none hides behind another. */
function tellProblems(operator: KubernetesOperator, problems: readonly string[], { event }: KeyContext): void {
  if (problems.length === 0) return;
  const more = problems.length > TOLD ? [`and ${problems.length - TOLD} more`] : [];
  const note = [...problems.slice(0, TOLD), ...more].join("; ");
  event(KubernetesOperator, operator, { type: "Warning", reason: "EndpointNotBound", note, action: "Poll" });
}
