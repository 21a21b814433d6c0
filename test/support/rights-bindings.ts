// Endpoint bindings in the life of an install: an endpoint is bound, changes, and goes; with the feature off what it left goes.
import { DRAIN_OWNER, FINALIZER } from "#api/keys.ts";
import { aBoundEndpoint } from "./builders.ts";
import type { Ground } from "./rights-ground.ts";

const BILLING = "boundendpoints.bindings.k8s.ngrok.com/ngrok-4e0b9e5c-3ad2-5c3d-8f50-d8ba2ae0a3a1";

/** An endpoint of the account becomes a BoundEndpoint with its Services, which somebody spoils, and goes. */
export async function bindsAndUnbinds({ kubectl, ngrok, asked }: Ground): Promise<void> {
  await kubectl(["create", "namespace", "bound"]).catch(() => undefined);
  const made = asked(/\/boundendpoints\/[^/]+\/status/);
  const id = await ngrok.add("endpoints", { type: "cloud", url: "http://billing.bound", bindings: ["kubernetes"] });
  await made;
  const all = ["boundendpoints", "-n", "ops", "--all"];
  await kubectl(["wait", "--for=condition=ServicesCreated", ...all, "--timeout=150s"]);
  const service = await kubectl(["get", "boundendpoints", "-n", "ops", "-o", "jsonpath={.items[0].metadata.name}"]);
  await kubectl([
    "patch",
    "service",
    service,
    "-n",
    "ops",
    "--type=merge",
    "-p",
    '{"spec":{"selector":{"app":"theirs"}}}',
  ]);
  const mended = "--for=jsonpath={.spec.selector.app\\.kubernetes\\.io/component}=bindings-forwarder";
  await kubectl(["wait", mended, `service/${service}`, "-n", "ops", "--timeout=150s"]);
  await fetch(`${ngrok.url}/endpoints/${id}`, {
    method: "DELETE",
    headers: { authorization: "Bearer a-person", "ngrok-version": "2" },
  });
  await kubectl(["wait", "--for=delete", ...all, "--timeout=150s"]);
}

/** To be there before the operator starts with bindings off. */
export const leftByBindings = aBoundEndpoint({
  metadata: {
    name: BILLING.slice(BILLING.indexOf("/") + 1),
    namespace: "ops",
    annotations: { [DRAIN_OWNER]: "ops/ngrok" },
    finalizers: [FINALIZER],
  },
  spec: { target: { namespace: "ops" } },
});

export async function goesWithBindingsOff({ kubectl }: Pick<Ground, "kubectl">): Promise<void> {
  await kubectl(["delete", BILLING, "-n", "ops", "--timeout=150s"]);
}
