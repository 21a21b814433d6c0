// What we made for a BoundEndpoint: two Services in the cluster, nothing at ngrok. Only Services that carry our binding
// labels for this very endpoint go; a user's Service of the same name stays.
import type { BoundEndpoint } from "#api/bound-endpoint.ts";
import type { Release } from "#api/release.ts";
import type { KubeObject, Ref } from "#kube/kind.ts";
import { Service } from "#kube/kinds.ts";
import type { Undone, UndoHands } from "../hands.ts";

const BINDING_LABELS = [
  ["ngrok.com/endpoint-binding-name", "ngrok.com/endpoint-binding-namespace"],
  ["bindings.k8s.ngrok.com/endpoint-binding-name", "bindings.k8s.ngrok.com/endpoint-binding-namespace"],
] as const;

export async function undoBoundEndpoint(
  object: KubeObject,
  hands: UndoHands,
  _release: Release,
  signal: AbortSignal,
): Promise<Undone> {
  // A schema that was looser once may have stored an object without a target.
  const { spec, metadata }: KubeObject & { spec?: { target?: Partial<BoundEndpoint["spec"]["target"]> } } = object;
  const { namespace, service } = spec?.target ?? {};
  const services: Ref[] = [
    { namespace: metadata.namespace, name: metadata.name },
    ...(namespace && service ? [{ namespace, name: service }] : []),
  ];
  for (const at of services) await removeIfOurs(at, object, hands, signal);
  return { remote: "none" };
}

async function removeIfOurs(at: Ref, owner: KubeObject, hands: UndoHands, signal: AbortSignal): Promise<void> {
  const service = await hands.read.get(Service, at, signal);
  if (service === undefined || !belongsTo(service, owner)) return;
  await hands.write.remove({ kind: Service, ref: at, uid: service.metadata.uid ?? "" }, signal);
}

function belongsTo(service: KubeObject, owner: KubeObject): boolean {
  const labels = service.metadata.labels;
  return BINDING_LABELS.some(
    ([name, namespace]) => labels?.[name] === owner.metadata.name && labels[namespace] === owner.metadata.namespace,
  );
}
