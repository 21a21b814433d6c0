// Users' Ingresses and Services become endpoints at ngrok, and with the operator gone they are what they were before.
import { expect } from "vitest";
import { anIngress, aService } from "#test/support/builders.ts";
import { eventsSince, podOf, said, writes } from "#test/support/audit.ts";
import type { Kubectl } from "#test/support/kubectl.ts";
import { test } from "#test/support/scene.ts";

interface Whole {
  readonly metadata: { annotations?: Record<string, string>; finalizers?: string[] };
  readonly spec: unknown;
}

test.for(["Retain", "Delete"] as const)(
  "under %s an Ingress and a LoadBalancer Service are served until the drain begins, and then go free (W2, W7, W17)",
  async (policy, { scene }) => {
    const { stage, ngrok, namespaces } = scene;
    const { kubectl } = stage;
    const [namespace] = namespaces;
    const release = await scene.install({ helm: policy === "Retain" ? 4 : 3, values: { drainPolicy: policy } });
    const metadata = { namespace, annotations: { "ngrok.com/mapping-strategy": "endpoints-verbose" } };
    const web = aService({ metadata: { name: "shop", namespace } });
    const { loadBalancerClass: _, ...plain } = { ...web.spec, type: "ClusterIP", ports: [{ port: 80 }] };
    await kubectl.run(["create", "namespace", namespace]);
    await kubectl.apply([{ ...web, spec: plain }, anIngress({ metadata }), aService({ metadata: { namespace } })]);
    for (const object of ["ingress/shop", "service/database"]) await isReached(kubectl, namespace, object);
    await kubectl.run(["-n", namespace, "wait", "--for=condition=Ready", "clep/shop.example.com", "--timeout=30s"]);
    const before = [
      await whole(kubectl, namespace, "ingress/shop"),
      await whole(kubectl, namespace, "service/database"),
    ];
    for (const { metadata: claimed } of before) expect(claimed.finalizers).toContain("k8s.ngrok.com/finalizer");
    const remote = ngrok.remote();
    expect(ngrok.state()).toMatchObject({ endpoints: 1, reserved_domains: 1, reserved_addrs: 1 });
    const began = await scene.auditPosition();

    const run = await release.uninstall();

    expect(run.code, run.stderr).toBe(0);
    expect(ngrok.remote()).toBe(policy === "Retain" ? remote : 0);
    expect(await scene.residue()).toEqual([]);
    for (const [at, object] of ["ingress/shop", "service/database"].entries()) {
      const after = await whole(kubectl, namespace, object);
      expect(after.spec).toEqual(before[at]?.spec);
      expect(after.metadata.finalizers ?? []).not.toContainEqual(expect.stringMatching(/ngrok/));
      expect(after.metadata.annotations).not.toHaveProperty("ngrok.com/drain-owner");
    }
    const made = writes(await eventsSince(scene.auditLog, began)).filter(
      (event) => event.verb === "create" && podOf(event)?.includes("-manager-") === true && isOurs(event.objectRef),
    );
    expect(made.map(said)).toEqual([]);
    // A namespace takes its time to go, and the next install would take up what is still in it.
    await kubectl.run(["-n", namespace, "delete", "services,ingresses", "--all"]);
  },
);

function isOurs(ref: { readonly apiGroup?: string } | undefined): boolean {
  return ref?.apiGroup?.endsWith("k8s.ngrok.com") === true;
}

async function isReached(kubectl: Kubectl, namespace: string, object: string): Promise<void> {
  const reached = "--for=jsonpath={.status.loadBalancer.ingress[0].hostname}";
  await kubectl.run(["-n", namespace, "wait", reached, object, "--timeout=30s"], { timeout: 40_000 });
}

async function whole(kubectl: Kubectl, namespace: string, object: string): Promise<Whole> {
  return await kubectl.json<Whole>(["-n", namespace, "get", object]);
}
