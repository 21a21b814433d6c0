// What `bench translate` translates: verbose Ingresses of three paths, ten in a namespace, each path with its own Service.
import type { KubeObject } from "#kube/kind.ts";
import { anIngressClass } from "#test/support/builders.ts";
import { backend, ingress } from "#test/support/translating.ts";

const PATHS = ["api", "static", "shop"];

export function verboseIngresses(count: number): KubeObject[] {
  const annotations = { "ngrok.com/mapping-strategy": "endpoints-verbose" };
  const each = Array.from({ length: count }, (_, number): KubeObject[] => {
    const namespace = `team-${Math.floor(number / 10)}`;
    const paths = PATHS.map((name) => ({ path: `/${name}`, to: `${name}-${number}` }));
    return [
      ingress(`shop-${number}`, { [`shop-${number}.example.com`]: paths }, { namespace, annotations }),
      ...paths.map(({ to }) => backend(to, { namespace })),
    ];
  });
  return [anIngressClass(), ...each.flat()];
}
