// The other trigger: somebody deletes the KubernetesOperator by hand, and the operator drains itself.
import { expect } from "vitest";
import { eventsSince, freeings, podOf, said, writes } from "#test/support/audit.ts";
import { aCloudEndpoint } from "#test/support/builders.ts";
import { podsAreReady } from "#test/support/pods.ts";
import { carriers } from "#test/support/residue.ts";
import { FULLNAME, RELEASE, test } from "#test/support/scene.ts";

const selector = `app.kubernetes.io/instance=${RELEASE},app.kubernetes.io/component=controller`;

test.for(["Retain", "Delete"] as const)(
  "under %s a KubernetesOperator that is deleted by hand goes with everything that is to be freed, and nobody writes any more (E20, W6, W13)",
  async (policy, { scene }) => {
    const { stage, ngrok, auditLog, namespace, namespaces } = scene;
    const { kubectl } = stage;
    const at = ["--namespace", namespace];
    const pods = [...at, "--selector", selector];
    const release = await scene.install({ helm: policy === "Retain" ? 3 : 4, values: { drainPolicy: policy } });
    await scene.populate(9);
    const begun = await scene.auditPosition();

    await kubectl.run([...at, "delete", `kubernetesoperator/${RELEASE}`, "--timeout=150s"]);

    expect(await carriers(kubectl)).toEqual([]);
    expect(ngrok.remote()).toBe(policy === "Retain" ? 9 : 0);
    expect(ngrok.objects("kubernetes_operators")).toEqual([]);
    const operator = `system:serviceaccount:${namespace}:${FULLNAME}`;
    const removals = freeings(await eventsSince(auditLog, begun));
    expect(removals).toHaveLength(10);
    expect(removals.filter(({ user }) => user.username !== operator).map(said)).toEqual([]);
    const state = ["get", "configmap", `${FULLNAME}-drain-state`, "-o", "jsonpath={.data.phase}"];
    expect(await kubectl.run([...at, ...state])).toBe("Drained");

    // The object goes before the last word of who drained: that he lets go of the Lease.
    const lease = [...at, "get", "lease", `${FULLNAME}-leader`, "--ignore-not-found"];
    const holder = async (): Promise<string> => await kubectl.run([...lease, "-o", "jsonpath={.spec.holderIdentity}"]);
    await expect.poll(holder, { timeout: 180_000 }).toBe("");

    // A pod that starts afterwards must not take "drained" for "new".
    const drained = await scene.auditPosition();
    await kubectl.run(["delete", "pods", ...pods, "--timeout=150s"]);
    await podsAreReady(kubectl, pods);
    const late = aCloudEndpoint({
      metadata: { name: "late", namespace: namespaces[0] },
      spec: { url: "https://late.internal" },
    });
    await kubectl.apply([late]);

    const run = await release.uninstall();

    expect(run.code, run.stderr).toBe(0);
    const all = await eventsSince(auditLog, drained);
    expect(
      writes(all)
        .filter((event) => podOf(event)?.includes("-manager-"))
        .map(said),
    ).toEqual([]);
    expect(ngrok.remote()).toBe(policy === "Retain" ? 9 : 0);
    expect(await scene.residue()).toEqual([]);
    const left = await scene.leftovers();
    expect(left.filter((object) => !object.startsWith("customresourcedefinition "))).toEqual([]);
  },
);
