// Helm and people with kubectl in the middle of a drain, and the ways in which an operator goes without its hooks.
import assert from "node:assert/strict";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FULLNAME, RELEASE } from "#test/support/open-scene.ts";
import { CHART } from "#test/support/stage.ts";
import type { AddedCallFault } from "#test/support/api-proxy.ts";
import type { HelmRun } from "#test/support/helm.ts";
import { podOf, writes } from "#test/support/audit.ts";
import { pageCommands } from "#test/support/page-commands.ts";
import { CommandFailed } from "#tools/command.ts";
import { defineScenario, type Policy, unguarded, type Act } from "../scenario.ts";

/** Calls that a leader makes at least to free 30 objects, those of the other two pods and of the users, from its mark on. */
const CALLS_OF_LEADER: Readonly<Record<Policy, number>> = { Retain: 100, Delete: 130 };

const STATE = `configmap/${FULLNAME}-drain-state`;

/** Holds the drain at its first object until what has to happen in its middle has happened. */
async function inTheMiddle(act: Act, happens: () => Promise<unknown>): Promise<void> {
  const match = { caller: "drain", method: "PATCH", path: /cloudendpoints/ } as const;
  const hold = act.proxy.add({ kind: "hold", match });
  const { path } = await hold.hit;
  // It is given up after five seconds and tried again; on a busy machine what has to happen takes longer.
  const again = act.proxy.add({ kind: "hold", match: { ...match, path: new RegExp(`${path}$`) }, times: Infinity });
  try {
    await happens();
  } finally {
    hold.release();
    again.release();
  }
}

async function helm(act: Act, ...args: string[]): Promise<HelmRun> {
  return await act.scene.stage.helm(act.run.helm, [...args, ...act.at]);
}

/** Nobody of the operator has put a finalizer on anything since the uninstall began. */
async function noFinalizerWasAdded(act: Act): Promise<void> {
  const added = writes(await act.audit()).filter((event) => {
    const text = JSON.stringify(event.requestObject ?? "");
    return podOf(event)?.includes("-manager-") === true && /"op":"add"[^}]*finalizers/.test(text);
  });
  assert.deepEqual(added, []);
}

/** Helm forgets the revisions that it knew when it began; one from the middle stays listed until the same command again. */
async function theNewRevisionGoesToo(act: Act): Promise<void> {
  const revisions = ["get", ...act.at, "secrets", "--selector", `owner=helm,name=${RELEASE}`, "-o", "name"];
  assert.match(await act.kubectl.run(revisions), /^\S+\n?$/, "one revision");
  // The Secret has gone with the first uninstall: where nothing is left, Delete asks for no key.
  const next = await act.again();
  assert.equal(next.code, 0, next.stderr);
  assert.equal(await act.kubectl.run(revisions), "");
  const left = await act.scene.leftovers();
  assert.deepEqual(
    left.filter((line) => !line.startsWith("customresourcedefinition ")),
    [],
  );
}

/** Whether somebody outside of the cluster has written the drain state anew since the uninstall began. */
async function wasReplaced(act: Act): Promise<boolean> {
  return writes(await act.audit()).some(
    (event) =>
      podOf(event) === undefined &&
      ["create", "update"].includes(event.verb) &&
      event.objectRef?.name === `${FULLNAME}-drain-state`,
  );
}

function attempt(word: string): string[] {
  return ["--set", `podAnnotations.attempt=${word}`];
}

/** It fails, since nothing is ready within a second: then revision 1 stays deployed, and Helm goes on from it. */
async function failedUpgrade(act: Act): Promise<void> {
  const slow = ["--wait", "--timeout", "1s", ...attempt("first")];
  const failed = await helm(act, "upgrade", RELEASE, CHART, "--reuse-values", ...slow);
  assert.equal(failed.code, 1);
}

/** Helm 4 replaces only what it applies from its own side. */
function byForce(act: Act): string[] {
  return act.run.helm === 3 ? ["--force"] : ["--force-replace", "--server-side=false"];
}

/** Some objects cannot be replaced, whatever Helm says; the state is, and that is what matters here. */
async function replacesTheState(act: Act, ...args: string[]): Promise<void> {
  const { stderr } = await helm(act, ...args);
  assert.ok(await wasReplaced(act), `the drain state was not replaced: ${stderr}`);
  await act.phase("Draining");
}

