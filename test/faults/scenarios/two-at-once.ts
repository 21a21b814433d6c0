// What an impatient person does while an uninstall runs, and what wakes up after it: each time somebody writes, or thinks
// that all is done, who must not.
import assert from "node:assert/strict";
import { aCloudEndpoint } from "#test/support/builders.ts";
import { FULLNAME } from "#test/support/open-scene.ts";
import { defineScenario, type Act } from "../scenario.ts";

/** A patch of an object's finalizers by the hook: the drain is in its middle. */
const RELEASING = { caller: "drain", method: "PATCH", path: /\/(cloudendpoints|domains|ippolicies)\// } as const;
const job = `job/${FULLNAME}-drain`;

/** Resolves when the hook waits within a release; it goes on after `release()`. */
function middleOf({ proxy, random }: Act): { reached: Promise<unknown>; release: () => void } {
  const held = proxy.add({ kind: "hold", match: RELEASING, skip: random.int(0, 20) });
  return { reached: held.hit, release: held.release };
}

export const twoAtOnce = [
  defineScenario({
    name: "second-uninstall",
    sentence: "A second helm uninstall starts in another terminal while the first one drains (F2)",
    keepFalse: true,
    helmTimeout: 45,
    // Helm deletes the first hook's Job for the second: Helm 3 takes that for a success, Helm 4 takes the second's for its own.
    firstEnd: "maybe",
    mute: "the second uninstall deletes the first one's Job, and its words with it",
    during: async (act) => {
      const middle = middleOf(act);
      await middle.reached;
      const second = act.again();
      // The first pod is told to end, whatever it is doing; what it was doing goes on.
      await act.kubectl.run(["wait", ...act.at, "--for=delete", job, "--timeout=20s"]).catch(() => {}); // made anew at once
      middle.release();
      await second;
    },
  }),
  defineScenario({
    name: "hook-job-deleted",
    sentence: "Somebody deletes the hook's Job in the middle of the drain (F2)",
    keepFalse: true,
    helmTimeout: 30,
    firstEnd: ({ helm }) => (helm === 3 ? "0" : "maybe"),
    mute: "who deletes the Job deletes what it said; Helm 4 waits for it until its timeout",
    during: async (act) => {
      const middle = middleOf(act);
      await middle.reached;
      await act.kubectl.run(["delete", ...act.at, job, "--wait=false"]);
      middle.release();
    },
  }),
  defineScenario({
    name: "zombie-leader",
    sentence:
      "The leader freezes with a finalizer on its way, on a node that cannot kill it, and wakes up after the hook has taken over (F12)",
    keepFalse: true,
    helmTimeout: 90,
    before: async ({ proxy, processes, kubectl, scene, onEnd }) => {
      const held = proxy.add({
        kind: "hold",
        match: { caller: "manager", method: "PATCH", path: /\/cloudendpoints\/late$/, body: /finalizers/ },
      });
      const metadata = { name: "late", namespace: scene.namespaces[0] };
      await kubectl.apply([aCloudEndpoint({ metadata, spec: { url: "https://late.internal" } })]);
      const { pod } = await held.hit;
      assert.ok(pod, "the leader's pod is known by its token");
      assert.ok(processes.signalPod(pod.uid, "SIGSTOP") > 0, "the leader runs here");
      // The node hangs too, so that the deletion of the pod kills nobody: only the API server can fence it.
      proxy.add({
        kind: "do",
        match: { caller: "drain" },
        run: async () => await processes.signal("kubelet", "SIGSTOP"),
      });
      let woken = 0;
      proxy.add({
        kind: "do",
        match: RELEASING,
        run: async () => {
          held.release();
          woken = processes.signalPod(pod.uid, "SIGCONT");
          await processes.signal("kubelet", "SIGCONT");
        },
      });
      onEnd(async () => {
        await processes.signal("kubelet", "SIGCONT");
        assert.ok(woken > 0, "the leader woke up after the take-over");
      });
    },
    after: async ({ proxy, kubectl, scene, audit }) => {
      const late = proxy.calls.findLast(
        ({ method, path }) => method === "PATCH" && path.endsWith("/cloudendpoints/late"),
      );
      assert.equal(late?.caller, "manager");
      const events = await audit();
      assert.ok(
        events.some(({ objectRef, responseStatus }) => objectRef?.name === "late" && responseStatus?.code === 401) ||
          !events.some(({ verb, objectRef }) => verb === "patch" && objectRef?.name === "late"),
        "the held patch is refused",
      );
      const finalizers = ["cloudendpoint/late", "-o", "jsonpath={.metadata.finalizers}", "--ignore-not-found"];
      assert.equal(await kubectl.run(["get", "-n", scene.namespaces[0], ...finalizers]).catch(() => ""), "");
    },
  }),
];
