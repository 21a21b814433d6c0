// values.schema.json is strict, and everything that we ship satisfies it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import {
  eachOf,
  isGroup,
  leavesOf,
  propertiesOf,
  resolved,
  typeOf,
  valuesSchema,
  type ValueSchema,
} from "#scripts/generate/values-schema.ts";
import { REFUSED_BY_SCHEMA } from "./bad-values.ts";
import { CHART, valuesFiles } from "./helm.ts";

const schema = valuesSchema();
// Names that are required once more under `if` are defined beside it, and so are their types: a text in place of a group is
// not an older chart's, and shall not be told so.
const validate = new Ajv({ strict: true, strictRequired: false, strictTypes: false, allErrors: true }).compile(schema);
const defaults = read(join(CHART, "values.yaml"));

test("values.yaml satisfies the schema", () => {
  expect(validate(defaults), JSON.stringify(validate.errors)).toBe(true);
});

test.for(valuesFiles())("$name satisfies the schema on top of the defaults", ({ path }) => {
  expect(validate(merged(defaults, read(path) ?? {})), JSON.stringify(validate.errors)).toBe(true);
});

test.for(REFUSED_BY_SCHEMA)("$set does not satisfy the schema", ({ set }) => {
  const [path = "", value = ""] = set.split("=");
  expect(validate(withValue(defaults, path.split("."), parse(value)))).toBe(false);
});

test.for([
  ["podLabels.team", "{{ .Release.Name }}"],
  ["nodeSelector.rack", "{{ .Values.rack }}"],
  ["image.tag", `0.1.0@sha256:${"0".repeat(64)}`],
  ["image.repository", "registry.local:5000/ngrok/ngrok-operator"],
  ["cleanupHook.image.repository", "registry.local:5000/bitnami/kubectl"],
  ["resources.limits.memory", "+1Gi"],
  ["resources.limits.cpu", "1."],
  ["clusterDomain", "svc.cluster.local."],
  ["clusterDomain", ""],
  ["metrics.podMonitor.interval", "1m30s"],
  ["metrics.serviceMonitor.interval", "1d"],
  ["networkPolicy.apiServer.ports", ["6443", 443]],
  ["cleanupHook.timeout", "99999"],
  ["cleanupHook.timeout", 99_999],
  ["terminationGracePeriodSeconds", "99999"],
  ["terminationGracePeriodSeconds", 99_999],
  ["ngrokApi.callsPerMinute", "99999"],
  ["ngrokApi.callsPerMinute", 99_999],
  ["agent.replicaCount", "1000"],
  ["log.level", 5],
  ["podDisruptionBudget.maxUnavailable", "100%"],
  ["cleanupHook.image.repository", "bitnami/kubectl:1.30"],
  ["cleanupHook.image.repository", "docker.io/bitnami/kubectl:1.30@sha256:abc"],
] as const)("%s=%s satisfies the schema, since Kubernetes takes it", ([path, value]) => {
  expect(validate(withValue(defaults, path.split("."), value)), JSON.stringify(validate.errors)).toBe(true);
});

test.for([
  ["metrics.podMonitor.interval", "30"],
  ["metrics.podMonitor.interval", "1s1m"],
  ["networkPolicy.apiServer.ports", ["65536"]],
  ["networkPolicy.apiServer.ports", [65_536]],
  ["cleanupHook.timeout", "100000"],
  ["cleanupHook.timeout", 100_000],
  ["terminationGracePeriodSeconds", "100000"],
  ["terminationGracePeriodSeconds", "030"],
  ["replicaCount", "010"],
  ["replicaCount", "1001"],
  ["podDisruptionBudget.maxUnavailable", "101%"],
  ["podDisruptionBudget.maxUnavailable", "1001"],
  ["cleanupHook.image.repository", "my/hooks:1.30"],
  ["serverAddr", "connect.example:655360"],
  ["apiURL", "https:// api.example.com"],
  ["clusterDomain", "svc..local"],
  ["ingress.controllerName", "k8s.ngrok.com/a: b"],
  ["log.level", "100"],
  ["image.repository", "ngrok//operator"],
  ["podLabels", { "a..b/team": "edge" }],
  ["agent.resources.limits", { "a b": "1" }],
  ["extraEnv.A", { valueFrom: { secretRef: { name: "a" } } }],
  ["extraEnv.A", { valueFrom: { secretKeyRef: null } }],
] as const)("%s=%j does not, as a text no more than as a number", ([path, value]) => {
  expect(validate(withValue(defaults, path.split("."), value))).toBe(false);
});

/** Texts that may be anything, and numbers without an end. */
const WITHOUT_BOUND: Readonly<Record<string, string>> = {
  "bindings.endpointSelectors": "expressions in CEL",
  "proxy.noProxy": "a list as HTTP clients read it",
  ngrokMetadata: "what people say of their account; a comma is refused by the checks",
  metaData: "as ngrokMetadata",
  extraEnv: "an environment",
  "image.digest": "refused by the checks, in words",
  "cleanupHook.image.digest": "refused by the checks, in words",
};

