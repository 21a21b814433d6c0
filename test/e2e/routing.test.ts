// Users' Ingresses, Gateways and Services become endpoints at ngrok, and with the operator gone they are what they were
// before. What they ask for, and what harms it, is what `npm run demo -- --with ingress,gateway,service` shows.
import { expect } from "vitest";
import { featuresOf } from "#scripts/demo/features.ts";
import { progressOn } from "#scripts/demo/progress.ts";
import { isServed, nameOf, now, remoteOf, USERS } from "#scripts/demo/users.ts";
import { asked, harm, leave } from "#scripts/demo/users-story.ts";
import { eventsSince, podOf, said, writes } from "#test/support/audit.ts";
import { hookLines } from "#test/support/helm.ts";
import { carriers } from "#test/support/residue.ts";
import { test } from "#test/support/scene.ts";

const silent = progressOn(
  () => undefined,
  () => 0,
);

test.for(["Retain", "Delete"] as const)(
  "under %s an Ingress, a Gateway and a LoadBalancer Service are served until the drain begins, and then go free and unharmed (W2, W7, W17)",
  async (policy, { scene }) => {
    const { stage, ngrok, namespace, signal } = scene;
    const { kubectl } = stage;
    const { users: features } = featuresOf("ingress,gateway,service");
    const release = await scene.install({ helm: policy === "Retain" ? 4 : 3, values: { drainPolicy: policy } });
    const users = await asked(stage, features, silent, signal);
    const remote = remoteOf(features);
    expect(ngrok.remote()).toBe(remote);
    expect(ngrok.state()).toMatchObject({ endpoints: 3, reserved_domains: 2, reserved_addrs: 1 });
    // A class has a finalizer of Gateway API's own.
    const served = users.before.filter((one) => isServed(one) && one.kind !== "GatewayClass");
    expect(await carriers(kubectl)).toEqual(expect.arrayContaining([...served.map(nameOf), ...users.made]));
    const database = await now(
      kubectl,
      served.find(({ metadata }) => metadata.name === "database")!,
    );
    const address = database?.metadata.annotations?.["ngrok.com/computed-url"]?.slice("tcp://".length);
    const began = await scene.auditPosition();

    const run = await release.uninstall();

    expect(run.code, run.stderr).toBe(0);
    expect(ngrok.remote()).toBe(policy === "Retain" ? remote : 0);
    expect(await scene.residue()).toEqual([]);
    expect(await harm(stage, users, silent)).toEqual([]);
    const report = await kubectl.run(["-n", namespace, "get", "configmaps", "-o", "jsonpath={.items[*].data.kept}"]);
    const services = report.split("\n").filter((line) => line.startsWith("service "));
    expect(services).toEqual(policy === "Retain" ? [`service ${USERS}/database ${address}`] : []);
    const counted = hookLines(run).some((line) => line.includes("at ngrok: CloudEndpoint 3, Domain 2, Service 1"));
    expect(counted).toBe(policy === "Retain");
    const made = writes(await eventsSince(scene.auditLog, began)).filter(
      (event) => event.verb === "create" && podOf(event)?.includes("-manager-") === true && isOurs(event.objectRef),
    );
    expect(made.map(said)).toEqual([]);
    // A namespace takes its time to go, and the next install would take up what is still in it.
    await leave(stage, users);
    await kubectl.run(["delete", "namespace", USERS, "--timeout=150s"]);
  },
);

function isOurs(ref: { readonly apiGroup?: string } | undefined): boolean {
  return ref?.apiGroup?.endsWith("k8s.ngrok.com") === true;
}
