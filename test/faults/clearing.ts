// Between two cases: nothing of the one may be left for the next, and nothing waits for what goes by itself.
import type { Kubectl } from "#test/support/kubectl.ts";
import { RELEASE, type Scene } from "#test/support/open-scene.ts";
import { carriers } from "#test/support/residue.ts";
import { leaveUsers } from "./users.ts";

const OURS = "cloudendpoints,domains,ippolicies,agentendpoints,boundendpoints,kubernetesoperators,ngroktrafficpolicies";

/**
 * What earlier cases have left outside of namespaces: the CRDs that are kept belong to their release, and Helm would refuse
 * them to the next one; the rest is of cases that failed.
 */
export async function prepare({ stage: { kubectl }, namespace }: Scene): Promise<void> {
  const rights = ["clusterroles,clusterrolebindings,ingressclasses", "-l", `app.kubernetes.io/instance=${RELEASE}`];
  await kubectl.run(["delete", ...rights, "--ignore-not-found"]);
  const crds = await ourCrds(kubectl);
  if (crds.length === 0) return;
  await kubectl.run(["annotate", ...crds, "--overwrite", `meta.helm.sh/release-namespace=${namespace}`]);
}

type Place = Pick<Scene, "stage" | "namespace" | "namespaces">;

/** Takes away what a run has left that was interrupted, on a cluster that stays up. */
export async function wipeAll(stage: Scene["stage"]): Promise<void> {
  const names = (
    await stage.kubectl.run(["get", "namespaces", "--field-selector=status.phase=Active", "-o", "name"])
  ).split("\n");
  for (const name of names) {
    const [, id] = /^namespace\/ngrok-([0-9a-f]{4})$/.exec(name) ?? [];
    if (id === undefined) continue;
    await wipe({ stage, namespace: `ngrok-${id}`, namespaces: [`one-${id}`, `two-${id}`, `three-${id}`] }, false);
  }
}

/**
 * Takes away what a case has left; what merely terminates is left to do so. A case that passed has left users' objects and
 * CRDs; of one that failed nothing is taken for granted.
 */
export async function wipe(place: Place, passed: boolean): Promise<void> {
  const { stage, namespace, namespaces } = place;
  const { kubectl } = stage;
  if (!passed) {
    await stage.helm(3, ["uninstall", RELEASE, "--namespace", namespace, "--no-hooks", "--ignore-not-found"]);
    // An operator that still runs would put finalizers back.
    const pods = ["pods", "--selector", `app.kubernetes.io/instance=${RELEASE}`, "--grace-period=0", "--force"];
    await kubectl.run(["delete", ...pods, "-n", namespace, "--ignore-not-found", "--wait=false"]);
    for (const carrier of await carriers(kubectl)) await freed(kubectl, carrier.replace(" ", "/"));
  }
  const crds = await ourCrds(kubectl);
  if (crds.length > 0) {
    await kubectl.run(["delete", OURS, "--all", "--all-namespaces", "--wait=false"]).catch(() => {}); // some are not served
    const columns = "custom-columns=:.kind,:.metadata.namespace,:.metadata.name";
    const held = await kubectl.run(["get", OURS, "-A", "--no-headers", "-o", columns]).catch(() => "");
    for (const line of held.split("\n").filter(Boolean)) await freed(kubectl, line.split(/ +/).join("/"));
    await dropTerminating(place, crds);
  }
  await leaveUsers(place);
  await kubectl.run(["delete", "namespace", namespace, ...namespaces, "--ignore-not-found", "--wait=false"]);
}

/** @param path `kind/namespace/name`, or `kind/name` */
async function freed(kubectl: Kubectl, path: string): Promise<void> {
  const [kind = "", first = "", second] = path.split("/");
  const at = second === undefined ? [kind, first] : ["-n", first, kind, second];
  await kubectl.run(["patch", ...at, "--type=merge", "-p", '{"metadata":{"finalizers":null}}']).catch(() => {}); // gone meanwhile
}

/** A CRD that goes must be gone before the next install, which would find it half there. */
async function dropTerminating({ stage: { kubectl } }: Place, crds: readonly string[]): Promise<void> {
  const template = "jsonpath={range .items[?(@.metadata.deletionTimestamp)]}{.metadata.name}{'\\n'}{end}";
  const going = (await kubectl.run(["get", "crds", "-o", template])).split("\n").filter((name) => name !== "");
  const ours = going.map((name) => `customresourcedefinition.apiextensions.k8s.io/${name}`);
  const both = ours.filter((name) => crds.includes(name));
  if (both.length > 0) await kubectl.run(["wait", "--for=delete", ...both, "--timeout=150s"]);
}

async function ourCrds(kubectl: Kubectl): Promise<string[]> {
  const names = (await kubectl.run(["get", "crds", "-o", "name"])).split("\n");
  return names.filter((name) => name.endsWith(".k8s.ngrok.com"));
}
