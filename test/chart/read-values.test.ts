// Every value does something: when it is changed, Helm renders something else.
import { test } from "vitest";
import { leavesOf, resolved, typeOf, valuesSchema, type Leaf } from "#scripts/generate/values-schema.ts";
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

const active = leaves.filter(({ path }) => !READ_ELSEWHERE.includes(path.join(".")));

test.concurrent.for(active.map((leaf) => ({ name: leaf.path.join("."), leaf })))(
  "$name",
  async ({ name, leaf }, { expect }) => {
    // The CRDs are most of what is rendered, and read two values alone.
    const set = [...conditionsOf(name), ...(/^(installCRDs|crds|common)/.test(name) ? [] : ["installCRDs=false"])];
    const changed = await outcome(set, `${name}=${JSON.stringify(another(leaf))}`);
    expect(changed).not.toBe(await outcome(set));
  },
);

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
  const type = typeOf(whole);
  if (type === "boolean") return leaf.default !== true;
  if (type === "integer") return Number(leaf.default ?? 0) + 60;
  if (type === "array") return [{ name: "sentinel" }];
  return type === "object" ? { sentinel: "1" } : "2";
}
