// The cluster as the pods of operator and hook find it: a node that is lost, an image that is not there, a quota, a crash loop.
import assert from "node:assert/strict";
import { FULLNAME, RELEASE } from "#test/support/open-scene.ts";
import { TOP } from "#test/support/stage.ts";
import { defineScenario, type Act } from "../scenario.ts";

const manager = `deployment/${FULLNAME}-manager`;
const PODS = ["pods", "--selector", `app.kubernetes.io/instance=${RELEASE},app.kubernetes.io/component=controller`];

/** helm upgrade with one more value, as a person does it who keeps the others. */
async function upgrade(act: Act, value: string): Promise<void> {
  const { scene, run, at } = act;
  const args = ["upgrade", RELEASE, `${TOP}/chart`, ...at, "--reuse-values", "--set", value];
  const { code, stderr } = await scene.stage.helm(run.helm, args);
  assert.equal(code, 0, stderr);
}

/** Makes every pod of a Deployment end with 1 at each start; resolves when one has. */
export async function neverStarts({ kubectl, at }: Act, deployment: string, pods: readonly string[]): Promise<void> {
  const patch = [
    { op: "replace", path: "/spec/strategy", value: { type: "Recreate" } },
    {
      op: "replace",
      path: "/spec/template/spec/containers/0/command",
      // What follows "--", the operator's own flags, is not for node.
      value: ["/usr/local/bin/node", "-e", "process.exit(1)", "--"],
    },
  ];
  const before = (await kubectl.run(["get", ...at, ...pods, "-o", "name"])).trim().split("\n");
  await kubectl.run(["patch", ...at, deployment, "--type=json", "-p", JSON.stringify(patch)]);
  // A wait for what follows would take those that still end for it.
  await kubectl.run(["wait", ...at, "--for=delete", ...before, "--timeout=150s"]);
  const crashed = "--for=jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}=1";
  await kubectl.run(["rollout", "status", ...at, deployment, "--timeout=2s"]).catch(() => {}); // it never is
  await kubectl.run(["wait", ...at, ...pods, crashed, "--timeout=150s"]);
}

export const pods = [
  defineScenario({
    name: "operator-crash-loops",
    sentence: "The operator crashes at each start when the uninstall comes",
    keepFalse: true,
    before: async (act) => await neverStarts(act, manager, PODS),
  }),
  defineScenario({
    name: "node-not-ready",
    sentence: "The only node is not ready, so that the hook's pod cannot start until it is again",
    helmTimeout: 30,
    firstEnd: [/timed out|timeout|deadline/i],
    mute: "the hook's pod never runs",
    before: async ({ processes, onEnd }) => {
      await processes.stopNode();
      onEnd(async () => await processes.startNode());
    },
    remedy: async ({ processes }) => await processes.startNode(),
  }),
  defineScenario({
    name: "hook-image-missing",
    sentence: "An upgrade named an image that cannot be pulled; the rollback to the revision before brings it back",
    helmTimeout: 30,
    firstEnd: [/timed out|timeout|deadline/i],
    mute: "the hook's pod never runs",
    before: async (act) => await upgrade(act, "image.digest=,image.tag=never-built"),
    remedy: async (act) => void (await act.shell(`helm rollback ${RELEASE} 1 -n ${act.scene.namespace}`)),
  }),
  defineScenario({
    name: "quota-refuses-hook",
    sentence: "A ResourceQuota of the namespace leaves no room for the hook's pod until it is raised",
    helmTimeout: 30,
    firstEnd: [/timed out|timeout|deadline/i],
    mute: "the hook's pod is never made",
    before: async ({ kubectl, at, onEnd }) => {
      await kubectl.run(["create", "quota", "tight", ...at, "--hard=pods=1"]);
      onEnd(async () => await kubectl.run(["delete", "quota", "tight", ...at, "--ignore-not-found"]));
    },
    remedy: async ({ kubectl, at }) => void (await kubectl.run(["delete", "quota", "tight", ...at])),
  }),
  defineScenario({
    name: "pod-security-restricted",
    sentence:
      "The namespace enforces the restricted pod security standard, and a quota that asks for requests and limits",
    before: async ({ kubectl, at, scene }) => {
      const label = "pod-security.kubernetes.io/enforce=restricted";
      await kubectl.run(["label", "namespace", scene.namespace, label]);
      await kubectl.run(["create", "quota", "room", ...at, "--hard=requests.cpu=1,limits.memory=4Gi,pods=6"]);
    },
  }),
  defineScenario({
    name: "pod-security-refuses-hook",
    sentence:
      "The pods of the release mount a folder of the node, which the namespace's pod security then refuses, until it is allowed",
    helmTimeout: 30,
    // The chart itself refuses what else would be too much for it.
    values: { "extraVolumes[0].name": "theirs", "extraVolumes[0].hostPath.path": "/tmp" },
    firstEnd: [/timed out|timeout|deadline/i],
    mute: "the hook's pod is never made",
    before: async ({ kubectl, scene }) => {
      const label = "pod-security.kubernetes.io/enforce=restricted";
      await kubectl.run(["label", "namespace", scene.namespace, label]);
    },
    remedy: async ({ kubectl, scene }) => {
      await kubectl.run(["label", "namespace", scene.namespace, "pod-security.kubernetes.io/enforce-"]);
    },
  }),
];
