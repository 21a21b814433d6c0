// null in values is how people of Helm say "not set". Helm itself takes a key away for it where the chart has a default;
// what has none, and the entries of maps, it hands on as null: to the schema and to the templates.
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { isGroup, propertiesOf, valuesSchema, type ValueSchema } from "#scripts/generate/values-schema.ts";
import { CHART, objects, refusal, templateText, type HelmVersion } from "./helm.ts";

const HELMS: readonly HelmVersion[] = ["helm3", "helm4"];
const ON = ["agent.enabled=true", "bindings.enabled=true", "networkPolicy.enabled=true", "replicaCount=2"];
const PARTS = ["podDisruptionBudget.create", "metrics.podMonitor.enabled", "metrics.dashboard.enabled"];

/** What reaches the schema as null, since the chart has no default for it. */
const HANDED_ON = [
  "controllerName",
  "watchNamespace",
  "ingressClass",
  "metaData",
  "enabled",
  "global",
  "agent.updateStrategy.rollingUpdate",
  "agent.resources.claims",
  "agent.resources.limits.example",
  "podDisruptionBudget.minAvailable",
  "commonLabels.team",
  "commonAnnotations.note",
  "podLabels.team",
  "podAnnotations.note",
  "extraEnv.LEVEL",
  "ngrokMetadata.team",
  "bindings.serviceLabels.team",
  "bindings.serviceAnnotations.note",
  "serviceAccount.annotations.note",
  "metrics.podMonitor.labels.team",
];
const INSIDE = ["global.imageRegistry", "global.imagePullSecrets", "ingressClass.name", "ingressClass.create"];

interface Node {
  readonly name: string;
  readonly required: boolean;
  readonly schema: ValueSchema;
}

/** Every value and every group of values. */
function nodes(group: ValueSchema, path: readonly string[] = []): Node[] {
  return propertiesOf(group).flatMap(([key, schema]) => {
    const at = [...path, key];
    const own = { name: at.join("."), required: group.required?.includes(key) === true, schema };
    return [own, ...(isGroup(schema) ? nodes(schema, at) : [])];
  });
}

const all = nodes(valuesSchema());
const on = [...ON, ...PARTS.map((name) => `${name}=true`), "installCRDs=false"];
const none = (names: readonly string[]): string[] => names.map((name) => `${name}=null`);

describe.for(HELMS)("%s", (helm) => {
  test("what the chart has no default for may be null, and nothing comes of it", async () => {
    const without = await objects({ helm, set: on });
    expect(await objects({ helm, set: [...on, ...none(HANDED_ON)] })).toEqual(without);
    expect(await objects({ helm, set: [...on, ...none(INSIDE)] })).toEqual(without);
  });

  test("what has a default that means something else than nothing may not: its name is told, and what to do", async () => {
    for (const name of all.filter(({ required }) => required).map((node) => node.name)) {
      const key = name.split(".").at(-1) ?? "";
      const text = await refusal({ helm, set: [`${name}=null`] });
      expect(text, name).toContain(`missing property '${key}'`);
      expect(text, name).toContain("leave a key out rather than write null;");
    }
  });

  test("all else may be null, each group and each value", async () => {
    const optional = all.filter(({ required }) => !required).map(({ name }) => name);
    expect(optional.length).toBeGreaterThan(100);
    const alone = optional.filter((name) => !optional.some((other) => other.startsWith(`${name}.`)));
    const outermost = optional.filter((name) => !optional.some((other) => name.startsWith(`${other}.`)));
    for (const set of [none(outermost), none(alone)]) {
      const text = await templateText({ helm, set });
      expect(text).toContain("kind: Deployment");
      expect(text).not.toMatch(/<nil>|<no value>/);
    }
    const more = ON.filter((one) => !alone.includes(one.split("=")[0] ?? ""));
    expect(await templateText({ helm, set: [...none(alone), ...more] })).toContain("name: agent");
    const others = alone.filter((name) => !on.some((one) => one.startsWith(`${name}=`)));
    expect(await templateText({ helm, set: [...none(others), ...on] })).toContain("name: forwarder");
  });
});

describe("under another chart", () => {
  let parent: string;

  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), "parent-chart-"));
    await cp(CHART, join(parent, "charts", "ngrok-operator"), { recursive: true });
    await writeFile(join(parent, "Chart.yaml"), stringify({ apiVersion: "v2", name: "platform", version: "1.0.0" }));
    const image = { tag: null, digest: null };
    const own = { image, extraEnv: null, commonLabels: { team: null }, controllerName: null, global: null };
    await writeFile(join(parent, "values.yaml"), stringify({ "ngrok-operator": own }));
  });

  afterAll(async () => await rm(parent, { recursive: true, force: true }));

  test.for(HELMS)("%s: null in the values of its author, and of who installs it, is the same", async (helm) => {
    const none = ["image.tag", "image.digest", "credentials.apiKey", "extraEnv.LEVEL"].map((name) => `${name}=null`);
    const set = none.map((one) => `ngrok-operator.${one}`);
    expect(await objects({ helm, chart: parent, set })).toEqual(await objects({ helm }));
  });

  test.for(HELMS)(
    "%s: an empty text leaves users and groups to the cluster, as OpenShift wants, where Helm 4 overlooks null",
    async (helm) => {
      const ids = ["runAsUser", "runAsGroup", "fsGroup"];
      const podSecurityContext = Object.fromEntries(ids.map((id) => [id, ""]));
      const file = join(parent, "openshift.yaml");
      const own = { podSecurityContext, containerSecurityContext: { runAsUser: "" }, bindings: { enabled: true } };
      await writeFile(file, stringify({ "ngrok-operator": own }));
      const text = await templateText({ helm, chart: parent, files: [file] });
      expect(text.match(/^ +runAsNonRoot: true$/gm)).toHaveLength(6);
      // What the operator tries a hook's admission with is among it.
      expect(ids.filter((id) => text.includes(id))).toEqual([]);
    },
  );

  test.for(HELMS)("%s: what may not be null may not be there either", async (helm) => {
    const text = await refusal({ helm, chart: parent, set: ["ngrok-operator.drainPolicy=null"] });
    expect(text).toContain("missing property 'drainPolicy'");
  });
});

test("nothing is required whose default says nothing: then null says the same", () => {
  const saysNothing = (value: unknown): boolean =>
    value === "" ||
    value === false ||
    value === 0 ||
    (typeof value === "object" && Object.keys(value ?? {}).length === 0);
  const needless = all.filter(({ required, schema }) => required && saysNothing(schema.default ?? null));
  expect(needless.filter(({ schema }) => schema.default !== undefined).map(({ name }) => name)).toEqual([]);
});
