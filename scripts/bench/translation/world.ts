// What is translated where Ingresses are measured: verbose Ingresses of up to three paths, ten in a namespace, each path with its own Service.
import type { KubeObject } from "#kube/kind.ts";
import { anIngressClass } from "#test/support/builders.ts";
import { backend, ingress } from "#test/support/translating.ts";

const PATHS = ["api", "static", "shop"];

export function verboseIngresses(count: number, paths = PATHS.length): KubeObject[] {
  const annotations = { "ngrok.com/mapping-strategy": "endpoints-verbose" };
  const each = Array.from({ length: count }, (_, number): KubeObject[] => {
    const namespace = `team-${Math.floor(number / 10)}`;
    const led = PATHS.slice(0, paths).map((name) => ({ path: `/${name}`, to: `${name}-${number}` }));
    return [
      ingress(`shop-${number}`, { [`shop-${number}.example.com`]: led }, { namespace, annotations }),
      ...led.map(({ to }) => backend(to, { namespace })),
    ];
  });
  return [anIngressClass(), ...each.flat()];
}