describe("the schema", () => {
  test("bounds every text by a pattern, a length or choices, and every number on both sides, but those that have none", () => {
    const unbounded = leavesOf(schema)
      .filter(({ path }) => !/[aA]nnotations$/.test(path.at(-1) ?? "")) // their values are anybody's
      .filter(({ schema: leaf }) => hasNoBound(leaf));
    expect(unbounded.map(({ path }) => path.join(".")).toSorted()).toEqual(Object.keys(WITHOUT_BOUND).toSorted());
  });

  test("closes every object that is no open map", () => {
    const open = Object.entries({ "": schema, ...schema.definitions }).flatMap(([name, one]) => openObjects(one, name));
    expect(open).toEqual([]);
  });

  test("says of every value what it is", () => {
    const silent = leavesOf(schema).filter((leaf) => !leaf.schema.description?.endsWith("."));
    expect(silent.map((leaf) => leaf.path.join("."))).toEqual([]);
  });

  test("says a default, or that there is none, and the default satisfies it", () => {
    const ajv = new Ajv({ strict: true });
    for (const { path, schema: leaf } of leavesOf(schema)) {
      if (leaf.default === undefined) continue;
      const check = ajv.compile({ ...resolved(leaf, schema), definitions: schema.definitions });
      expect(check(leaf.default), path.join(".")).toBe(true);
    }
  });

  test.for(["drainPolicy", "installCRDs", "crds", "rbac", "cleanupHook"])(
    "requires %s, so that null is refused",
    (key) => {
      const { [key]: _, ...without } = defaults;
      expect(validate(without)).toBe(false);
      expect(validate.errors?.map(({ message }) => message).join()).toContain(`'${key}'`);
    },
  );

  test("says of every key that it requires what to do when an older chart's values lack it", () => {
    const requiredIn = (group: ValueSchema, path: readonly string[] = []): string[] => [
      ...(group.required ?? []).map((key) => [...path, key].join(".")),
      ...propertiesOf(group).flatMap(([key, inner]) => requiredIn(inner, [...path, key])),
    ];
    expect(requiredIn(schema.if ?? {}).toSorted()).toEqual(requiredIn(schema).toSorted());
    expect(Object.keys(schema.properties ?? {})).toEqual(expect.arrayContaining([...(schema.required ?? [])]));
  });

  test.for([
    ["crds", "keep"],
    ["rbac", "cluster"],
    ["cleanupHook", "timeout"],
    ["cleanupHook", "enabled"],
  ] as const)("requires %s.%s", ([group, key]) => {
    const { [key]: _, ...inner } = groupOf(group);
    expect(validate({ ...defaults, [group]: inner })).toBe(false);
  });
});

function groupOf(name: string): Record<string, unknown> {
  const group = defaults[name];
  if (!isMap(group)) throw new Error(`${name} is no group of values`);
  return group;
}

/** Whether a part of it is a text or a number of any size. What Kubernetes says the shape of is left to it. */
function hasNoBound(one: ValueSchema): boolean {
  const whole = resolved(one, schema);
  const type = typeOf(whole);
  const inside = [whole.items, eachOf(whole), ...Object.values(whole.properties ?? {})];
  if ([...(whole.anyOf ?? []), ...inside].some((part) => part !== undefined && hasNoBound(part))) return true;
  if (type === "string") return (whole.pattern ?? whole.maxLength ?? whole.enum) === undefined;
  const isNumber = type === "integer" || type === "number";
  return isNumber && (whole.minimum === undefined || whole.maximum === undefined);
}

/** Objects that would take any key although nobody said that they are open. */
function openObjects(one: ValueSchema, path: string): string[] {
  const own = typeOf(one) === "object" && one.additionalProperties === undefined ? [path] : [];
  const parts: Record<string, ValueSchema> = {
    ...one.properties,
    ...(one.items === undefined ? {} : { items: one.items }),
    ...Object.fromEntries((one.anyOf ?? []).map((part, index) => [`anyOf${index}`, part])),
  };
  if (isGroup(one) && one.additionalProperties === true && !path.endsWith("global")) own.push(path);
  return [...own, ...Object.entries(parts).flatMap(([key, part]) => openObjects(part, `${path}.${key}`))];
}

function read(path: string): Record<string, unknown> {
  return parse(readFileSync(path, "utf8"));
}

/** Values laid over others, as Helm does it: maps merge, null takes a default away, all else is replaced. */
function merged(under: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const result = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = under[key];
    if (value === null && below !== undefined) delete result[key];
    else result[key] = isMap(below) && isMap(value) ? merged(below, value) : value;
  }
  return result;
}

/** The values with one more set; null takes the key away, as it does in Helm. */
function withValue(
  values: Record<string, unknown>,
  [key = "", ...rest]: readonly string[],
  value: unknown,
): Record<string, unknown> {
  const { [key]: below, ...others } = values;
  if (rest.length > 0) return { ...others, [key]: withValue(isMap(below) ? below : {}, rest, value) };
  return value === null ? others : { ...others, [key]: value };
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
