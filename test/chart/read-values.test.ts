// Every value does something: when it is changed, Helm renders something else. What is for a feature that is not there
// yet is marked so in the schema, and does nothing.
import { expect, test } from "vitest";
import { leavesOf, resolved, valuesSchema, type Leaf } from "#scripts/generate/values-schema.ts";
import { CommandFailed } from "#tools/command.ts";
import { templateText } from "./helm.ts";

const schema = valuesSchema();
const leaves = leavesOf(schema);

/** Read by the chart above this one. */
const READ_ELSEWHERE = ["enabled"];

/** Values that are read only when another one asks for it. */
const WHEN: Readonly<Record<string, readonly string[]>> = {
  "cleanupHook.image.registry": ["cleanupHook.image.repository=hooks"],
  "cleanupHook.image.tag": ["cleanupHook.image.repository=hooks"],
  "cleanupHook.image.digest": ["cleanupHook.image.repository=hooks"],
  "extraCA.key": ["extraCA.secretName=ca"],
  "ingressClass.create": ["ingress.ingressClass.create=false"],
  "image.allowLatest": ["image.tag=latest"],
  "podDisruptionBudget.create": ["replicaCount=2"],
  "podDisruptionBudget.maxUnavailable": ["podDisruptionBudget.create=true", "replicaCount=2"],
  "networkPolicy.apiServer.cidr": ["networkPolicy.enabled=true"],
  "networkPolicy.apiServer.ports": ["networkPolicy.enabled=true"],
  "networkPolicy.metricsFrom": ["networkPolicy.enabled=true"],
  "networkPolicy.extraEgress": ["networkPolicy.enabled=true"],
  "podDisruptionBudget.minAvailable": ["podDisruptionBudget.create=true", "replicaCount=2"],
  "nodeAffinityPreset.type": ["nodeAffinityPreset.key=zone"],
  "nodeAffinityPreset.key": ["nodeAffinityPreset.type=soft"],
  "nodeAffinityPreset.values": ["nodeAffinityPreset.type=soft", "nodeAffinityPreset.key=zone"],
};

/** Without which the value of that name is not read. */
function conditionsOf(name: string): readonly string[] {
  const [, part] = /^(bindings|agent)\.(?!enabled$)/.exec(name) ?? [];
  const [, monitored] = /^(metrics\.\w+)\.(?!enabled$)/.exec(name) ?? [];
  if (monitored !== undefined) return [`${monitored}.enabled=true`];
  return WHEN[name] ?? (part === undefined ? [] : [`${part}.enabled=true`]);
}

const active = leaves.filter(({ path, later }) => later === undefined && !READ_ELSEWHERE.includes(path.join(".")));

test.concurrent.for(active.map((leaf) => ({ name: leaf.path.join("."), leaf })))(
  "$name",
  async ({ name, leaf }, { expect }) => {
    // The CRDs are most of what is rendered, and read two values alone.
    const set = [...conditionsOf(name), ...(/^(installCRDs|crds|common)/.test(name) ? [] : ["installCRDs=false"])];
    const changed = await outcome(set, `${name}=${JSON.stringify(another(leaf))}`);
    expect(changed).not.toBe(await outcome(set));
  },
);

test("what may be left out may be null", async () => {
  const required = (path: readonly string[]): boolean => {
    const groups = path.slice(0, -1).map((_, depth) => path.slice(0, depth + 1));
    const parent = groups.reduce((group, at) => group.properties?.[at.at(-1) ?? ""] ?? group, schema);
    return parent.required?.includes(path.at(-1) ?? "") === true;
  };
  const optional = leaves
    .filter(({ path, schema: leaf }) => leaf.default !== undefined && !required(path))
    .map(({ path }) => path);
  expect(optional.length).toBeGreaterThan(40);
  const none = optional.map((path) => `${path.join(".")}=null`);
  expect(await templateText({ set: none })).toContain("kind: Deployment");
  expect(await templateText({ set: [...none, "bindings.enabled=true"] })).toContain("name: forwarder");
  expect(await templateText({ set: [...none, "agent.enabled=true"] })).toContain("name: agent");
});

/** What Helm prints, or says when it refuses: a check that reads a value counts as reading it. */
async function outcome(set: readonly string[], ...json: readonly string[]): Promise<string> {
  const options = { set, json, flags: ["--skip-schema-validation"] };
  try {
    return await templateText(options);
  } catch (error) {
    if (error instanceof CommandFailed) return error.stderr;
    throw error;
  }
}

/** A value of the right type that is not the default. */
function another({ schema: leaf }: Leaf): unknown {
  const whole = resolved(leaf, schema);
  if (whole.enum !== undefined) return whole.enum.findLast((choice) => choice !== leaf.default && choice !== "");
  if (whole.type === "boolean") return leaf.default !== true;
  if (whole.type === "integer") return Number(leaf.default ?? 0) + 60;
  if (whole.type === "array") return [{ name: "sentinel" }];
  return whole.type === "object" ? { sentinel: "1" } : "2";
}
