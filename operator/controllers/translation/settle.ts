// Does the writes of a plan in their order. One that fails never keeps the others from being done; what failed decides
// when the key comes again.
import { AgentEndpoint } from "#api/agent-endpoint.ts";
import { CloudEndpoint } from "#api/cloud-endpoint.ts";
import type { OwnKind, OwnObject } from "#api/define-kind.ts";
import { Domain } from "#api/domain.ts";
import { NgrokTrafficPolicy } from "#api/traffic-policy.ts";
import { keyOf, type KubeObject, refOf, targetOf } from "#kube/kind.ts";
import { isClass, known, type KnownError } from "#wire/errors.ts";
import type { KeyContext, KeyOutcome } from "../../runtime/define-keyed.ts";
import { type Owner, planChange, type Write } from "./plan.ts";

export interface SettleContext extends KeyContext {
  /** Tells people why an object cannot be made as it should. */
  readonly told: (write: Write, note: string) => void;
}

/** While one of these kinds is going as a whole, what is missing is missing for that reason. */
const READ_KINDS = [NgrokTrafficPolicy, CloudEndpoint, AgentEndpoint] as const;
const HELD_AGAIN_MS = 10_000;
/** Of a CloudEndpoint its end is told by a watch. */
const TAKEN_AGAIN_MS = 60_000;

export async function settleWrites(
  writes: readonly Write[],
  context: SettleContext,
  owner: Owner,
): Promise<KeyOutcome> {
  const removes = writes.some(({ is }) => is === "remove");
  const mayRemove = !removes || (await context.mayRemove(READ_KINDS));
  let worst: KnownError | undefined;
  for (const write of writes) {
    if (write.is === "remove" && !mayRemove) continue;
    try {
      await settleOne(write, context, owner);
    } catch (error) {
      if (context.signal.aborted) throw error;
      const failure = known(error);
      if (failure.class === "invalid") context.told(write, `${nameOf(write)} could not be written: ${failure.message}`);
      worst = graver(worst, failure);
    }
  }
  if (worst !== undefined) return { is: "failed", error: worst };
  if (writes.some(({ is }) => is === "taken")) return { is: "wait", ms: TAKEN_AGAIN_MS, reason: "a name is taken" };
  return mayRemove ? { is: "done" } : { is: "wait", ms: HELD_AGAIN_MS, reason: "nothing is removed" };
}

async function settleOne(write: Write, context: SettleContext, owner: Owner): Promise<void> {
  const { cached, writer, signal } = context;
  const { kind } = write;
  const at = refOf(write.object);
  await context.inTurn(kind, at, async () => {
    // Another key may have come here first.
    const stored = cached.get(kind, at);
    switch (write.is) {
      case "create":
        if (stored === undefined) await create(kind, write.object, context, owner);
        else if (kind.plural !== Domain.plural) await change(planChange(kind, write.object, stored, owner), context);
        return;
      case "patch":
        if (stored !== undefined) await change(planChange(kind, write.wanted, stored, owner), context);
        return;
      case "remove":
        if (stored?.metadata.uid !== write.object.metadata.uid) return;
        await writer.remove(targetOf(kind, write.object), signal);
        return;
      case "taken":
      case "going":
        await change(write, context);
    }
  });
}

/** What is to be done about an object that is there. */
async function change(write: Write | undefined, { writer, signal, told }: SettleContext): Promise<void> {
  if (write?.is === "patch") {
    await writer.patch(write.kind, refOf(write.object), write.object.metadata.uid ?? "", write.operations, signal);
  } else if (write?.is === "taken") {
    told(write, `${nameOf(write)} was not made by the operator, which needs this name: rename or delete it`);
  }
}

async function create(kind: OwnKind, object: OwnObject, context: SettleContext, owner: Owner): Promise<void> {
  const { writer, reader, signal } = context;
  try {
    await writer.create(kind, object, signal);
  } catch (error) {
    if (!isClass(error, "conflict")) throw error;
    // The watch is behind: what there is says what is still to do.
    const stored = await reader.get(kind, refOf(object), signal);
    // It has gone since then, or a quota was counted by somebody else at the same moment: it comes again.
    if (stored === undefined) throw error;
    if (kind.plural !== Domain.plural) return await change(planChange(kind, object, stored, owner), context);
    // Under its name stands another host's: with that in the cache it gets a longer one.
    if (hostOf(stored) !== hostOf(object)) throw error;
  }
}

/** What passes by itself is tried again soon, so it decides; a person's part is told and waits. */
function graver(a: KnownError | undefined, b: KnownError): KnownError {
  if (a === undefined) return b;
  return a.class === "invalid" ? b : a;
}

function hostOf(domain: KubeObject): string | undefined {
  return (domain as Partial<Domain>).spec?.domain.toLowerCase();
}

function nameOf({ kind, object }: Write): string {
  return `${kind.kind} ${keyOf(refOf(object))}`;
}
