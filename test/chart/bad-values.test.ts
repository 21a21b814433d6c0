// What a person may get wrong in values: Helm refuses with the name of the field, whichever Helm it is.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { leavesOf, typeOf, valuesSchema } from "#scripts/generate/values-schema.ts";
import { REFUSED_BY_CHECKS, REFUSED_BY_SCHEMA } from "./bad-values.ts";
import { CHART, objects, podsOf, refusal, templateText, type HelmVersion } from "./helm.ts";

const HELMS: readonly HelmVersion[] = ["helm3", "helm4"];
const checks = readFileSync(join(CHART, "templates", "_checks.tpl"), "utf8");

/** They need a cluster to look into: helm-unittest gives them one, in chart/tests. */
const LOOKED_UP = [
  /^gitops\.argocd=true: Helm would have no hooks/,
  /^CustomResourceDefinition /,
  /^protect\.enabled=true: Kubernetes/,
  /^installCRDs=false: this/,
  /^bindings\.enabled=true: release/,
];

describe.for(HELMS)("%s", (helm) => {
  test.for(REFUSED_BY_SCHEMA)("refuses $set by name", async ({ set, says }) => {
    expect(await refusal({ helm, set: [set] })).toContain(says);
  });

  test.for(REFUSED_BY_CHECKS)("without schema validation still says: $says", async ({ says, ...options }) => {
    const text = await refusal({ helm, ...options, flags: ["--skip-schema-validation"] });
    expect(text?.split("\n")).toEqual(expect.arrayContaining(says.split("\n")));
    expect(text).toContain(`\n${says}\n`);
  });

  test("refuses a quoted boolean by name", async () => {
    expect(await refusal({ helm, json: ['gateway.enabled="true"'] })).toContain(
      "at '/gateway/enabled': got string, want boolean",
    );
  });

  test("refuses an older chart's reused values with what they lack and what to do", async () => {
    const text = await refusal({ helm, json: ["crds=null"] });
    expect(text).toContain("missing property 'crds'");
    expect(text).toContain("wants --reset-then-reuse-values instead of --reuse-values");
  });

  test("takes numbers as texts, and other texts as numbers, as Terraform and Flux hand them on", async () => {
    const texts = ["replicaCount", "cleanupHook.timeout", "ngrokApi.callsPerMinute", "terminationGracePeriodSeconds"];
    const text = await templateText({
      helm,
      json: texts.map((name) => `${name}="60"`),
      set: ["nodeSelector.rack=7", "podAnnotations.scrape=true", "extraEnv.LEVEL=2", "resources.limits.cpu=2"],
    });
    expect(text).toContain("\n  replicas: 60\n");
    expect(text).toContain('\n        rack: "7"\n');
    expect(text).toContain('\n        scrape: "true"\n');
    expect(text).toContain("\n      terminationGracePeriodSeconds: 60\n");
  });
});

test("both Helms refuse in the same words", async () => {
  for (const { set } of REFUSED_BY_SCHEMA) {
    const [three, four] = await Promise.all(HELMS.map((helm) => refusal({ helm, set: [set] })));
    expect(three).toBe(four);
  }
});

test("every refusal of the templates is tried, and has a remedy", () => {
  // A line of a template is an action, or indented, or the first line of a refusal.
  const messages = checks.split("\n").filter((line) => /^([^\s{]|\{\{ )/.test(line));
  const untried = messages
    .filter((message) => !LOOKED_UP.some((known) => known.test(message)))
    .filter((message) => !REFUSED_BY_CHECKS.some(({ says }) => patternOf(message).test(says)));
  expect(untried).toEqual([]);
  expect(messages.length).toBeGreaterThanOrEqual(20);
  expect(checks.match(/^ {2}remedy: /gm)).toHaveLength(messages.length);
});

test("no variable that the chart sets goes by in extraEnv", async () => {
  const set = [
    "agent.enabled=true",
    "bindings.enabled=true",
    "extraCA.secretName=a",
    "rootCAs=host",
    "installCRDs=false",
  ];
  const names = podsOf(await objects({ set })).flatMap(
    ({ pod }) => pod.containers[0]?.env.map(({ name }) => name) ?? [],
  );
  expect(names.length).toBeGreaterThan(50);
  const list = /"NGROK_API_KEY" [^}]*/.exec(checks)?.[0] ?? "";
  expect(names.filter((name) => !list.includes(`"${name}"`))).toEqual([]);
});

test("no boolean goes by that is a text", () => {
  const list = /define "ngrok-operator.checks.types"[\s\S]*?list ([^}]*) \}\}/.exec(checks)?.[1]?.split(" ");
  const booleans = leavesOf(valuesSchema()).filter(
    ({ path, schema }) => typeOf(schema) === "boolean" && path[0] !== "enabled",
  );
  expect(list?.toSorted()).toEqual(booleans.map(({ path }) => JSON.stringify(path.join("."))).toSorted());
});

/** The text of a template as a pattern of what it becomes. */
function patternOf(message: string): RegExp {
  const parts = message.split(/\{\{.*?\}\}/).map((part) => part.replaceAll(/[$()*+.?[\\\]^{|}]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}(\n|$)`);
}