/** A command line as the run of a `way`: what it printed, and 0 or 1. */
async function asRun(work: () => Promise<string>): Promise<HelmRun> {
  const began = performance.now();
  const seconds = (): number => (performance.now() - began) / 1000;
  try {
    return { code: 0, stdout: await work(), stderr: "", seconds: seconds() };
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    return { code: 1, stdout: "", stderr: error.stderr, seconds: seconds() };
  }
}

/** Types a block of the page for whom no hook helps; in `folder` are the values and the Helm of this case. */
async function runbook(act: Act, word: "gone" | "sweep", folder?: string): Promise<void> {
  const page = await pageCommands("runbook-uninstall.md");
  await page.type(act.scene, word, folder === undefined ? {} : { cwd: folder, bin: folder });
}

/** The KubernetesOperator first, then the release without its hooks, as tools do it that know none. */
async function withoutHooks(act: Act): Promise<HelmRun> {
  return await asRun(async () => {
    const operator = `kubectl ${act.at.join(" ")} delete kubernetesoperator ${RELEASE} --timeout=150s`;
    const said = await act.shell(`${operator} && helm uninstall ${RELEASE} ${act.at.join(" ")} --no-hooks`);
    await runbook(act, "sweep");
    return said;
  });
}

export const releases = [
  defineScenario({
    name: "upgrade-in-the-middle",
    sentence: "Someone upgrades the release in mid-drain, which an earlier failed upgrade makes possible (F11)",
    keepFalse: true,
    firstEnd: "maybe",
    before: failedUpgrade,
    during: async (act) => {
      await inTheMiddle(act, async () => {
        const upgraded = await helm(act, "upgrade", RELEASE, CHART, "--reuse-values", ...attempt("second"));
        assert.equal(upgraded.code, 0, upgraded.stderr);
      });
    },
    remedy: async () => await Promise.resolve(),
    after: async (act) => {
      await noFinalizerWasAdded(act);
      await theNewRevisionGoesToo(act);
    },
  }),
  defineScenario({
    name: "rollback-in-the-middle",
    sentence: "Someone rolls the release back to its first revision in mid-drain (F11, F7)",
    keepFalse: true,
    firstEnd: "maybe",
    during: async (act) => {
      await inTheMiddle(act, async () => {
        const back = await helm(act, "rollback", RELEASE, "1");
        assert.equal(back.code, 0, back.stderr);
      });
    },
    remedy: async () => await Promise.resolve(),
    after: async (act) => {
      await noFinalizerWasAdded(act);
      await theNewRevisionGoesToo(act);
    },
  }),
  defineScenario({
    name: "forced-in-the-middle",
    sentence:
      "Someone rolls the release back by force in mid-drain, which replaces the drain state and wipes its mark (F11)",
    keepFalse: true,
    firstEnd: "maybe",
    during: async (act) => {
      await inTheMiddle(act, async () => {
        await replacesTheState(act, "rollback", RELEASE, "1", ...byForce(act));
      });
    },
    remedy: async () => await Promise.resolve(),
    after: async (act) => {
      await noFinalizerWasAdded(act);
      await theNewRevisionGoesToo(act);
    },
  }),
  defineScenario({
    name: "upgrade-forced-in-the-middle",
    sentence:
      "Someone upgrades the release by force in mid-drain, after an upgrade that failed: the drain state is replaced, its mark wiped (F11)",
    keepFalse: true,
    firstEnd: "maybe",
    before: failedUpgrade,
    during: async (act) => {
      await inTheMiddle(act, async () => {
        const flags = ["--reuse-values", ...attempt("second"), ...byForce(act)];
        await replacesTheState(act, "upgrade", RELEASE, CHART, ...flags);
      });
    },
    remedy: async () => await Promise.resolve(),
    after: async (act) => {
      await noFinalizerWasAdded(act);
      await theNewRevisionGoesToo(act);
    },
  }),
  defineScenario({
    name: "mark-wiped",
    sentence:
      "The mark is wiped in mid-drain by kubectl replace, then the whole drain state is deleted, and pods restart (F11)",
    keepFalse: true,
    smoke: true,
    during: async (act) => {
      const { kubectl, at } = act;
      await inTheMiddle(act, async () => {
        const { metadata } = await kubectl.json<{ metadata: Record<string, unknown> }>(["get", ...at, STATE]);
        const { name, namespace, labels, annotations } = metadata;
        const empty = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace, labels, annotations } };
        await kubectl.run(["replace", "-f", "-"], { input: JSON.stringify(empty) });
        await act.phase("Draining");
        await kubectl.run(["delete", ...at, STATE]);
        await kubectl.run(["wait", ...at, "--for=create", STATE, "--timeout=150s"]);
        await act.phase("Draining");
        const pods = [
          "pods",
          "--selector",
          `app.kubernetes.io/instance=${RELEASE},app.kubernetes.io/component=controller`,
        ];
        await kubectl.run(["delete", ...at, ...pods, "--wait=false"]);
      });
    },
    after: noFinalizerWasAdded,
  }),
  defineScenario({
    name: "no-hooks-then-runbook",
    sentence: "helm uninstall --no-hooks with the operator alive, and afterwards the runbook's way (F1)",
    keepFalse: true,
    way: async (act) => {
      const at = act.at.join(" ");
      const folder = await mkdtemp(join(tmpdir(), "runbook-"));
      act.onEnd(async () => await rm(folder, { recursive: true }));
      await symlink(join(act.scene.stage.cluster.bin, `helm${act.run.helm}`), join(folder, "helm"));
      await act.shell(`helm get values ${RELEASE} ${at} -o yaml > ${folder}/values.yaml`);
      const gone = await helm(act, "uninstall", RELEASE, "--no-hooks");
      assert.equal(gone.code, 0, gone.stderr);
      const pods = ["pods", "--selector", `app.kubernetes.io/instance=${RELEASE}`];
      await act.kubectl.run(["wait", ...act.at, "--for=delete", ...pods, "--timeout=150s"]);
      return await asRun(async () => {
        const secret = `secret generic ${FULLNAME}-credentials --from-literal=API_KEY=stand-in-key`;
        await act.shell(`kubectl create ${at} ${secret}`);
        await runbook(act, "gone", folder);
        const told = await act.shell(`kubectl ${at} logs job/${FULLNAME}-drain`);
        await act.shell(`kubectl ${at} delete secret ${FULLNAME}-credentials`);
        await runbook(act, "sweep");
        return told;
      });
    },
  }),
  defineScenario({
    name: "namespace-deleted-first",
    sentence:
      "The release's namespace is deleted instead of an uninstall: the operator drains before it goes (F16, E21)",
    values: unguarded,
    // What belongs to no namespace does not go with one: the runbook's sweep takes it.
    way: async (act) =>
      await asRun(async () => {
        const said = await act.shell(`kubectl delete namespace ${act.scene.namespace} --timeout=150s`);
        await runbook(act, "sweep");
        return said;
      }),
  }),
  defineScenario({
    name: "driving-leader-killed",
    sentence:
      "The KubernetesOperator is deleted by hand, and the leader's process is killed at a call that is drawn over its drain (E14, E20)",
    keepFalse: true,
    before: async ({ proxy, random, killAt, onEnd, run }) => {
      const n = random.int(1, CALLS_OF_LEADER[run.policy]);
      let kill: AddedCallFault | undefined;
      proxy.add({
        kind: "do",
        match: { caller: "manager", method: "PATCH", path: /\/configmaps\/.*-drain-state$/ },
        run: () => void (kill = killAt({ caller: "manager" }, n)),
      });
      console.log(`kills the leader at call ${n} of its drain`);
      onEnd(async () => {
        await Promise.resolve();
        if (kill?.hits !== 1) throw new Error(`the leader made fewer than ${n} calls in its drain`);
      });
    },
    way: withoutHooks,
  }),
  defineScenario({
    name: "argo-like",
    sentence:
      "A GitOps tool that knows no hooks deletes the KubernetesOperator in a wave of its own, and the rest after it (E20)",
    keepFalse: true,
    smoke: true,
    way: withoutHooks,
  }),
];
