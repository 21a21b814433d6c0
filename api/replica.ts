// What all entries of `status.replicas` have in common: one per pod, each applied by that pod alone, under a name of its own.
import type { Schema } from "./define-kind.ts";
import { shortHash } from "./names.ts";
import { integer, list, object, text } from "./schema.ts";

export interface ReplicaEntry<R extends string> {
  /** The pod: the key of the list. */
  pod: string;
  /** The generation of the spec of which `reason` speaks. */
  observedGeneration: number;
  reason: R;
  /** The cause and the remedy, for people; without secrets, at most REPLICA_MESSAGE_LIMIT characters. */
  message?: string;
}

/** Characters; the API server refuses a longer message, and with it the whole entry. */
export const REPLICA_MESSAGE_LIMIT = 1024;

const FIELD_MANAGER_LIMIT = 128;

/**
 * The field manager under which a pod applies its entry, and its entry alone. The leader applies nothing under this name
 * once the pod is gone. Names of pods are cut where a field manager may not be as long.
 */
export function replicaFieldManager(component: "agent" | "bindings-forwarder", pod: string): string {
  const whole = `ngrok-operator-${component}/${pod}`;
  if (whole.length <= FIELD_MANAGER_LIMIT) return whole;
  const hash = shortHash(pod);
  return `${whole.slice(0, FIELD_MANAGER_LIMIT - hash.length - 1)}-${hash}`;
}

/**
 * The list itself.
 * @param who writes an entry, for its description, with an article: `the agent`.
 * @param fields of an entry beside those that all have.
 */
export function replicasSchema(who: string, reasons: readonly string[], fields: Record<string, Schema> = {}): Schema {
  const entry = object(
    "What one of them says.",
    {
      pod: text(`Name of ${who}'s pod.`, { maxLength: 253 }),
      ...fields,
      observedGeneration: integer("The generation of the spec that this entry speaks of.", {
        format: "int64",
        minimum: 0,
      }),
      reason: text(`${reasons.slice(0, -1).join(", ")} or ${reasons.at(-1)}.`, { minLength: 1, maxLength: 1024 }),
      message: text("The cause in a sentence, for people.", { maxLength: REPLICA_MESSAGE_LIMIT }),
    },
    ["observedGeneration", "pod", "reason"],
  );
  return list(`What each replica of ${who} says of the endpoint, one entry per pod.`, entry, {
    maxItems: 256,
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["pod"],
  });
}
