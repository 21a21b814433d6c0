// What an e2e test begins with: the stage of the run, a scene of its own on it, and afterwards a cluster that shows nothing
// of it.
import { inject, test as base } from "vitest";
import { type AuditEvent, eventsSince, said } from "./audit.ts";
import { denials } from "./denials.ts";
import { FULLNAME, openScene, RELEASE, type Scene } from "./open-scene.ts";
import { carriers } from "./residue.ts";
import { accountOf } from "./rights.ts";
import { stageOf, type Stage } from "./stage.ts";

export { FULLNAME, RELEASE, type Scene } from "./open-scene.ts";

export const test = base.extend<{ scene: Scene }>({
  scene: async ({ signal, task }, use) => {
    const { cluster, image } = inject("stage");
    await using scene = await openScene(stageOf(cluster, image), { signal });
    const began = await scene.auditPosition();
    await use(scene);
    const events = (await eventsSince(scene.auditLog, began)).filter((event) => !isOfAnother(event, scene));
    const refused = denials(events, FULLNAME).map(said);
    if (task.result?.state === "fail") console.log(await scene.diagnosis());
    await wipe(scene.stage, scene.namespace, scene.namespaces);
    if (refused.length > 0) throw new Error(`RBAC refused what our programs asked for:\n${refused.join("\n")}`);
  },
});

/** A pod of the scene before may still be leaving, long after its rights went. */
function isOfAnother(event: AuditEvent, { namespace }: Scene): boolean {
  const [at = ""] = accountOf(event)?.split("/") ?? [];
  return /^ngrok-[0-9a-f]{4}$/.test(at) && at !== namespace;
}

/** Nothing of a test is left for the next one, whatever became of it. */
async function wipe(stage: Stage, namespace: string, namespaces: readonly string[]): Promise<void> {
  const { kubectl } = stage;
  await stage.helm(3, ["uninstall", RELEASE, "--namespace", namespace, "--no-hooks", "--ignore-not-found"]);
  for (const carrier of await carriers(kubectl)) {
    const [kind = "", path = ""] = carrier.split(" ");
    const at = path.includes("/") ? ["-n", path.split("/")[0] ?? "", kind, path.split("/")[1] ?? ""] : [kind, path];
    const patch = '{"metadata":{"finalizers":null}}';
    await kubectl.run(["patch", ...at, "--type=merge", "-p", patch]).catch(() => {}); // gone meanwhile
  }
  await kubectl.run(["delete", "namespace", namespace, ...namespaces, "--ignore-not-found", "--wait=false"]);
  const crds = (await kubectl.run(["get", "crds", "-o", "name"]))
    .split("\n")
    .filter((name) => name.endsWith(".k8s.ngrok.com"));
  const flags = ["--ignore-not-found", "--timeout=150s"];
  if (crds.length > 0) await kubectl.run(["delete", ...crds, ...flags]);
}
