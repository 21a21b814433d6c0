// Helm and the programs make the same names, and none is longer than what Kubernetes takes.
import { join } from "node:path";
import { expect, test } from "vitest";
import { namesOf } from "#api/release.ts";
import { idOf, objects, podsOf, type Rendered } from "./helm.ts";

const LONGEST_RELEASE = "r".repeat(53);

const INSTALLS = [
  { release: "ngrok-operator", set: [], fullname: "ngrok-operator" },
  { release: "edge", set: [], fullname: "edge-ngrok-operator" },
  { release: "edge", set: ["nameOverride=op"], fullname: "edge-op" },
  { release: "edge", set: ["fullnameOverride=own"], fullname: "own" },
  { release: LONGEST_RELEASE, set: [], fullname: `${LONGEST_RELEASE}-ngrok-ope` },
  // The cut falls on dashes, which may not end a name.
  {
    release: "edge",
    set: [`fullnameOverride=${"a".repeat(45)}------${"b".repeat(12)}`],
    fullname: `${"a".repeat(45)}------${"b".repeat(12)}`,
  },
];

test.for(INSTALLS)("$release $set (F10)", async ({ release, set, fullname }) => {
  const all = await objects({ release, set: [...set, "installCRDs=false"], namespace: "ngrok" });
  const has = (kind: string, name: string): boolean =>
    all.some((object) => object.kind === kind && object.metadata.name === name);
  const names = namesOf({ name: release, namespace: "ngrok", fullname });
  expect(has("Deployment", names.manager)).toBe(true);
  expect(has("ConfigMap", names.drainState)).toBe(true);
  expect(has("Job", names.drainJob)).toBe(true);
  expect(has("Job", names.cleanupJob)).toBe(true);
  const args = podsOf(all).flatMap(({ pod }) => pod.containers[0]?.args ?? []);
  expect(args).toContain(`--fullname=${fullname}`);
  expect(args).toContain(`--election-id=${names.lease}`);
  const long = all.filter(({ kind, metadata: { name } }) => name.length > limitOf(kind) || /[^a-z0-9.-]|-$/.test(name));
  expect(long.map(({ metadata }) => metadata.name)).toEqual([]);
});

/** What rights are called may be as long as a file's name; a Job's and a label's values may not. */
function limitOf(kind: string): number {
  return /Role|Secret/.test(kind) ? 253 : 63;
}

test("two releases whose names differ only at their ends share nothing in the cluster, nor a Secret", async () => {
  const set = ["installCRDs=false", "bindings.enabled=true", "credentials.apiKey=k", "credentials.authtoken=t"];
  const shared = async (first: string, second: string): Promise<string[]> => {
    const [ids, others] = await Promise.all(
      [first, second].map(async (release) =>
        (await objects({ release, set, namespace: "ngrok" }))
          .filter(({ kind, metadata }) => metadata.namespace === undefined || kind === "Secret")
          .map(idOf),
      ),
    );
    expect(ids?.length).toBeGreaterThan(20);
    return ids?.filter((id) => others?.includes(id)) ?? [];
  };
  // The class is one for all who say nothing else: Helm refuses the second release for it, with its name.
  const clash = ["IngressClass /ngrok"];
  expect(await shared("acme-production-eu-west-1-gateway-a", "acme-production-eu-west-1-gateway-b")).toEqual(clash);
  expect(await shared(`${"r".repeat(52)}a`, `${"r".repeat(52)}b`)).toEqual(clash);
});

test("nor do two whose fullnameOverrides differ only at their ends, what their hooks make included", async () => {
  const wide = async (end: string): Promise<string[]> => {
    const set = [`fullnameOverride=${"f".repeat(62)}${end}`, "protect.enabled=true", "installCRDs=false"];
    const all = await objects({
      release: end,
      namespace: `ns-${end}`,
      set: [...set, "ingress.ingressClass.create=false"],
    });
    return all.filter(({ metadata }) => metadata.namespace === undefined).map(idOf);
  };
  const [ids, others] = [await wide("a"), await wide("b")];
  expect(ids.filter((id) => /-(drain|cleanup|rehearsal|protect)$/.test(id))).toHaveLength(8);
  expect(ids.filter((id) => others.includes(id))).toEqual([]);
});

