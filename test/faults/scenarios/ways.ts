// The pods that carry traffic on a bad day: agents and the forwarder, which take no part in an uninstall but could be in its way.
import assert from "node:assert/strict";
import { FULLNAME, RELEASE } from "#test/support/open-scene.ts";
import { defineScenario, type Act } from "../scenario.ts";
import { neverStarts } from "./pods.ts";

const COMPONENTS = ["agent", "bindings-forwarder"] as const;

function podsOf(component: string): string[] {
  return ["pods", "-l", `app.kubernetes.io/instance=${RELEASE},app.kubernetes.io/component=${component}`];
}

/** SIGKILL of everything in the pods of agents and forwarder. */
async function kill({ kubectl, at, processes }: Act): Promise<void> {
  for (const component of COMPONENTS) {
    const uids = await kubectl.run(["get", ...at, ...podsOf(component), "-o", "jsonpath={.items[*].metadata.uid}"]);
    const killed = uids.split(" ").map((uid) => processes.signalPod(uid, "SIGKILL"));
    assert.ok(
      killed.some((count) => count > 0),
      `no process of ${component} runs here`,
    );
  }
}

export const ways = [
  defineScenario({
    name: "agent-and-forwarder-killed",
    sentence: "Agent and forwarder are killed in mid-drain, and start again while the objects they serve go",
    keepFalse: true,
    during: async (act) => {
      const match = { caller: "drain", method: "PATCH", path: /\/agentendpoints\// } as const;
      const held = act.proxy.add({ kind: "hold", match });
      await held.hit;
      try {
        await kill(act);
      } finally {
        held.release();
      }
    },
  }),
  defineScenario({
    name: "agent-and-forwarder-crash-loop",
    sentence: "Agent and forwarder crash at each start when the uninstall comes, while the operator works",
    before: async (act) => {
      for (const component of COMPONENTS)
        await neverStarts(act, `deployment/${FULLNAME}-${component}`, podsOf(component));
    },
  }),
  defineScenario({
    name: "edge-unreachable",
    sentence: "Agents have lost ngrok's edge, and find it neither before nor during the uninstall",
    before: async ({ fronts: { edge }, onEnd }) => {
      assert.ok(edge);
      await edge.goDown();
      onEnd(async () => await edge.comeBack());
    },
  }),
];
