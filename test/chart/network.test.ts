// NetworkPolicies: every pod has one, at the time at which it runs. Whether the network obeys them is the cluster's affair.
import { expect, test } from "vitest";
import { idOf, objects, valuesFiles, type Rendered } from "./helm.ts";

interface Policy {
  readonly podSelector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly policyTypes: readonly string[];
  readonly egress: readonly { readonly ports?: readonly { readonly protocol: string; readonly port: number }[] }[];
}

const ON = ["networkPolicy.enabled=true", "agent.enabled=true", "bindings.enabled=true"];
const note = ({ metadata }: Rendered, name: string): string => metadata.annotations?.[name] ?? "";
const phaseOf = (object: Rendered): string => note(object, "helm.sh/hook");

/** The policies that select the pods of this object. */
function policiesOf(object: Rendered, all: readonly Rendered[]): Rendered[] {
  const template = object.spec?.template as { metadata: { labels: Record<string, string> } } | undefined;
  const labels = template?.metadata.labels ?? {};
  return all
    .filter(({ kind, metadata }) => kind === "NetworkPolicy" && metadata.namespace === object.metadata.namespace)
    .filter(({ spec }) => {
      const { podSelector } = spec as unknown as Policy;
      return Object.entries(podSelector.matchLabels).every(([key, value]) => labels[key] === value);
    });
}

test("every pod is selected by one policy, for both directions, hooks by one that is there when they run (F25)", async () => {
  const all = await objects({ set: ON });
  const withPods = all.filter(({ spec }) => spec?.template !== undefined);
  expect(withPods.length).toBeGreaterThanOrEqual(5);
  for (const object of withPods) {
    const [policy, ...others] = policiesOf(object, all);
    if (policy === undefined) throw new Error(`no policy for ${idOf(object)}`);
    expect(others.map(idOf)).toEqual([]);
    expect((policy.spec as unknown as Policy).policyTypes).toEqual(["Ingress", "Egress"]);
    expect(phaseOf(policy), idOf(object)).toBe(phaseOf(object));
    if (phaseOf(object) === "") continue;
    // Of the release it would be gone after it, and when an uninstall that failed in the middle is repeated.
    expect(Number(note(policy, "helm.sh/hook-weight"))).toBeLessThan(Number(note(object, "helm.sh/hook-weight")));
    // Another uninstall would take it from a drain that still works.
    const stays = phaseOf(object) === "pre-delete";
    expect(note(policy, "helm.sh/hook-delete-policy")).toMatch(stays ? /^before-hook-creation$/ : /,hook-succeeded/);
  }
});

test("no policy selects pods that are not the chart's", async () => {
  const policies = (await objects({ set: ON })).filter(({ kind }) => kind === "NetworkPolicy");
  for (const { spec } of policies)
    expect((spec as unknown as Policy).podSelector.matchLabels).toMatchObject({
      "app.kubernetes.io/instance": "edge",
      "app.kubernetes.io/component": expect.any(String) as string,
    });
});

test("each lets its pods ask DNS, also on OpenShift, whose DNS pods listen on another port", async () => {
  const policies = (await objects({ set: ON })).filter(({ kind }) => kind === "NetworkPolicy");
  for (const policy of policies) {
    const [dns] = (policy.spec as unknown as Policy).egress;
    expect(dns?.ports?.map(({ protocol, port }) => `${protocol} ${port}`).toSorted(), idOf(policy)).toEqual([
      "TCP 53",
      "TCP 5353",
      "UDP 53",
      "UDP 5353",
    ]);
  }
});

test("there is none where nobody asks for it", async () => {
  for (const { name, path } of valuesFiles()) {
    const all = await objects({ files: [path], set: ["networkPolicy.enabled=false"] });
    expect(all.filter(({ kind }) => kind === "NetworkPolicy").map(idOf), name).toEqual([]);
  }
});