test.for(INSTALLS)(
  "the pods of $release $set read the Secret that programs name",
  async ({ release, set, fullname }) => {
    const all = podsOf(await objects({ release, set: [...set, "installCRDs=false"], namespace: "ngrok" }));
    const names = all.flatMap(
      ({ pod }) => JSON.stringify(pod.containers[0]?.env).match(/"name":"[^"]*-credentials"/g) ?? [],
    );
    const { credentials } = namesOf({ name: release, namespace: "ngrok", fullname });
    expect(credentials).toBe(`${fullname}-credentials`);
    expect([...new Set(names)]).toEqual([`"name":"${credentials}"`]);
  },
);

test.for([
  { set: [], name: "ngrok-operator" },
  { set: ["nameOverride=op"], name: "op" },
  { set: [`nameOverride=${"n".repeat(70)}`, "fullnameOverride=own"], name: "n".repeat(63) },
])("with $set operator and hooks are told which name label the pods of the components carry", async ({ set, name }) => {
  const all = await objects({ set: [...set, "installCRDs=false", "bindings.enabled=true"] });
  const labels = all.filter(({ kind }) => kind === "Deployment").map(nameLabelOf);
  expect(labels).toEqual([name, name, name]);
  const told = podsOf(all).flatMap(
    ({ pod }) => pod.containers[0]?.env.filter((one) => one.name === "NAME_LABEL") ?? [],
  );
  // The api-manager, the two hooks and the rehearsal.
  expect(told.map(({ value }) => value)).toEqual([name, name, name, name]);
});

test("pods that the Go operator's chart has left carry the name label that hooks are told after an upgrade in place", async () => {
  const before = join(import.meta.dirname, "..", "support", "go-0.24");
  const all = await objects({ chart: before });
  expect(all.filter(({ kind }) => kind === "Deployment").map(nameLabelOf)).toEqual([
    "ngrok-operator",
    "ngrok-operator",
  ]);
});

function nameLabelOf({ spec }: Rendered): string | undefined {
  const template = spec?.template as { metadata?: { labels?: Record<string, string> } } | undefined;
  return template?.metadata?.labels?.["app.kubernetes.io/name"];
}

test("names that look like numbers stay names", async () => {
  const json = ['fullnameOverride="5"', 'commonLabels={"n":1000000}'];
  const all = await objects({ release: "7", namespace: "42", set: ["installCRDs=false"], json });
  expect(all.map(({ metadata }) => metadata.labels?.["n"])).toContain("1000000");
  for (const { metadata, subjects = [] } of all) {
    const values = [metadata.name, metadata.namespace ?? "", ...Object.values(metadata.labels ?? {})];
    expect([...values, ...subjects.map(({ name }) => name)].filter((value) => typeof value !== "string")).toEqual([]);
  }
});

test("Deployments, ServiceAccounts and selectors are those of the Go operator's chart, since an upgrade cannot change them", async () => {
  const all = await objects({ set: ["bindings.enabled=true", "agent.enabled=true"] });
  const named = (wanted: string) => all.filter(({ kind }) => kind === wanted);
  const full = "edge-ngrok-operator";
  const labels = { "app.kubernetes.io/name": "ngrok-operator", "app.kubernetes.io/instance": "edge" };
  expect(
    named("Deployment").map(({ metadata, spec }) => [
      metadata.name,
      spec?.selector?.matchLabels,
      spec?.template?.spec.containers[0]?.name,
      spec?.template?.spec.serviceAccountName,
    ]),
  ).toEqual(
    [
      ["agent", "agent", "agent", `${full}-agent`],
      ["bindings-forwarder", "bindings-forwarder", "forwarder", `${full}-bindings-forwarder`],
      ["manager", "controller", "ngrok-operator", full],
    ].map(([name, component, container, account]) => [
      `${full}-${name}`,
      { ...labels, "app.kubernetes.io/component": component },
      container,
      account,
    ]),
  );
});
