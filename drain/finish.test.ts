// The last step of a drain asks nothing of the KubernetesOperator's spec.
import { expect, test } from "vitest";
import { FINALIZER } from "#api/keys.ts";
import { aKubernetesOperator } from "#test/support/builders.ts";
import { nested } from "#test/support/nested.ts";
import { finish } from "./finish.ts";
import type { Hands } from "./hands.ts";

const release = { name: "ngrok-operator", namespace: "ngrok-operator", fullname: "ngrok-operator" };

test.for(["Delete", "Retain"] as const)(
  "under %s one whose metadata are nested deeper than a walk can go is deregistered and goes like any other",
  async (policy) => {
    const { spec, ...rest } = aKubernetesOperator({
      metadata: { uid: "u", finalizers: [FINALIZER] },
      status: { id: "k8sop_1" },
    });
    const did: string[] = [];
    const note = async (what: string) => await Promise.resolve(void did.push(what));
    const hands = {
      read: { get: async () => await Promise.resolve({ ...rest, spec: { ...spec, metadata: nested() } }) },
      write: { remove: async () => await note("delete"), removeFinalizer: async () => await note("free") },
      ngrok: {
        operators: {
          remove: async (id: string) => {
            await note(`deregister ${id}`);
            return "deleted";
          },
        },
      },
    } as unknown as Hands;

    const farewell = await finish(hands, release, policy, async () => await note("tell"), new AbortController().signal);

    expect(farewell).toEqual({ is: "gone", id: "k8sop_1", registration: "deleted" });
    expect(did).toEqual(["delete", "deregister k8sop_1", "free"]);
  },
);
