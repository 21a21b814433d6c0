// The other two pods of each case: endpoints that agents have open, and one of the account that a forwarder listens for. A
// bad day meets them beside the objects of the api-manager, and the end of it has to leave nothing of them either.
import { caOf, type Fronts } from "#scripts/demo/fronts.ts";
import { BINDING_NAME } from "#api/binding.ts";
import { boundEndpointName } from "#api/names.ts";
import { anAgentEndpoint } from "#test/support/builders.ts";
import type { Scene } from "#test/support/open-scene.ts";

/** Before the install: whom the pods trust, and what the account has that is to be bound into the cluster. */
export async function prepareWays(scene: Scene, fronts: Fronts): Promise<void> {
  const { stage, ngrok, namespace, namespaces } = scene;
  const own = [namespace, ...namespaces].map((name) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name },
  }));
  const ca = caOf(fronts, namespace);
  await stage.kubectl.apply(ca === undefined ? own : [...own, ca]);
  await ngrok.add("endpoints", { type: "cloud", url: boundUrl(scene), bindings: ["kubernetes"] });
}

/** After it: resolves when agents and forwarder have everything open. */
export async function openWays(scene: Scene): Promise<void> {
  const { stage, namespace, namespaces } = scene;
  const { kubectl } = stage;
  const endpoints = namespaces.map((name) =>
    anAgentEndpoint({
      metadata: { name: "agent", namespace: name },
      spec: { url: `https://agent-${name}.internal`, upstream: { url: "http://127.0.0.1:1" } },
    }),
  );
  await kubectl.apply(endpoints);
  for (const name of namespaces) await ready(scene, name, "agentendpoint/agent", "Ready");
  const bound = `boundendpoint/${boundEndpointName(boundUrl(scene))}`;
  await kubectl.run(["-n", namespace, "wait", bound, "--for=create", "--timeout=150s"]);
  await ready(scene, namespace, bound, "ServicesCreated");
}

/** At the end: resolves when none of this case's tunnels is open any more, as the edge sees it. */
export async function waysAreShut({ namespaces }: Scene, { edge }: Fronts): Promise<void> {
  const own = namespaces.map((name) => `https://agent-${name}.internal`);
  const isOpen = (): boolean => edge?.endpoints().some(({ url }) => own.includes(url)) ?? false;
  await edge?.journal.until("the tunnels of a release that is gone are closed", () => !isOpen());
}

/** What is there of them, for a policy that leaves nothing; @param served whether our kinds still are. */
export async function waysLeft({ stage, namespace, namespaces }: Scene, served: boolean): Promise<string[]> {
  const names = ["-o", "jsonpath={range .items[*]}{.kind} {.metadata.namespace}/{.metadata.name}{'\\n'}{end}"];
  const ours = served ? await stage.kubectl.run(["get", "agentendpoints,boundendpoints", "-A", ...names]) : "";
  const services = await stage.kubectl.run(["get", "services", "-A", "-l", BINDING_NAME, ...names]);
  const own = [namespace, ...namespaces];
  return `${ours}\n${services}`.split("\n").filter((line) => own.some((name) => line.includes(` ${name}/`)));
}

async function ready({ stage, signal }: Scene, namespace: string, object: string, condition: string): Promise<void> {
  const wait = ["-n", namespace, "wait", object, `--for=condition=${condition}`, "--timeout=150s"];
  await stage.kubectl.run(wait, { signal });
}

function boundUrl({ namespaces: [first] }: Scene): string {
  return `http://billing.${first}:80`;
}
