// What the CRDs of Gateway API fill in where a field is left out, since no API server has seen a file. Only what no other place
// of the translator takes for granted already (a path's type and value, a weight, the group and kind of a reference).
import { HTTPRoute } from "#kube/kinds.ts";
import type { KubeObject } from "#kube/kind.ts";

const MATCHES = [{ path: { type: "PathPrefix", value: "/" } }];

/** The object as the API server would store it. An empty list is no field that is left out, and stays; null is one. */
export function withDefaults(object: KubeObject): KubeObject {
  const { spec } = object as { spec?: { rules?: unknown } };
  if (object.kind !== HTTPRoute.kind || spec === undefined) return object;
  const rules = spec.rules ?? [{}];
  if (!Array.isArray(rules)) return object;
  return { ...object, spec: { ...spec, rules: rules.map(withMatches) } } as KubeObject;
}

function withMatches(rule: unknown): unknown {
  if (typeof rule !== "object" || rule === null || Array.isArray(rule)) return rule;
  return { ...rule, matches: (rule as { matches?: unknown }).matches ?? MATCHES };
}
